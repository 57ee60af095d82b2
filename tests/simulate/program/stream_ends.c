#include <errno.h>
#include <string.h>

#include "streams.h"

/*
 * The program's ends of connections, which behave as those of Linux do: tcp(7), and the source of its tcp_poll for what is
 * ready after a reset. see kernel_parts.h
 */

enum { SEGMENT_BYTES = 1460, CORK_US = 200000 };

uint32_t
stream_look(const struct peer *s)
{
    uint32_t events = s->error != 0 ? SYSTEM_ERROR : 0;

    if (s->state == STREAM_CONNECTING)
        return events;
    if (s->state == STREAM_DEAD)
        return events | SYSTEM_IN | SYSTEM_OUT | SYSTEM_HANGUP | SYSTEM_FINISHED;
    if (s->arrived > 0)
        events |= SYSTEM_IN;
    if (s->finish_arrived)
        events |= SYSTEM_IN | SYSTEM_FINISHED | (s->finished ? SYSTEM_HANGUP : 0);
    /* Linux reports room when a third of it is free */
    if (s->finished || s->out.len * 3 <= s->out_cap * 2)
        events |= SYSTEM_OUT;
    return events;
}

/* The error that the connection has met is reported once. */
static int
take_error(struct peer *s, int otherwise)
{
    process.error = s->error != 0 ? s->error : otherwise;
    s->error = 0;
    return process.error;
}

/* A call that fails by itself: the connection does, too, if the error is of that kind. */
static bool
fails(struct peer *s, enum call call, int *result)
{
    if (s->state == STREAM_CONNECTING || !sweep_fails(call, result))
        return false;
    if (process.error == ECONNRESET || process.error == EPIPE || process.error == ETIMEDOUT ||
        process.error == EHOSTUNREACH)
        stream_break(s);
    return true;
}

int64_t
stream_read(struct peer *s, char *buffer, size_t cap)
{
    size_t n = s->arrived < cap ? s->arrived : cap;
    int result;

    if (fails(s, CALL_READ, &result))
        return result;
    if (n > 0) {
        if (n > 1 && dice_chance(&kernel.dice, kernel.faults.short_read))
            n = dice_between(&kernel.dice, 1, (uint32_t)n);
        memcpy(buffer, bytes_take(&s->in, n).p, n);
        s->arrived -= n;
        stream_to_program(s);
        return (int64_t)n;
    }
    if (cap == 0 || s->finish_arrived)
        return 0;
    if (s->error != 0) {
        (void)take_error(s, 0);
        return ERR_IO;
    }
    return s->state == STREAM_DEAD ? 0 : file_error(EAGAIN, ERR_MORE);
}

/* What is not held back for more: whole segments of it are not either. */
static void
release(struct peer *s, bool more)
{
    size_t held = s->out.len - s->released;

    s->released += more ? held - held % SEGMENT_BYTES : held;
    stream_to_world(s);
}

static void
uncork_late(void *context)
{
    struct peer *s = context;

    s->uncork_due = false;
    release(s, false);
    stream_happened(s);
}

int64_t
stream_send(struct peer *s, struct span bytes, bool more)
{
    size_t room = s->out_cap > s->out.len ? s->out_cap - s->out.len : 0;
    size_t n = bytes.len < room ? bytes.len : room;
    int result;

    if (fails(s, CALL_SEND, &result))
        return result;
    if (s->error != 0 || s->state == STREAM_DEAD || s->finished) {
        int error = take_error(s, EPIPE);

        return error == EPIPE || error == ECONNRESET ? ERR_BAD : ERR_IO;
    }
    if (s->state == STREAM_CONNECTING || (n == 0 && bytes.len > 0))
        return file_error(EAGAIN, ERR_MORE);
    if (n > 1 && dice_chance(&kernel.dice, kernel.faults.short_write))
        n = dice_between(&kernel.dice, 1, (uint32_t)n);
    bytes_add(&s->out, (struct span){bytes.p, n});
    release(s, more && n == bytes.len);
    if (s->released < s->out.len && !s->uncork_due) {
        s->uncork_due = true;
        stream_announce(s, uncork_late, CORK_US);
    }
    return (int64_t)n;
}

void
stream_uncork(struct peer *s)
{
    release(s, false);
}

void
stream_finish(struct peer *s)
{
    if (s->state != STREAM_CONNECTED)
        return;
    s->finished = true;
    release(s, false);
}

/* What the program has sent last may be lost when it closes without having read all that came. */
static void
cut(struct peer *s)
{
    s->released = s->out.len;
    if (s->arrived > 0 && s->out.len > 0)
        s->released = s->out.len = dice_below(&kernel.dice, (uint32_t)s->out.len + 1);
}

void
stream_close(struct peer *s)
{
    /* within one machine all that was sent, and the end, is there at once */
    if (s->near) {
        stream_end(s);
        return;
    }
    s->held = false;
    s->closed = true;
    if (s->state == STREAM_CONNECTING)
        s->state = STREAM_DEAD;
    cut(s);
    stream_to_world(s);
    stream_settle(s);
}

void
stream_break(struct peer *s)
{
    s->state = STREAM_DEAD;
    s->error = 0;
    s->closed = true;
    bytes_clear(&s->out);
    s->released = 0;
    if (s->near)
        stream_gone(s);
    else
        stream_to_world(s);
}

void
stream_end(struct peer *s)
{
    s->held = false;
    s->closed = true;
    cut(s);
    while (s->world_open && s->released > 0 && !s->world_holds)
        stream_deliver(s);
    stream_gone(s);
    bytes_clear(&s->in);
    bytes_clear(&s->out);
    s->arrived = s->released = 0;
    stream_settle(s);
}

/* --- snapshots --------------------------------------------------------------------------------- */

/* The same, with bytes of its own. */
static void
copy(struct peer *to, const struct peer *from)
{
    struct bytes in = to->in, out = to->out;

    *to = *from;
    to->in = in;
    to->out = out;
    bytes_clear(&to->in);
    bytes_clear(&to->out);
    if (from->in.len > 0)
        bytes_add(&to->in, (struct span){from->in.p + from->in.start, from->in.len});
    if (from->out.len > 0)
        bytes_add(&to->out, (struct span){from->out.p + from->out.start, from->out.len});
}

struct peer *
stream_keep(struct peer *s)
{
    struct peer *kept = stream_new(s->near);

    if (s->near)
        stream_cancel(s);
    copy(kept, s);
    kept->saved = s;
    if (s->near) {
        s->saved = kept;
    } else {
        kept->world_open = false;
        kept->announced = 0;
        kept->in.len = kept->arrived;
        kept->in_due = kept->out_due = kept->reset_due = kept->uncork_due = false;
    }
    return kept;
}

/* What has become of a connection with another machine. */
static void
draw_fate(struct peer *s)
{
    switch (dice_below(&kernel.dice, 3)) {
    case 0:
        stream_reset(s);
        break;
    case 1:
        s->silent = true;
        break;
    default:
        break; /* nobody knows it any more: a reset once the program sends */
    }
}

struct peer *
stream_restore(struct peer *kept)
{
    struct peer *s = kept->near ? kept->saved : stream_new(false);

    if (kept->near)
        stream_cancel(s);
    copy(s, kept);
    s->saved = kept->near ? kept : NULL;
    if (!kept->near)
        draw_fate(s);
    stream_to_program(s);
    stream_to_world(s);
    if (s->released < s->out.len)
        release(s, false);
    return s;
}
