#include <stdlib.h>
#include <string.h>

#include "poster.h"

/*
 * POSTs of telemetry: connections to the listener, whole and broken deliveries, and those that come again.
 */

enum { LINES = 6, BACKOFF_US = 50000, TRIES_MOST = 6 };

/* What is wrong with a delivery, drawn when it begins. */
enum harm {
    SOUND,
    BREAKS, /* it breaks off after some bytes */
    LEAVES  /* all is sent, and the sender has gone before it hears the answer */
};

struct post {
    enum {
        POST_NONE,
        POST_QUEUED, /* until fewer are outstanding */
        POST_CONNECTS,
        POST_SENT,
        POST_WAITS /* comes again */
    } state;
    uint32_t order;
    enum harm harm;
    bool again;     /* what fails comes again */
    bool was_whole; /* an earlier delivery was, so that its answer may have been sent, too */
    bool alarms;    /* it tells the program of a loss, by its damage or by platform.logsDropped */
    char *body;
    size_t len, cap;
    uint32_t *numbers, *ends; /* of the events in the body */
    uint32_t n, n_cap, tries;
    struct line *line;
};

struct line {
    struct peer *peer; /* NULL: none */
    bool open;         /* and not on its way with a POST of before the snapshot */
    struct post *post;
    struct http_reader reader;
};

static struct post posts[POSTER_POSTS];
static uint32_t posts_made; /* of the life */
static struct line lines[LINES];

/* Requests are written here. */
static char *request;
static size_t request_cap;

static void deliver(struct post *p);
static void begin_again(void *context);
static void leave(void *context);

/* --- the end of a delivery ----------------------------------------------------------------------------- */

/* The oldest that was queued is next; then poster.c has its turn. */
static void
free_post(struct post *p)
{
    struct post *next = NULL;

    p->state = POST_NONE;
    p->line = NULL;
    for (struct post *q = posts; q < posts + POSTER_POSTS; q++)
        if (q->state == POST_QUEUED && (next == NULL || q->order < next->order))
            next = q;
    if (next != NULL)
        deliver(next);
    poster_freed();
}

static void
give_up(struct post *p)
{
    uint32_t n = p->n;
    size_t len = p->len;

    free_post(p);
    poster_lost(n, len);
}

/* It broke off, was refused or could not be begun. */
static void
failed(struct post *p)
{
    p->line = NULL;
    books_repeated(p->numbers, p->n);
    if (!p->again || p->tries >= TRIES_MOST) {
        give_up(p);
        return;
    }
    p->state = POST_WAITS;
    world_say("poster", "%u events will come again", p->n);
    kernel_at(kernel_us() + BACKOFF_US / 10 +
                  (uint64_t)dice_below(&world.poster, BACKOFF_US) * p->tries,
              begin_again, p);
}

static void
begin_again(void *context)
{
    deliver(context);
}

static void
answered(void *context, const struct http_message *m)
{
    struct line *l = context;
    struct post *p = l->post;

    if (m->status < 200)
        return;
    if (p == NULL || p->state != POST_SENT)
        world_break("listener: an answer %u to no request", m->status);
    l->post = NULL;
    kernel_cancel(leave, p);
    world_say("poster", "answer %u to %u events", m->status, p->n);
    if (m->status != 200) {
        poster_note_trouble();
        failed(p);
        return;
    }
    books_given(p->numbers, p->n);
    /* one that came before may have alarmed then */
    if (p->alarms && p->tries == 1)
        poster_note_trouble();
    free_post(p);
}

/* --- connections ---------------------------------------------------------------------------------------- */

static void
end_line(struct line *l)
{
    l->peer = NULL;
    l->open = false;
    l->post = NULL;
    http_free(&l->reader);
}

static void
reset_line(struct line *l)
{
    struct peer *peer = l->peer;

    end_line(l);
    if (dice_chance(&world.poster, 500))
        peer_reset(peer);
    else
        peer_close(peer);
}

