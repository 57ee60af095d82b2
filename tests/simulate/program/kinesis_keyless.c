#include "front.h"
#include "kinesis.h"

#include "protocol/settings.h"

/* see kinesis.h: laws on records without keys */

/* A refusal in CBOR, and one in JSON. */
enum { REFUSED_MOST = 2 };

/* What a run of the program, or a copy of it, can know of the stream. */
static struct run {
    uint32_t sandbox;
    uint32_t after;      /* connections up to this one are given up: what comes on them is late */
    bool refused;        /* a call without keys was, for whatever is in it */
    bool needless;       /* it has read that a record without one was accepted */
    bool keyed;          /* keys go along */
    uint32_t connection; /* since this one */
    unsigned refusals;   /* for want of keys, one after the other, which it has read */
    uint32_t refused_on; /* connections with the reply that refuses so, and the one that accepts */
    uint32_t accepted_on;
} run;

void
kinesis_keyless_begin(void)
{
    run = (struct run){.sandbox = UINT32_MAX};
}

void
kinesis_asleep(void)
{
    run = (struct run){.sandbox = run.sandbox};
    for (unsigned i = 0; i < FRONT_CONNECTIONS; i++)
        if (front_connections[i].used && front_connections[i].number > run.after)
            run.after = front_connections[i].number;
}

/* What the last reply said has been read: on the same connection there is another request. */
static void
read_reply(const struct front_connection *c)
{
    uint32_t number = front_number(c);

    /* a failure of another kind between them, and CBOR is tried again before JSON */
    run.refusals = run.refused_on == number ? run.refusals + 1 : 0;
    run.needless = run.needless || (run.accepted_on == number && !run.keyed);
    run.refused_on = run.accepted_on = 0;
}

static void
check(const struct front_connection *c, bool keyless)
{
    uint32_t number = front_number(c);

    if (keyless && run.keyed && number >= run.connection)
        world_break("keyless: again, after records had keys");
    if (keyless && run.refusals >= REFUSED_MOST)
        world_break("keyless: after %u refusals for that", run.refusals);
    if (!keyless && !run.refused)
        world_break("keyless: records have keys, and none was refused without");
    if (!keyless && run.needless)
        world_break("keyless: records have keys, although they are accepted without");
    if (keyless || run.keyed)
        return;
    run.keyed = true;
    run.connection = number;
}

void
kinesis_keyless_heard(const struct front_connection *c, const struct kinesis_request *request)
{
    bool keyless = kinesis_keyless(request);

    for (unsigned i = 0; i < request->len; i++)
        if ((request->records[i].key.p == NULL) != keyless)
            world_break("keyless: some records of a call, and others not");
    if (keyless && world.plan.key != KEY_NONE)
        world_break("keyless: records, and the setting wants keys");
    if (world.plan.key != KEY_NONE)
        return;
    if (front_sandbox(c) != run.sandbox)
        run = (struct run){.sandbox = front_sandbox(c)};
    if (front_number(c) <= run.after)
        return;
    read_reply(c);
    check(c, keyless);
}

void
kinesis_keyless_refused(const struct front_connection *c, bool for_keys)
{
    run.refused = true;
    if (for_keys)
        run.refused_on = front_number(c);
}

void
kinesis_keyless_told(const struct front_connection *c, const struct kinesis_request *request)
{
    if (!kinesis_keyless(request))
        return;
    for (unsigned i = 0; i < request->len; i++) {
        if (request->records[i].code == NULL)
            run.accepted_on = front_number(c);
        /* a code in chunks is one that nobody knows, and may be about keys */
        else if (request->cbor && strlen(request->records[i].code) >= KINESIS_CHUNKS_FROM)
            run.refused = true;
    }
}
