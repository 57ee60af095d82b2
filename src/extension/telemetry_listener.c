#include "extension/telemetry_listener.h"

#include "extension/telemetry_comparison.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/error_text.h"
#include "io/log.h"
#include "protocol/out.h"

/* see telemetry_listener.h */

/* --- what the server calls --------------------------------------------------------------------- */

static struct telemetry_post *
post_of(void *context, unsigned which)
{
    struct telemetry_listener *l = context;

    return &l->posts.posts[which];
}

/* Whether the sender knows the path, or nobody has used the path so far. */
static bool
known_path(struct telemetry_listener *l, struct span target)
{
    if (span_same(target, (struct span){l->path, sizeof l->path}))
        l->path_used = true;
    else if (l->path_used)
        return false;
    return true;
}

static unsigned
begin_post(void *context, unsigned which, const struct http_head *head)
{
    struct telemetry_listener *l = context;

    if (!known_path(l, head->target))
        return 404;
    telemetry_comparison_begin(&l->posts, which);
    return 0;
}

static int
take_piece(void *context, unsigned which, struct span piece)
{
    return telemetry_comparison_take(post_of(context, which), piece);
}

static int
end_post(void *context, unsigned which)
{
    struct telemetry_post *p = post_of(context, which);
    int r = telemetry_comparison_end(p);

    if (r == 0)
        telemetry_post_end(p);
    return r;
}

static void
answered(void *context, unsigned which, bool heard)
{
    struct telemetry_post *p = post_of(context, which);

    telemetry_post_answered(p, heard);
    p->all->posted(p->all->context);
}

static void
refused(void *context, unsigned status, const char *reason)
{
    struct telemetry_listener *l = context;

    log_debug("telemetry listener: answered %u %s", status, reason);
    /* the platform uses no other method or path, so telemetry is not affected */
    if (status != 404 && status != 405)
        l->posts.disturbed(l->posts.context);
}

/* Reported by a timer, since this may be called from inside any other callback. */
static void
lost(void *context, unsigned which)
{
    struct telemetry_listener *l = context;

    telemetry_post_lost(post_of(context, which));
    loop_set_earlier(&l->report_break, l->server.loop->now.ms);
}

static void
report_break(void *context)
{
    struct telemetry_listener *l = context;

    l->posts.posted(l->posts.context);
}

/* --- what the owner calls ---------------------------------------------------------------------- */

size_t
telemetry_listener_bytes(void)
{
    return sizeof(struct telemetry_listener) + http_server_bytes() + telemetry_posts_bytes() + 256;
}

static void
choose_path(struct telemetry_listener *l)
{
    uint8_t bytes[(LISTENER_PATH_LEN - 1) / 2] = {0};
    struct out o = out_to(l->path, sizeof l->path);

    (void)entropy_fill(bytes, sizeof bytes);
    out_byte(&o, '/');
    out_hex(&o, bytes, sizeof bytes);
}

int
telemetry_listener_init(struct telemetry_listener *l, struct loop *loop, struct storage *s)
{
    choose_path(l);
    l->owner = (struct http_exchange_owner){
        .begin = begin_post,
        .body = take_piece,
        .end = end_post,
        .answered = answered,
        .refused = refused,
        .lost = lost,
        .context = l,
    };
    l->report_break = (struct loop_timer){.fire = report_break, .context = l};
    loop_add_timer(loop, &l->report_break);
    l->server.owner = &l->owner;
    if (http_server_init(&l->server, loop, s) != 0)
        return ERR_IO;
    return telemetry_posts_init(&l->posts, &l->server, s);
}

int
telemetry_listener_open(struct telemetry_listener *l, uint16_t port)
{
    if (http_server_open(&l->server, port) == 0)
        return 0;
    log_warn("telemetry listener: port %u: %s; taking a free one", port,
             error_text(system_error()));
    return http_server_open(&l->server, 0);
}

void
telemetry_listener_resume(struct telemetry_listener *l)
{
    if (!http_server_stays_paused(&l->server) ||
        telemetry_post_hand_over_again(post_of(l, l->server.paused->exchange.which)) != 0)
        return;
    http_server_resume(&l->server, l->posts.stopped_rest);
}

void
telemetry_listener_drain(struct telemetry_listener *l, uint32_t ms)
{
    uint64_t until = clock_monotonic_ms() + ms;

    telemetry_listener_resume(l);
    http_server_drain(&l->server, until);
}

bool
telemetry_listener_stopped(const struct telemetry_listener *l)
{
    return l->server.paused != NULL;
}

void
telemetry_listener_end(struct telemetry_listener *l)
{
    struct span none = {NULL, 0};

    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
        struct telemetry_post *p = &l->posts.posts[i];

        if (!p->reading)
            continue;
        splitter_end(&p->splitter);
        if (telemetry_comparison_take(p, none) == ERR_FULL)
            http_server_pause(p->connection);
    }
    l->posts.ledger->duplicates_possible += repeats_end(&l->posts.repeats);
}