/* How many events are whole in the first bytes of the body. */
static void
note_sent(const struct post *p, size_t len)
{
    for (uint32_t i = 0; i < p->n && p->ends[i] <= len; i++) {
        struct book *b = books_at(p->numbers[i]);

        b->again += p->was_whole;
        if (b->sends++ == 0)
            b->sent_us = kernel_us();
    }
}

static size_t
write_request(const struct post *p)
{
    bool chunked = dice_chance(&world.poster, 200);
    char fields[160];

    if (request_cap < 2 * p->len + 4096) {
        request_cap = 2 * p->len + 65536;
        request = realloc(request, request_cap);
        if (request == NULL)
            abort();
    }
    strcpy(fields, "Host: sandbox.localdomain\r\nUser-Agent: Go-http-client/1.1\r\n"
                   "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n");
    return http_request(request, request_cap, "POST", poster_subscription.path, fields,
                        (struct span){p->body, p->len}, chunked ? HTTP_CHUNKED : HTTP_LENGTH,
                        &world.poster);
}

/* Bytes of the request are sent; of one that is chunked it is not known which events are whole in a part. */
static void
send_request(struct post *p)
{
    struct line *l = p->line;
    size_t len = write_request(p);
    size_t sent = p->harm == BREAKS ? dice_below(&world.poster, (uint32_t)len) : len;

    p->state = POST_SENT;
    note_sent(p, sent < len ? sent : p->len);
    p->was_whole |= sent == len;
    world_say("poster", "POST of %u events, %zu bytes%s", p->n, p->len,
              p->harm == SOUND    ? ""
              : p->harm == BREAKS ? ", which breaks off"
                                  : ", whose sender leaves");
    peer_send(l->peer, (struct span){request, sent});
    poster_note_heard();
    if (p->harm != SOUND)
        kernel_at(kernel_us() + dice_magnitude(&world.poster, 1, 50000), leave, p);
}

static void
leave(void *context)
{
    struct post *p = context;

    reset_line(p->line);
    failed(p);
}

static void
line_opened(void *context, struct peer *peer)
{
    struct line *l = context;

    (void)peer;
    l->open = true;
    if (l->post != NULL)
        send_request(l->post);
}

static void
line_came(void *context, struct span bytes)
{
    struct line *l = context;

    poster_note_heard();
    if (l->open)
        http_take(&l->reader, bytes);
    else
        reset_line(l);
    if (l->reader.broken)
        world_break("listener: an answer that is no HTTP: %.*s",
                    (int)(bytes.len < 200 ? bytes.len : 200), bytes.p);
}

static void
line_gone(void *context)
{
    struct line *l = context;
    struct post *p = l->post;

    end_line(l);
    if (p == NULL)
        return;
    kernel_cancel(leave, p);
    world_say("poster", "connection gone under a POST of %u events", p->n);
    failed(p);
}

static void
line_finished(void *context)
{
    struct line *l = context;
    struct peer *peer = l->peer;

    line_gone(l);
    peer_close(peer);
}

static const struct peer_events line_events = {
    .opened = line_opened, .came = line_came, .finished = line_finished, .gone = line_gone};

static struct line *
free_line(void)
{
    bool fresh = dice_chance(&world.poster, 50);
    struct line *none = NULL;

    for (int i = 0; i < LINES; i++) {
        struct line *l = &lines[i];

        if (l->peer != NULL && l->open && l->post == NULL && !fresh)
            return l;
        if (l->peer == NULL && none == NULL)
            none = l;
    }
    if (none != NULL)
        return none;
    for (int i = 0; i < LINES; i++)
        if (lines[i].open && lines[i].post == NULL)
            return &lines[i];
    abort();
}

static enum harm
draw_harm(struct post *p)
{
    if (p->again && world_fault(&world.poster, WORLD_POST_BREAKS))
        return BREAKS;
    if (world_fault(&world.poster, WORLD_POST_LOST)) {
        p->again = false;
        return BREAKS;
    }
    if (p->again && world_fault(&world.poster, WORLD_POST_DOUBLED))
        return LEAVES;
    return SOUND;
}

