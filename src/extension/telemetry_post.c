#include "extension/telemetry_post.h"

#include <string.h>

#include "io/entropy.h"
#include "io/log.h"
#include "protocol/check.h"
#include "protocol/oversize.h"

/* see telemetry_post.h */

enum {
    STALLED_MS = 1000, /* silence after which a POST is closed if its large buffer is needed */
    TOLD_MS = 60000,   /* between two log lines about the same */
    /* what is kept of an event that is larger than any buffer, so that Kinesis takes the record made of it */
    BEGINNING_MAX_BYTES = 1048576 - 8192
};

size_t
telemetry_posts_bytes(void)
{
    return HTTP_SERVER_CONNECTIONS * sizeof(struct tally) +
           (size_t)LISTENER_LARGE_EVENTS * LISTENER_EVENT_MAX_BYTES;
}

int
telemetry_posts_init(struct telemetry_posts *all, struct http_server *server, struct storage *s)
{
    all->server = server;
    (void)entropy_fill(&all->repeats.seed, sizeof all->repeats.seed);
    for (int i = 0; i < LISTENER_LARGE_EVENTS; i++)
        all->large[i] = storage_take(s, LISTENER_EVENT_MAX_BYTES);
    all->tallies = storage_take(s, HTTP_SERVER_CONNECTIONS * sizeof *all->tallies);
    return all->tallies != NULL ? 0 : ERR_IO;
}

/* --- how a POST begins and ends ---------------------------------------------------------------- */

static void
free_large(struct telemetry_post *p)
{
    if (p->large >= 0)
        p->all->large_used[p->large] = false;
    p->large = -1;
}

void
telemetry_post_free_kept(struct telemetry_post *p)
{
    if (p->kept >= 0)
        p->all->large_used[p->kept] = false;
    p->kept = -1;
    p->comparing = p->replaying = false;
}

void
telemetry_post_begin(struct telemetry_posts *all, unsigned which, bool comparing)
{
    struct telemetry_post *p = &all->posts[which];

    CHECK(p->all == NULL || (!p->reading && p->large < 0 && p->kept < 0));
    /* not at the start, so that connections that never are cost no memory */
    *p = (struct telemetry_post){
        .all = all,
        .connection = &all->server->connections[which],
        .tally = &all->tallies[which],
        .reading = true,
        .comparing = comparing,
        .large = -1,
        .kept = -1,
    };
    *p->tally = (struct tally){.items = 0};
    splitter_start(&p->splitter, p->connection->exchange.head, HTTP_EXCHANGE_HEAD_BYTES);
    p->splitter.marks = &all->marks;
}

/* The sender may not know that its POST was read, and may send it again. */
static void
may_come_again(struct telemetry_post *p)
{
    p->all->ledger->duplicates_possible += repeats_keep(&p->all->repeats, p->tally);
}

void
telemetry_post_answered(struct telemetry_post *p, bool heard)
{
    CHECK(!p->reading);
    if (!heard)
        may_come_again(p);
}

void
telemetry_post_lost(struct telemetry_post *p)
{
    CHECK(p->reading);
    free_large(p);
    p->all->disturbed(p->all->context);
    /* a POST that is still being compared is remembered already */
    if (!p->comparing)
        may_come_again(p);
    telemetry_post_free_kept(p);
    p->reading = false;
}

/* Judges what is left at the end of a body after all its events have been handed out. */
void
telemetry_post_end(struct telemetry_post *p)
{
    struct telemetry_posts *all = p->all;
    struct span none = {NULL, 0};
    struct span event;

    if (splitter_next(&p->splitter, &none, &event) == ERR_BAD)
        all->lost(all->context, DROP_UNREADABLE);
    if (splitter_inside(&p->splitter)) {
        all->disturbed(all->context);
        /* an event that is being skipped has been counted */
        if (!p->splitter.skipping)
            all->lost(all->context, DROP_CUT);
    }
    free_large(p);
    p->reading = false;
}

/* --- events that are larger than a connection's own buffer ------------------------------------- */

int
telemetry_posts_take_buffer(struct telemetry_posts *all)
{
    for (int i = 0; i < LISTENER_LARGE_EVENTS; i++) {
        if (all->large_used[i])
            continue;
        all->large_used[i] = true;
        return i;
    }
    return -1;
}

