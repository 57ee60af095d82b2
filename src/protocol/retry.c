#include "protocol/retry.h"

/* see retry.h */

enum {
    TRANSIENT_BASE_MS = 50,
    THROTTLED_BASE_MS = 1000,
    CAP_MS = 20000,
    TRIES_BEFORE_DEADLINE = 8
};

enum retry_class
retry_class(struct span code, unsigned status)
{
    static const char *const throttled[] = {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "KMSThrottlingException",
        "TooManyRequestsException",
    };

    for (size_t i = 0; i < sizeof throttled / sizeof *throttled; i++)
        if (span_same(code, span_of(throttled[i])))
            return RETRY_THROTTLED;
    return status == 429 ? RETRY_THROTTLED : RETRY_TRANSIENT;
}

/* The longest wait that leaves room for further tries; not so short that they become a storm. */
static uint32_t
longest_ms(uint32_t left_ms)
{
    uint32_t share = left_ms / TRIES_BEFORE_DEADLINE;

    if (share >= TRANSIENT_BASE_MS)
        return share;
    return left_ms < TRANSIENT_BASE_MS ? left_ms : TRANSIENT_BASE_MS;
}

uint32_t
retry_wait_ms(enum retry_class class, unsigned failures, uint32_t dice, uint32_t left_ms)
{
    uint64_t most = class == RETRY_THROTTLED ? THROTTLED_BASE_MS : TRANSIENT_BASE_MS;

    for (unsigned i = 1; i < failures && most < CAP_MS; i++)
        most *= 2;
    if (most > CAP_MS)
        most = CAP_MS;
    if (most > longest_ms(left_ms))
        most = longest_ms(left_ms);
    return (uint32_t)(((most + 1) * dice) >> 32);
}
