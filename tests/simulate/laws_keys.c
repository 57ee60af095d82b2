#include "laws.h"

/*
 * Keys of records, which a stream may want or not. With TELEMETRY_PARTITION_KEY=none they stay behind until a call is
 * refused for what is in it, and none was accepted without them before; then they go along for good. Nobody is blamed
 * for such a refusal, and what is refused goes at once.
 */

static uint32_t
hash_of(struct span s)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.p[i]) * 16777619u;
    return hash > 0 ? hash : 1;
}

/* A record has one key for good, with or without its being sent; so have those that are made of it. */
void
laws_key(struct life *w, struct known known, struct span key)
{
    uint32_t hash = hash_of(key);

    EACH_EVENT(w, known, i)
    {
        struct logged *e = &w->events[i];

        if (e->key != 0 && e->key != hash)
            laws_break(w, "keys: the record of event %d has another than before", i);
        e->key = hash;
    }
}

void
laws_keys_sent(struct life *w, const struct delivery_order *order)
{
    struct laws *l = &w->laws;

    if (order->keyless != (l->keys != KEYS_SENT))
        laws_break(w, "keys: a call %s them", order->keyless ? "without" : "with");
    w->client.call.doubted = l->keys == KEYS_DOUBTED;
    l->keyed = false;
}

bool
laws_blames(const struct life *w, enum retry_class class)
{
    return !w->client.call.doubted || (class != RETRY_RECORD && class != RETRY_REQUEST);
}

void
laws_keys_replied(struct life *w)
{
    const struct client_call *c = &w->client.call;
    struct laws *l = &w->laws;
    bool refused = false, accepted = false;

    if (!c->doubted || c->reply.result != 0 || c->reply.status == 0)
        return;
    for (uint32_t i = 0; c->reply.records && i < c->len; i++) {
        accepted = accepted || c->codes[i] == 0;
        refused = refused || !laws_blames(w, retry_class(service_code(c, i), 400));
    }
    if (!c->reply.records)
        refused = !laws_blames(w, c->reply.class);
    l->keyed = refused && !accepted;
    if (accepted || l->keyed)
        l->keys = accepted ? KEYS_NEEDLESS : KEYS_SENT;
    if (l->keyed)
        life_say(w, "keys go along from now on");
}
