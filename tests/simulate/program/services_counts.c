#include "services.h"

/* see services.h: what the ledger says of calls, against what was seen of them; source: src/README.md, "The ledger" */

static struct {
    uint32_t sandbox;
    uint64_t counts[SERVICES_COUNTS];
} seen;

static void
begin_anew(void)
{
    uint64_t taken = seen.counts[COUNT_BYTES_TAKEN];

    memset(&seen, 0, sizeof seen);
    seen.sandbox = world.sandbox;
    /* what a copy reads may have been sent before the snapshot */
    if (world.plan.snap_start && world.sandbox > 0)
        seen.counts[COUNT_BYTES_TAKEN] = taken;
}

void
services_counts_begin(void)
{
    begin_anew();
}

void
services_count(enum services_count which, uint64_t n)
{
    if (seen.sandbox != world.sandbox)
        begin_anew();
    seen.counts[which] += n;
}

static uint64_t
member(struct span line, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i + len < line.len; i++)
        if (memcmp(line.p + i, name, len) == 0) {
            uint64_t n = 0;

            for (i += len; i < line.len && line.p[i] >= '0' && line.p[i] <= '9'; i++)
                n = n * 10 + (uint64_t)(line.p[i] - '0');
            return n;
        }
    world_break("ledger: no %s", name);
}

static void
check_least(struct span line, const char *name, enum services_count which)
{
    /* what was on its way when the ledger of init was printed is in that one's counts */
    uint64_t late = world.plan.fetches_credentials && which != COUNT_BYTES_TOLD ? 1 : 0;

    if (member(line, name) + late < seen.counts[which])
        world_break("ledger: %s%llu, but there were %llu", name,
                    (unsigned long long)member(line, name), (unsigned long long)seen.counts[which]);
}

void
services_ledger(struct span line)
{
    /* the ledger of init, with which the counts begin anew, may have been lost */
    if (world.plan.fetches_credentials && world.plan.kernel.pipe_full > 0)
        return;
    services_count(COUNT_REQUESTS, 0);
    /* the ledger of init, after which it counts anew, may have found no room */
    if (world.plan.snap_start && world.plan.kernel.pipe_full > 0) {
        begin_anew();
        return;
    }
    check_least(line, "\"requests\":", COUNT_REQUESTS);
    check_least(line, "\"connections\":", COUNT_CONNECTIONS);
    check_least(line, "\"handshakes\":", COUNT_HANDSHAKES);
    check_least(line, "},\"bytes\":", COUNT_BYTES_TOLD);
    if (member(line, "},\"bytes\":") > seen.counts[COUNT_BYTES_TAKEN])
        world_break("ledger: bytes are %llu, but %llu were taken",
                    (unsigned long long)member(line, "},\"bytes\":"),
                    (unsigned long long)seen.counts[COUNT_BYTES_TAKEN]);
    begin_anew();
}
