#include <stdio.h>
#include <stdlib.h>

#include "front.h"

/* see services.h */

enum {
    REPLY_MAX = 262144,
    IDLE_MOST_MS = 350000, /* Source: idle time-outs of AWS's load balancers and NAT gateways */
};

/* --- replies -------------------------------------------------------------------------------------- */

static void
idle_ends(void *context)
{
    struct front_connection *c = context;

    if (dice_below(&world.service, 4) == 0) {
        front_say(c, "dies without a word");
        c->silent = true;
        return;
    }
    /* AWS may close without close_notify */
    if (c->tls != NULL && dice_below(&world.service, 2) == 0)
        front_send(c, (struct span){"", 0}, true);
    front_end(c, false);
}

static void
reads_again(void *context)
{
    struct front_connection *c = context;

    peer_hold(c->peer, false);
}

void
front_hold(struct front_connection *c)
{
    peer_hold(c->peer, true);
    kernel_at(kernel_us() + 1000ull * dice_magnitude(&world.service, 1, 8000), reads_again, c);
}

static void
wait_for_more(struct front_connection *c)
{
    uint32_t ms = IDLE_MOST_MS;

    if (c->front->remote && world_fault(&world.service, WORLD_IDLE_CLOSE))
        ms = dice_magnitude(&world.service, 0, 20000);
    kernel_at(kernel_us() + ms * 1000ull, idle_ends, c);
    if (c->front->remote && dice_below(&world.service, 4) == 0 &&
        world_fault(&world.service, WORLD_REPLY_SLOW))
        front_hold(c);
}

static void
reply_ends(struct front_connection *c)
{
    void (*delivered)(void *context) = c->delivered;
    void *context = c->context;

    free(c->out);
    c->out = NULL;
    c->due = false;
    if (c->closes)
        front_end(c, false);
    else
        wait_for_more(c);
    if (delivered != NULL)
        delivered(context);
}

/* Sends a piece of the reply. */
static void
deliver(void *context)
{
    struct front_connection *c = context;
    size_t left = c->out_len - c->out_sent;
    size_t n = c->pieces <= 1 ? left : left / c->pieces;
    struct span piece = {c->out + c->out_sent, n};

    c->out_sent += n;
    front_send(c, piece, c->closes && n == left);
    if (c->raw_left == 0) {
        front_say(c, "breaks");
        if (dice_below(&world.service, 4) == 0)
            c->silent = true;
        else
            front_end(c, c->reset);
        return;
    }
    if (c->pieces > 1) {
        c->pieces--;
        kernel_at(kernel_us() + c->wait_us, deliver, c);
        return;
    }
    reply_ends(c);
}

/* The reply that was asked for, as HTTP. */
static void
write_reply(struct front_connection *c, const struct front_reply *reply)
{
    static char whole[2 * REPLY_MAX + 4096];
    struct dice *dice = &world.service;
    enum http_framing framing = dice_below(dice, 6) == 0 ? HTTP_CHUNKED : HTTP_LENGTH;
    char fields[512], date[40];
    size_t before = 0;
    struct text t = {fields, 0, sizeof fields};

    moment_text(front_ms(c->front), MOMENT_HTTP, date);
    text_put(&t, "x-amzn-RequestId: %08x\r\nDate: %s\r\n", dice_below(dice, UINT32_MAX), date);
    if (reply->type != NULL)
        text_put(&t, "Content-Type: %s\r\n", reply->type);
    if (reply->fields != NULL)
        text_put(&t, "%s", reply->fields);
    if (c->closes && dice_below(dice, 2) == 0)
        text_put(&t, "Connection: close\r\n");
    if (c->closes && reply->body.len > 0 && dice_below(dice, 4) == 0)
        framing = HTTP_UNTIL_CLOSE;
    /* an interim reply may come at any time: RFC 9110, 15.2 */
    if (c->front->remote && dice_below(dice, 40) == 0)
        before = (size_t)sprintf(whole, "HTTP/1.1 100 Continue\r\n\r\n");
    c->out_len = before + http_response(whole + before, sizeof whole - before, reply->status,
                                        fields, reply->body, framing, dice);
    c->out = malloc(c->out_len);
    if (c->out == NULL)
        world_break("%s: no memory", c->front->name);
    memcpy(c->out, whole, c->out_len);
}

