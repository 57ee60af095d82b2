#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "streams.h"

/*
 * Connections: what happens on the way between the program and the world, and the world's ends. The program's ends
 * behave as those of Linux do: tcp(7), and the source of its tcp_poll for what is ready after a reset. see kernel_parts.h
 */

enum { BUFFER_BYTES = 262144 };

/* All that were ever made. Those that are free come in the order of their numbers when a life begins. */
static struct peer **all;
static size_t all_len, all_cap;
static struct peer *unused;

/* --- bytes ------------------------------------------------------------------------------------- */

void
bytes_add(struct bytes *b, struct span more)
{
    if (b->start > 0 && b->start + b->len + more.len > b->cap) {
        memmove(b->p, b->p + b->start, b->len);
        b->start = 0;
    }
    if (b->len + more.len > b->cap) {
        b->cap = 2 * (b->len + more.len);
        b->p = realloc(b->p, b->cap);
        if (b->p == NULL)
            abort();
    }
    if (more.len > 0)
        memcpy(b->p + b->start + b->len, more.p, more.len);
    b->len += more.len;
}

/* They stay where they are until more is added. */
struct span
bytes_take(struct bytes *b, size_t len)
{
    struct span taken = {b->p + b->start, len};

    b->len -= len;
    b->start = b->len == 0 ? 0 : b->start + len;
    return taken;
}

void
bytes_clear(struct bytes *b)
{
    b->start = b->len = 0;
}

/* --- connections ------------------------------------------------------------------------------- */

void
streams_begin(void)
{
    services_begin_anew();
    unused = NULL;
    for (size_t i = all_len; i > 0; i--) {
        all[i - 1]->used = false;
        all[i - 1]->next = unused;
        unused = all[i - 1];
    }
}

static void
add_one(void)
{
    if (all_len == all_cap) {
        all_cap = all_cap == 0 ? 64 : all_cap * 2;
        all = realloc(all, all_cap * sizeof(struct peer *));
        if (all == NULL)
            abort();
    }
    unused = all[all_len++] = calloc(1, sizeof *unused);
    if (unused == NULL)
        abort();
}

static size_t
draw_buffer(void)
{
    uint32_t least = kernel.faults.buffer_bytes;

    return least == 0 || least >= BUFFER_BYTES ? BUFFER_BYTES
                                               : dice_magnitude(&kernel.dice, least, BUFFER_BYTES);
}

/* Sets it anew, but for the room that its bytes have. */
static void
clear(struct peer *s)
{
    struct bytes in = s->in, out = s->out;

    memset(s, 0, sizeof *s);
    s->in = in;
    s->out = out;
    bytes_clear(&s->in);
    bytes_clear(&s->out);
}

struct peer *
stream_new(bool near)
{
    struct peer *s;

    if (unused == NULL)
        add_one();
    s = unused;
    unused = s->next;
    clear(s);
    s->used = true;
    s->near = near;
    s->in_cap = draw_buffer();
    s->out_cap = draw_buffer();
    /* within a machine it takes no longer than two processes need to take turns */
    s->latency_us = dice_below(&kernel.dice, kernel.faults.latency_us + 1);
    if (near && s->latency_us > 500)
        s->latency_us = 500;
    return s;
}

/* When nobody has to do with it any more it may become another one. */
void
stream_settle(struct peer *s)
{
    if (s->held || s->world_open || s->announced > 0 || s->saved != NULL || !s->used)
        return;
    s->used = false;
    s->next = unused;
    unused = s;
}

uint64_t
stream_delay(const struct peer *s)
{
    return 5 + s->latency_us / 2 + dice_below(&kernel.dice, s->latency_us / 2 + 1);
}

void
stream_announce(struct peer *s, void (*happens)(void *context), uint64_t us)
{
    s->announced++;
    kernel_at(kernel.us + us, happens, s);
}

void
stream_happened(struct peer *s)
{
    s->announced--;
    stream_settle(s);
}

void
stream_gone(struct peer *s)
{
    if (!s->world_open)
        return;
    s->world_open = false;
    if (s->heard->gone != NULL)
        s->heard->gone(s->context);
}

/* --- to the program ---------------------------------------------------------------------------- */

static void arrive(void *context);

