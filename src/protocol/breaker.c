#include "protocol/breaker.h"

/* see breaker.h */

enum { SILENT_MAX = 3, FIRST_INTERVAL_MS = 1000 };

bool
breaker_open(const struct breaker *b)
{
    return b->intervals > 0;
}

uint64_t
breaker_probe_at_ms(const struct breaker *b)
{
    return b->probe_at_ms;
}

static uint32_t
interval_ms(unsigned intervals, uint32_t dice)
{
    uint64_t ms = FIRST_INTERVAL_MS;

    for (unsigned i = 0; i < intervals && ms < BREAKER_LONGEST_MS; i++)
        ms *= 2;
    if (ms > BREAKER_LONGEST_MS)
        ms = BREAKER_LONGEST_MS;
    return (uint32_t)(ms / 2 + ((ms / 2 * dice) >> 32));
}

bool
breaker_fail(struct breaker *b, enum breaker_failure failure, unsigned failures_max,
             uint64_t now_ms, uint32_t dice)
{
    bool closed = !breaker_open(b);

    b->failures++;
    b->silent = failure == BREAKER_SILENT ? b->silent + 1 : 0;
    /* once open, one failed probe shows that it was too early */
    if (closed && failure < BREAKER_HOPELESS && b->failures < failures_max &&
        b->silent < SILENT_MAX)
        return false;
    b->probe_at_ms = now_ms + interval_ms(b->intervals, dice);
    b->intervals++;
    return closed;
}

void
breaker_succeed(struct breaker *b)
{
    *b = (struct breaker){0};
}