/* What else is drawn of a reply: when it comes, whether whole. Returns after how many microseconds. */
static uint32_t
draw_way(struct front_connection *c)
{
    struct dice *dice = &world.service;
    uint32_t us = dice_magnitude(dice, 100, 20000);

    c->out_sent = 0;
    c->pieces = 1;
    if (!c->front->remote)
        return us;
    if (world_fault(dice, WORLD_REPLY_BREAKS)) {
        c->raw_left = dice_below(dice, (uint32_t)c->out_len);
        c->reset = dice_below(dice, 2) == 0;
    }
    if (world_fault(dice, WORLD_REPLY_SLOW)) {
        us = 1000 * dice_magnitude(dice, 20, 12000);
        if (dice_below(dice, 2) == 0) {
            c->pieces = dice_between(dice, 2, 20);
            c->wait_us = 1000 * dice_magnitude(dice, 1, 2000);
        }
    }
    return us;
}

void
front_cancel(struct front_connection *c)
{
    kernel_cancel(deliver, c);
    kernel_cancel(idle_ends, c);
}

void
front_forget(struct front_connection *c)
{
    front_cancel(c);
    kernel_cancel(reads_again, c);
}

void
front_early(struct front_connection *c)
{
    front_say(c, "answers before the request is whole");
    c->due = true;
    c->reader.broken = true;
    front_reply(c, &(struct front_reply){.status = 503,
                                         .type = "text/html",
                                         .closes = true,
                                         .body = text_span("<html>No, not now.</html>")});
}

void
front_drop(struct front_connection *c, bool reset)
{
    if (reset) {
        front_end(c, dice_below(&world.service, 4) > 0);
        return;
    }
    front_say(c, "falls silent");
    c->silent = true;
}

void
front_reply(struct front_connection *c, const struct front_reply *reply)
{
    uint32_t us;

    if (c->front->remote && world_fault(&world.service, WORLD_REPLY_LOST)) {
        front_drop(c, dice_below(&world.service, 3) == 0);
        return;
    }
    c->closes = reply->closes || dice_chance(&world.service, c->front->remote ? 20 : 500);
    write_reply(c, reply);
    us = draw_way(c) + reply->late_ms * 1000;
    c->delivered = reply->delivered;
    c->context = reply->context;
    world_say(c->front->name, "connection %u: %u, %zu bytes, after %u us",
              (unsigned)(c - front_connections), reply->status, reply->body.len, us);
    kernel_at(kernel_us() + us, deliver, c);
}

/* --- outages -------------------------------------------------------------------------------------- */

bool
front_outage_now(const struct front *front)
{
    return kernel_us() < front->outage.until_us;
}

bool
front_outage(struct front *front)
{
    struct outage *o = &front->outage;

    if (front_outage_now(front))
        return true;
    if (!front->remote || !world_fault(&world.service, WORLD_OUTAGE))
        return false;
    *o = (struct outage){
        .how = (int)dice_below(&world.service, OUTAGES),
        .begun_us = kernel_us(),
        .sandbox = world.sandbox,
    };
    o->until_us = o->begun_us + 1000ull * dice_magnitude(&world.service, 50, 120000);
    world_say(front->name, "outage: %d, for %llu ms", o->how,
              (unsigned long long)(o->until_us - o->begun_us) / 1000);
    return true;
}

/*
 * A call or a connection that fails in an outage. src/README.md promises a breaker: after AWS_MAX_ATTEMPTS failed calls
 * single probes, 0.5 s to 30 s apart, but for SHUTDOWN, at which it tries until the end. Each may be made twice, when
 * a connection was dead or CBOR may be what is not understood.
 */
void
front_failed(struct front *front)
{
    enum { SHUTDOWN_CALLS = 120 };
    struct outage *o = &front->outage;
    uint64_t seconds;

    if (o->sandbox != world.sandbox) {
        o->sandbox = world.sandbox;
        o->calls = 0;
        o->begun_us = kernel_us();
    }
    seconds = (kernel_us() - o->begun_us) / 1000000;
    if (++o->calls > 4 * world.plan.max_attempts + SHUTDOWN_CALLS + seconds)
        world_break("%s: %u calls in an outage of %llu s", front->name, o->calls,
                    (unsigned long long)seconds);
}
