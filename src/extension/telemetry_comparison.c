#include "extension/telemetry_comparison.h"

#include <string.h>

#include "protocol/check.h"

/* see telemetry_comparison.h */

/* Keeps a piece of the body. Returns whether there is room for another one. */
COLD static bool
keep_piece(struct telemetry_post *p, struct span piece)
{
    struct telemetry_kept *kept = &p->all->kept[p->kept];

    CHECK(piece.len <= LISTENER_EVENT_MAX_BYTES - kept->len);
    if (piece.len > 0)
        memcpy(p->all->large[p->kept] + kept->len, piece.p, piece.len);
    kept->len += piece.len;
    return kept->len <= LISTENER_EVENT_MAX_BYTES - HTTP_SERVER_READ_BYTES;
}

/* The part of the body in the carry after the last event. */
COLD static struct span
carried(const struct telemetry_post *p)
{
    const struct splitter *s = &p->splitter;

    return (struct span){s->carry + s->from, s->kept - s->from};
}

/* All events up to here have come before: only what follows has to be kept. */
COLD static void
mark(struct telemetry_post *p)
{
    struct telemetry_kept *kept = &p->all->kept[p->kept];

    kept->len = 0;
    kept->splitter = p->splitter;
    kept->splitter.from = kept->splitter.kept = 0;
    kept->tally = *p->tally;
    (void)keep_piece(p, carried(p));
}

/*
 * Begins to keep the body from its first event on, or from after it if that is known to be the same. Returns
 * false when there is no room.
 */
COLD static bool
begin_keeping(struct telemetry_post *p, struct span event, bool same)
{
    struct telemetry_posts *all = p->all;
    struct telemetry_kept *kept;

    CHECK(p->comparing && p->kept < 0);
    if ((same ? 0 : event.len) + carried(p).len > LISTENER_EVENT_MAX_BYTES / 2)
        return false;
    p->kept = telemetry_posts_take_buffer(all);
    if (p->kept < 0)
        return false;
    if (same) {
        mark(p);
        return true;
    }
    kept = &all->kept[p->kept];
    kept->len = 0;
    kept->tally = (struct tally){.items = 0};
    splitter_start(&kept->splitter, p->connection->exchange.head, HTTP_EXCHANGE_HEAD_BYTES);
    kept->splitter.marks = &all->marks;
    (void)keep_piece(p, SPAN("["));
    (void)keep_piece(p, event);
    return keep_piece(p, carried(p));
}

/*
 * The POST is not one that came before: everything that was kept is handed out, and then the piece. Returns as
 * telemetry_post_split.
 */
COLD static int
differs(struct telemetry_post *p, struct span piece)
{
    struct telemetry_posts *all = p->all;

    p->comparing = false;
    /* no event has been read yet, so that the splitter can just go on */
    if (p->kept < 0) {
        *p->tally = (struct tally){.items = 0};
        return telemetry_post_split(p, piece);
    }
    p->splitter = all->kept[p->kept].splitter;
    if (p->large >= 0)
        splitter_carry(&p->splitter, all->large[p->large], LISTENER_EVENT_MAX_BYTES);
    *p->tally = all->kept[p->kept].tally;
    /* there is room, see keep_piece */
    (void)keep_piece(p, piece);
    p->replaying = true;
    return telemetry_post_split(p, (struct span){all->large[p->kept], all->kept[p->kept].len});
}

/* The same when it cannot be found out whether the POST came before. */
COLD static int
undecided(struct telemetry_post *p, struct span piece)
{
    struct telemetry_posts *all = p->all;

    all->ledger->repeated += repeats_stop(&all->repeats, p->tally, p->against);
    return differs(p, piece);
}

/* The first event shows that the POST is another one, or there is no room to find out: hands it out. */
COLD static int
first_differs(struct telemetry_post *p, struct span event, struct span rest)
{
    telemetry_post_free_kept(p);
    *p->tally = (struct tally){.items = 0};
    if (event.len == 0) {
        telemetry_post_damage(p);
    } else if (telemetry_post_hand_over(p, event, rest) != 0) {
        return ERR_FULL;
    }
    return telemetry_post_split(p, rest);
}

/* Closes other POSTs that begin with the same event: their sender has gone, whether or not we have noticed. */
COLD static void
end_same(struct telemetry_post *p, struct span event)
{
    struct telemetry_posts *all = p->all;
    uint64_t first = repeats_first(&all->repeats, event);

    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
        struct telemetry_post *other = &all->posts[i];

        if (other->reading && other != p && other->tally->items > 0 && other->tally->first == first)
            http_server_close(other->connection);
    }
}

/* Compares a piece of a body that may have come before. Returns as telemetry_post_split. */
COLD static int
compare(struct telemetry_post *p, struct span piece)
{
    struct telemetry_posts *all = p->all;
    struct span rest = piece;
    struct span event;
    int r;

    while ((r = splitter_next(&p->splitter, &rest, &event)) == 1 || r == SPLITTER_CUT ||
           (r == ERR_FULL && p->large < 0 && telemetry_post_take_large(p))) {
        bool first = p->tally->items == 0;
        enum repeats_is is;
        uint32_t counted;

        /* the carry is large now: the same event again */
        if (r == ERR_FULL)
            continue;
        if (r == SPLITTER_CUT)
            event.len = 0;
        if (first && event.len > 0)
            end_same(p, event);
        is = repeats_compare(&all->repeats, p->tally, event, &p->against, &counted);
        if (is == REPEATS_ALL) {
            all->ledger->repeated += counted;
            telemetry_post_free_kept(p);
            return telemetry_post_split(p, rest);
        }
        if (first) {
            if (is == REPEATS_NOT || event.len == 0 || !begin_keeping(p, event, is == REPEATS_MARK))
                return first_differs(p, event, rest);
            piece = rest;
        } else if (is == REPEATS_MARK && carried(p).len <= LISTENER_EVENT_MAX_BYTES / 2) {
            mark(p);
            piece = rest;
        } else if (is == REPEATS_NOT) {
            all->ledger->repeated += counted;
            return differs(p, piece);
        }
    }
    if (r == ERR_FULL)
        return undecided(p, p->kept < 0 ? rest : piece);
    if (p->kept < 0 || keep_piece(p, piece))
        return 0;
    return undecided(p, (struct span){NULL, 0});
}

int
telemetry_comparison_take(struct telemetry_post *p, struct span piece)
{
    return p->comparing ? compare(p, piece) : telemetry_post_split(p, piece);
}

/* Whether a POST is being read: the next one may be the same, which its sender has abandoned. */
static bool
any_is_read(const struct telemetry_posts *all)
{
    for (int i = 0; i < HTTP_SERVER_CONNECTIONS && all->server->open > 1; i++)
        if (all->posts[i].reading)
            return true;
    return false;
}

int
telemetry_comparison_end(struct telemetry_post *p)
{
    struct span none = {NULL, 0};
    int r = 0;

    splitter_end(&p->splitter);
    if (p->comparing)
        r = compare(p, none);
    /* the POST has ended before everything that was taken then came again */
    if (r == 0 && p->comparing)
        r = undecided(p, none);
    if (r != 0)
        return r;
    splitter_end(&p->splitter);
    return telemetry_post_split(p, none);
}

void
telemetry_comparison_begin(struct telemetry_posts *all, unsigned which)
{
    telemetry_post_begin(all, which, all->repeats.len > 0 || any_is_read(all));
}
