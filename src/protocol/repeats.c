#include "protocol/repeats.h"

/* see repeats.h */

/* Source: the multiply-and-fold step of wyhash and its kin. */
static uint64_t
fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
step(uint64_t key, uint64_t hash, const char *p)
{
    return fold(span_word(p) ^ key, span_word(p + 8) ^ hash);
}

static uint64_t
hash_of(uint64_t key, uint64_t hash, struct span text)
{
    char last[16] = {0};
    const char *p = text.p;
    size_t left = text.len;

    hash ^= fold(key, (uint64_t)text.len ^ 0x9e3779b97f4a7c15);
    if (left > 48) {
        /* three chains side by side, since each multiplication waits for the previous one of its chain */
        uint64_t b = ~hash, c = hash + key;

        for (; left > 48; p += 48, left -= 48) {
            hash = step(key, hash, p);
            b = step(key, b, p + 16);
            c = step(key, c, p + 32);
        }
        hash = fold(hash ^ c, b);
    }
    for (; left > 16; p += 16, left -= 16)
        hash = step(key, hash, p);
    if (text.len >= 16)
        p = text.p + text.len - 16;
    else
        p = memcpy(last, left > 0 ? p : last, left);
    return step(key, hash, p);
}

COLD uint64_t
repeats_first(const struct repeats *r, struct span item)
{
    return hash_of(r->seed, 0, item);
}

void
repeats_add(const struct repeats *r, struct tally *t, struct span item, bool counted)
{
    t->hash = hash_of(r->seed, t->hash, item);
    if (t->items == 0)
        t->first = t->hash;
    t->items++;
    t->counted += counted;
    t->bytes += item.len;
    if (t->bytes >= (t->marks + 1) * (uint64_t)REPEATS_MARK_BYTES && t->marks < REPEATS_MARKS) {
        t->mark[t->marks].hash = t->hash;
        t->mark[t->marks].counted = t->counted;
        t->marks++;
    }
}

COLD static void
forget(struct repeats *r, uint32_t at)
{
    r->len--;
    memmove(&r->kept[at], &r->kept[at + 1], (r->len - at) * sizeof r->kept[0]);
}

/* How many of its events may be in the stream twice. */
COLD static uint32_t
possible_of(const struct repeats *r, uint32_t at)
{
    return r->kept[at].tally.counted - r->kept[at].passed;
}

COLD uint32_t
repeats_keep(struct repeats *r, const struct tally *t)
{
    uint32_t possible = 0;

    if (t->items == 0)
        return 0;
    if (r->len == REPEATS_MAX) {
        possible = possible_of(r, 0);
        forget(r, 0);
    }
    r->kept[r->len].id = ++r->ids;
    r->kept[r->len].passed = 0;
    r->kept[r->len++].tally = *t;
    return possible;
}

COLD uint64_t
repeats_end(struct repeats *r)
{
    uint64_t possible = 0;

    for (uint32_t i = 0; i < r->len; i++)
        possible += possible_of(r, i);
    r->len = 0;
    return possible;
}

/* The POST with this id, or without an id the latest with the same first event. r->len: there is none. */
COLD static uint32_t
find(const struct repeats *r, const struct tally *t, uint32_t id)
{
    uint32_t at = r->len;

    while (at > 0) {
        at--;
        if (id != 0 ? r->kept[at].id == id : r->kept[at].tally.first == t->first)
            return at;
    }
    return r->len;
}

COLD uint32_t
repeats_stop(struct repeats *r, const struct tally *t, uint32_t id)
{
    uint32_t at = find(r, t, id);
    uint32_t counted = 0;

    if (id == 0 || at == r->len || t->marks == 0)
        return 0;
    for (uint32_t i = 0; i < t->marks && i < r->kept[at].tally.marks; i++)
        if (t->mark[i].hash == r->kept[at].tally.mark[i].hash)
            counted = r->kept[at].tally.mark[i].counted;
    /* another POST with the same beginning may have got further, or as far */
    if (counted > r->kept[at].passed)
        r->kept[at].passed = counted;
    return counted;
}

COLD enum repeats_is
repeats_compare(struct repeats *r, struct tally *t, struct span item, uint32_t *id,
                uint32_t *counted)
{
    uint32_t marks = t->marks;
    const struct tally *kept;
    uint32_t at;

    repeats_add(r, t, item, false);
    at = find(r, t, *id);
    if (at == r->len) {
        *counted = 0;
        return REPEATS_NOT;
    }
    kept = &r->kept[at].tally;
    *id = r->kept[at].id;
    if (t->items == kept->items && t->hash == kept->hash) {
        *t = *kept;
        *counted = t->counted;
        forget(r, at);
        return REPEATS_ALL;
    }
    if (t->items < kept->items && t->marks == marks)
        return REPEATS_MAYBE;
    if (t->items < kept->items && t->hash == kept->mark[marks].hash) {
        t->counted = t->mark[marks].counted = kept->mark[marks].counted;
        *counted = t->counted;
        return REPEATS_MARK;
    }
    *counted = repeats_stop(r, t, *id);
    return REPEATS_NOT;
}