/* Something is to arrive, if there is anything that can. */
void
stream_to_program(struct peer *s)
{
    bool bytes = s->arrived < s->in.len && s->arrived < s->in_cap;
    bool finish = s->arrived == s->in.len && s->world_finished && !s->finish_arrived;

    if (s->in_due || s->silent || s->reset_due || !s->held || s->state != STREAM_CONNECTED ||
        !(bytes || finish))
        return;
    s->in_due = true;
    stream_announce(s, arrive, stream_delay(s));
}

/* Perhaps not all at once. */
static size_t
piece(size_t len)
{
    if (len > 1 && dice_chance(&kernel.dice, 250))
        return dice_between(&kernel.dice, 1, (uint32_t)len);
    return len;
}

static void
arrive(void *context)
{
    struct peer *s = context;
    size_t left = s->in.len - s->arrived;
    size_t room = s->in_cap > s->arrived ? s->in_cap - s->arrived : 0;

    s->in_due = false;
    if (s->held && s->state == STREAM_CONNECTED && !s->reset_due) {
        size_t n = piece(left < room ? left : room);

        s->arrived += n;
        s->finish_arrived = s->arrived == s->in.len && s->world_finished &&
                            (n == 0 || dice_below(&kernel.dice, 2) > 0);
        stream_to_program(s);
    }
    stream_happened(s);
}

static void
reset_arrives(void *context)
{
    struct peer *s = context;

    if (s->held && s->state != STREAM_DEAD) {
        s->error = s->finish_arrived ? EPIPE : ECONNRESET;
        if (s->state == STREAM_CONNECTING)
            s->error = ECONNREFUSED;
        s->state = STREAM_DEAD;
        bytes_clear(&s->out);
        s->released = 0;
    }
    stream_happened(s);
}

/* What is on its way to the program is lost. */
void
stream_reset(struct peer *s)
{
    if (s->reset_due || s->silent || !s->held || s->state == STREAM_DEAD)
        return;
    s->reset_due = true;
    s->in.len = s->arrived;
    stream_announce(s, reset_arrives, stream_delay(s));
}

/* --- from the program -------------------------------------------------------------------------- */

static void depart(void *context);

void
stream_to_world(struct peer *s)
{
    bool end = s->out.len == 0 && s->world_open && (s->closed || (s->finished && !s->finish_told));

    if (s->out_due || s->silent || s->state == STREAM_CONNECTING ||
        (s->world_holds && s->world_open && !s->closed) || !(end || s->released > 0))
        return;
    s->out_due = true;
    stream_announce(s, depart, stream_delay(s));
}

/* It has come to somebody who has closed. */
static void
bounce(struct peer *s)
{
    bool any = s->released > 0;

    bytes_clear(&s->out);
    s->released = 0;
    if (any && s->state == STREAM_CONNECTED)
        stream_reset(s);
}

void
stream_deliver(struct peer *s)
{
    size_t n = piece(s->released);

    if (n > 0) {
        struct span bytes = bytes_take(&s->out, n);

        s->released -= n;
        if (s->heard->came != NULL)
            s->heard->came(s->context, bytes);
    }
    if (!s->world_open || s->out.len > 0)
        return;
    if (s->closed) {
        stream_gone(s);
    } else if (s->finished && !s->finish_told) {
        s->finish_told = true;
        if (s->heard->finished != NULL)
            s->heard->finished(s->context);
    }
}

static void
depart(void *context)
{
    struct peer *s = context;

    s->out_due = false;
    if (s->world_holds && s->closed) {
        bytes_clear(&s->out);
        s->released = 0;
    }
    if (!s->world_open)
        bounce(s);
    else if (!s->world_holds || s->closed)
        stream_deliver(s);
    stream_to_world(s);
    stream_happened(s);
}

/* --- ends --------------------------------------------------------------------------------------- */

/* What will not be awaited any more. */
void
stream_cancel(struct peer *s)
{
    kernel_forget(s);
    s->announced = 0;
    s->in_due = s->out_due = s->reset_due = s->uncork_due = false;
}

void
streams_end(void)
{
    for (size_t i = 0; i < all_len; i++) {
        struct peer *s = all[i];

        if (!s->used || !s->world_open || s->held || s->saved != NULL)
            continue;
        stream_cancel(s);
        stream_end(s);
    }
}
