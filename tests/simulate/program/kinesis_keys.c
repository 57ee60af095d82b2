#include "kinesis.h"

#include "protocol/settings.h"

/* see kinesis.h: laws on records */

enum { SLOTS = 65536, TRIES = 16, SHARED_BY_CHANCE = 3 };

/* Keys that were seen, by their hash; of this life alone. */
static struct seen {
    uint64_t key, data;
    uint32_t sandbox, life;
} seen[SLOTS];

/* Records that were accepted, and of which the program knows that. */
static struct {
    uint64_t hash;
    uint32_t sandbox, life;
    uint32_t connection; /* by which it was told */
} settled[SLOTS];

/* Those of the last reply, on this connection. */
static struct {
    uint32_t connection, sandbox;
    uint64_t bytes;
    unsigned len;
    uint64_t hashes[KINESIS_RECORDS_MAX];
} told;

static uint32_t life;
static unsigned shared;

void
kinesis_keys_begin(void)
{
    life++;
    shared = 0;
    told.connection = UINT32_MAX;
}

static uint64_t
hash_of(struct span s)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.p[i]) * 0x100000001b3;
    return hash ^ hash >> 29;
}

/* Notes the key; returns where it was before, or NULL. */
static struct seen *
note(uint64_t key, uint64_t data)
{
    for (uint64_t i = key; i != key + TRIES; i++) {
        struct seen *s = &seen[i % SLOTS];

        if (s->life == life && s->key == key)
            return s;
        if (s->life != life) {
            *s = (struct seen){key, data, world.sandbox, life};
            return NULL;
        }
    }
    return NULL;
}

/*
 * A key that two runs of the program have both used for records of their own. By chance that happens to eight
 * hexadecimal digits once in many lives; to records from before a snapshot, which each copy sends with the key that they
 * have, always.
 */
static void
check_random(const struct kinesis_record *record)
{
    uint64_t data = hash_of(record->data);
    struct seen *before = note(hash_of(record->key), data);

    if (before == NULL || before->sandbox == world.sandbox || before->data == data)
        return;
    /* sent again it is no other one */
    before->data = data;
    before->sandbox = world.sandbox;
    if (++shared > SHARED_BY_CHANCE)
        world_break("kinesis: two sandboxes use the same partition keys: %.*s",
                    (int)record->key.len, record->key.p);
}

void
kinesis_check_key(const struct kinesis_record *record)
{
    struct span setting = services_setting("TELEMETRY_PARTITION_KEY");

    if (world.plan.key == KEY_FIXED && setting.len > 6 &&
        !span_is(record->key, (struct span){setting.p + 6, setting.len - 6}))
        world_break("kinesis: a partition key that is not the setting's: %.*s",
                    (int)record->key.len, record->key.p);
    if (world.plan.key == KEY_RANDOM || (world.plan.key == KEY_NONE && record->key.p != NULL))
        check_random(record);
}

/* --- what was accepted ---------------------------------------------------------------------------- */

/* An event that comes twice has another key the second time, if keys are drawn. */
static uint64_t
hash_of_record(const struct kinesis_record *r)
{
    return hash_of(r->data) * 31 + hash_of(r->key);
}

/* Where it is, or might be; SLOTS when there is no room. */
static unsigned
place_of(uint64_t hash)
{
    unsigned i = (unsigned)(hash % SLOTS);

    for (unsigned tries = 0; tries < TRIES; tries++, i = (i + 1) % SLOTS)
        if (settled[i].life != life ||
            (settled[i].hash == hash && settled[i].sandbox == world.sandbox))
            return i;
    return SLOTS;
}

void
kinesis_told(const struct front_connection *c, const struct kinesis_request *request)
{
    told.connection = front_number(c);
    told.sandbox = world.sandbox;
    told.bytes = told.len = 0;
    for (unsigned i = 0; i < request->len; i++) {
        const struct kinesis_record *r = &request->records[i];

        if (r->code != NULL)
            continue;
        told.bytes += r->data.len + r->key.len;
        if (world.plan.key == KEY_RANDOM)
            told.hashes[told.len++] = hash_of_record(r);
    }
}

static void
settle(const struct front_connection *c)
{
    bool read = told.connection == front_number(c) && told.sandbox == world.sandbox;

    told.connection = UINT32_MAX;
    if (!read)
        return;
    services_count(COUNT_BYTES_TOLD, told.bytes);
    for (unsigned i = 0; i < told.len; i++) {
        unsigned at = place_of(told.hashes[i]);

        if (at == SLOTS)
            continue;
        settled[at].hash = told.hashes[i];
        settled[at].sandbox = world.sandbox;
        settled[at].connection = front_number(c);
        settled[at].life = life;
    }
}

void
kinesis_heard(const struct front_connection *c, const struct kinesis_request *request)
{
    /* what a record that is too large is taken apart into has its key, and a line may be in it twice */
    bool alike = world.plan.lines_bytes > 0 && world.plan.per_mille[WORLD_RECORD_LARGE] > 0;

    settle(c);
    if (world.plan.key != KEY_RANDOM || alike)
        return;
    for (unsigned i = 0; i < request->len; i++) {
        unsigned at = place_of(hash_of_record(&request->records[i]));

        /* what comes late on an older connection was sent before, and given up */
        if (at < SLOTS && settled[at].life == life && settled[at].connection <= front_number(c))
            world_break(
                "kinesis: a record is sent again, although the program knows that it was "
                "accepted: %.*s",
                (int)(request->records[i].data.len < 100 ? request->records[i].data.len : 100),
                request->records[i].data.p);
    }
}