static void
deliver(struct post *p)
{
    struct line *l = free_line();

    p->harm = draw_harm(p);
    p->tries++;
    p->line = l;
    p->state = POST_CONNECTS;
    l->post = p;
    if (l->peer != NULL && l->open) {
        send_request(p);
        return;
    }
    if (l->peer != NULL)
        return;
    l->reader = (struct http_reader){.whole = answered, .context = l, .responses = true};
    l->peer = kernel_connect(poster_subscription.port, &line_events, l);
}

/* --- what poster.c calls ----------------------------------------------------------------------------- */

static void
append(struct post *p, struct span s)
{
    if (p->cap - p->len < s.len) {
        p->cap = 2 * p->cap + s.len + 4096;
        p->body = realloc(p->body, p->cap);
        if (p->body == NULL)
            abort();
    }
    if (s.len > 0)
        memcpy(p->body + p->len, s.p, s.len);
    p->len += s.len;
}

static struct post *
new_post(uint32_t n)
{
    struct post *p = posts;

    while (p < posts + POSTER_POSTS && p->state != POST_NONE)
        p++;
    if (p == posts + POSTER_POSTS)
        abort();
    if (p->n_cap < n) {
        p->n_cap = 2 * n;
        p->numbers = realloc(p->numbers, p->n_cap * sizeof *p->numbers);
        p->ends = realloc(p->ends, p->n_cap * sizeof *p->ends);
        if (p->numbers == NULL || p->ends == NULL)
            abort();
    }
    p->len = p->tries = p->n = 0;
    p->alarms = p->was_whole = false;
    p->order = posts_made++;
    return p;
}

void
posts_make(const uint32_t *numbers, uint32_t n, size_t cut, struct span rest, bool again,
           unsigned outstanding_most)
{
    uint32_t place = 0;
    bool queued = posts_busy() >= outstanding_most;
    struct post *p = new_post(n);
    bool blank = dice_chance(&world.poster, 100);

    append(p, SPAN("["));
    append(p, rest);
    for (uint32_t i = 0; i < n; i++) {
        struct span text = books_text(numbers[i]);

        if (i > 0 || rest.len > 0)
            append(p, blank ? SPAN(",\n ") : SPAN(","));
        books_posted(numbers[i], p->order, &place);
        if (cut > 0 && i == n - 1) {
            append(p, (struct span){text.p, cut});
            break;
        }
        append(p, text);
        p->alarms |= books_at(numbers[i])->alarms;
        p->numbers[p->n] = numbers[i];
        p->ends[p->n++] = (uint32_t)p->len;
    }
    if (cut == 0)
        append(p, SPAN("]"));
    p->alarms |= cut > 0 || rest.len > 0;
    p->again = again;
    p->state = POST_QUEUED;
    if (!queued)
        deliver(p);
}

unsigned
posts_lines(void)
{
    unsigned n = 0;

    for (int i = 0; i < LINES; i++)
        n += lines[i].peer != NULL;
    return n;
}

unsigned
posts_busy(void)
{
    unsigned n = 0;

    for (int i = 0; i < POSTER_POSTS; i++)
        n += posts[i].state != POST_NONE;
    return n;
}

/* What a snapshot keeps: connections. In its copies nobody waits for an answer that comes on them. */
static struct line kept[LINES];

void
posts_keep(void)
{
    for (int i = 0; i < LINES; i++) {
        http_free(&lines[i].reader);
        lines[i].open = lines[i].open && lines[i].post == NULL;
        lines[i].post = NULL;
    }
    memcpy(kept, lines, sizeof kept);
}

void
posts_begin(bool copy)
{
    if (world.sandbox == 0)
        posts_made = 0;
    for (int i = 0; i < POSTER_POSTS; i++) {
        kernel_cancel(begin_again, &posts[i]);
        kernel_cancel(leave, &posts[i]);
        posts[i].state = POST_NONE;
        posts[i].line = NULL;
    }
    for (int i = 0; i < LINES; i++)
        end_line(&lines[i]);
    if (copy)
        memcpy(lines, kept, sizeof lines);
}