bool
telemetry_post_take_large(struct telemetry_post *p)
{
    CHECK(p->reading && p->large < 0);
    p->large = telemetry_posts_take_buffer(p->all);
    if (p->large >= 0)
        splitter_carry(&p->splitter, p->all->large[p->large], LISTENER_EVENT_MAX_BYTES);
    return p->large >= 0;
}

/* The same, after closing a POST whose sender seems dead. */
static bool
take_large_from_another(struct telemetry_post *p)
{
    struct telemetry_posts *all = p->all;

    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
        struct telemetry_post *other = &all->posts[i];

        if (other->reading && (other->large >= 0 || other->kept >= 0) && other != p &&
            all->server->loop->now.ms - other->connection->heard_ms > STALLED_MS) {
            http_server_close(other->connection);
            return telemetry_post_take_large(p);
        }
    }
    return false;
}

/*
 * An event is larger than any buffer: makes its beginning an event, if that is wanted and possible;
 * otherwise it is lost. Returns 1 with an event, or 0.
 */
static int
beginning(struct telemetry_post *p, struct span *event)
{
    struct telemetry_posts *all = p->all;
    struct splitter *s = &p->splitter;
    int64_t len = ERR_BIG;

    if (all->cut(all->context))
        len = oversize_close(s->carry, s->len, BEGINNING_MAX_BYTES);
    *event = (struct span){s->carry, len < 0 ? 0 : (size_t)len};
    splitter_skip(s);
    if (len < 0)
        all->lost(all->context, DROP_OVERSIZE);
    return len < 0 ? 0 : 1;
}

/*
 * The carry is too small for this event. Returns 0; 1 with the event's beginning; or ERR_IO when the
 * connection had to be closed: without an answer its sender sends again.
 */
static int
enlarge(struct telemetry_post *p, struct span *event)
{
    struct telemetry_posts *all = p->all;

    /* there is no larger one than this */
    if (p->large >= 0)
        return splitter_settle(&p->splitter) ? 0 : beginning(p, event);
    if (telemetry_post_take_large(p) || take_large_from_another(p))
        return 0;
    if (all->told_ms == 0 || all->server->loop->now.ms - all->told_ms > TOLD_MS) {
        log_warn("telemetry listener: closed a connection, too many large events at once");
        all->told_ms = all->server->loop->now.ms;
    }
    http_server_close(p->connection);
    return ERR_IO;
}

/* --- events ------------------------------------------------------------------------------------- */

/* Returns 0 or ERR_FULL. */
static int
hand_over(struct telemetry_post *p, struct span event, const struct json_marks *marks)
{
    struct telemetry_posts *all = p->all;
    int r = all->event(all->context, event, marks);

    if (r < 0)
        return ERR_FULL;
    repeats_add(&all->repeats, p->tally, event, r == 1);
    return 0;
}

int
telemetry_post_hand_over(struct telemetry_post *p, struct span event, struct span rest)
{
    struct telemetry_posts *all = p->all;

    if (hand_over(p, event, splitter_marks(&p->splitter)) == 0)
        return 0;
    all->stopped_event = event;
    all->stopped_rest = rest;
    return ERR_FULL;
}

int
telemetry_post_hand_over_again(struct telemetry_post *p)
{
    CHECK(p->reading && !p->comparing);
    return hand_over(p, p->all->stopped_event, NULL);
}

void
telemetry_post_damage(struct telemetry_post *p)
{
    struct telemetry_posts *all = p->all;

    all->lost(all->context, DROP_CUT);
    repeats_add(&all->repeats, p->tally, (struct span){NULL, 0}, true);
}

int
telemetry_post_split(struct telemetry_post *p, struct span piece)
{
    for (;;) {
        struct span event;
        int r = splitter_next(&p->splitter, &piece, &event);

        bool more = r == 1 || r == ERR_FULL || r == SPLITTER_CUT;

        if (r == SPLITTER_CUT)
            telemetry_post_damage(p);
        if (r == ERR_FULL)
            r = enlarge(p, &event);
        if (r == ERR_IO)
            return ERR_IO;
        if (r == 1 && telemetry_post_hand_over(p, event, piece) != 0)
            return ERR_FULL;
        if (!more)
            break;
    }
    if (p->replaying)
        telemetry_post_free_kept(p);
    return 0;
}
