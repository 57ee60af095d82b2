#include "protocol/retry.h"

/* see retry.h */

enum {
    TRANSIENT_BASE_MS = 50,
    THROTTLED_BASE_MS = 1000,
    CAP_MS = 20000,
    HINT_MAX_MS = 5000,
    TRIES_BEFORE_DEADLINE = 8,
    QUOTA = 500,
    TRANSIENT_COST = 14,
    THROTTLED_COST = 5
};

/* In the order of the services' own lists. A code that ends in * stands for all that begin so. */
static const struct {
    const char *code;
    enum retry_class class;
} codes[] = {
    {"ProvisionedThroughputExceededException", RETRY_THROTTLED},
    {"ThrottlingException", RETRY_THROTTLED},
    {"Throttling", RETRY_THROTTLED},
    {"ThrottledException", RETRY_THROTTLED},
    {"RequestThrottled", RETRY_THROTTLED},
    {"RequestThrottledException", RETRY_THROTTLED},
    {"TooManyRequestsException", RETRY_THROTTLED},
    {"LimitExceededException", RETRY_THROTTLED},
    {"RequestLimitExceeded", RETRY_THROTTLED},
    {"BandwidthLimitExceeded", RETRY_THROTTLED},
    {"KMSThrottlingException", RETRY_THROTTLED},
    {"SlowDown", RETRY_THROTTLED},
    {"PriorRequestNotComplete", RETRY_THROTTLED},
    {"InternalFailure", RETRY_TRANSIENT},
    {"InternalFailureException", RETRY_TRANSIENT},
    {"InternalError", RETRY_TRANSIENT},
    {"ServiceUnavailable", RETRY_TRANSIENT},
    {"ServiceUnavailableException", RETRY_TRANSIENT},
    {"RequestTimeout", RETRY_TRANSIENT},
    {"RequestTimeoutException", RETRY_TRANSIENT},
    {"ExpiredToken", RETRY_CREDENTIALS},
    {"ExpiredTokenException", RETRY_CREDENTIALS},
    {"UnrecognizedClientException", RETRY_CREDENTIALS},
    {"InvalidClientTokenId", RETRY_CREDENTIALS},
    {"InvalidAccessKeyId", RETRY_CREDENTIALS},
    {"InvalidSignatureException", RETRY_SKEW},
    {"SignatureDoesNotMatch", RETRY_SKEW},
    {"RequestExpired", RETRY_SKEW},
    {"RequestInTheFuture", RETRY_SKEW},
    {"RequestTimeTooSkewed", RETRY_SKEW},
    {"ValidationException", RETRY_RECORD},
    {"InvalidArgumentException", RETRY_RECORD},
    {"RequestEntityTooLargeException", RETRY_RECORD},
    {"EntityTooLarge", RETRY_RECORD},
    {"ResourceNotFoundException", RETRY_CONFIGURATION},
    {"AccessDenied", RETRY_CONFIGURATION},
    {"AccessDeniedException", RETRY_CONFIGURATION},
    {"KMS*", RETRY_CONFIGURATION},
    {"IncompleteSignature*", RETRY_CONFIGURATION},
    {"MissingAuthenticationToken*", RETRY_CONFIGURATION},
    {"SerializationException", RETRY_CONFIGURATION},
    {"UnknownOperationException", RETRY_CONFIGURATION},
};

static bool
matches(struct span code, const char *entry)
{
    struct span known = span_of(entry);

    if (known.p[known.len - 1] != '*')
        return span_same(code, known);
    known.len--;
    return span_starts(code, known);
}

static enum retry_class
status_class(unsigned status)
{
    if (status == 429)
        return RETRY_THROTTLED;
    if (status == 413 || status == 400)
        return RETRY_RECORD;
    if (status >= 300 && status < 500 && status != 408)
        return RETRY_CONFIGURATION;
    return RETRY_TRANSIENT;
}

/* Its place in the table, or SIZE_MAX. */
static size_t
place_of(struct span code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (matches(code, codes[i].code))
            return i;
    return SIZE_MAX;
}

bool
retry_knows(struct span code)
{
    return place_of(code) != SIZE_MAX;
}

enum retry_class
retry_class(struct span code, unsigned status)
{
    size_t place = place_of(code);

    if (place != SIZE_MAX)
        return codes[place].class;
    /* a 400 that has a name we do not know says nothing of a record */
    return code.len > 0 && status == 400 ? RETRY_CONFIGURATION : status_class(status);
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
retry_wait_ms(const struct retry *r, uint32_t dice)
{
    uint64_t most = r->class == RETRY_THROTTLED ? THROTTLED_BASE_MS : TRANSIENT_BASE_MS;
    uint64_t wait;

    for (unsigned i = 1; i < r->failures && most < CAP_MS; i++)
        most *= 2;
    if (most > CAP_MS)
        most = CAP_MS;
    wait = ((most + 1) * dice) >> 32;
    if (wait < r->hint_ms)
        wait = r->hint_ms < wait + HINT_MAX_MS ? r->hint_ms : wait + HINT_MAX_MS;
    if (wait > longest_ms(r->left_ms))
        wait = ((uint64_t)(longest_ms(r->left_ms) + 1) * dice) >> 32;
    return (uint32_t)wait;
}

COLD uint32_t
retry_in_vain_ms(unsigned failures, uint32_t whole_ms)
{
    enum { DOUBLINGS_MAX = 5 };
    unsigned doublings = failures - 1 < DOUBLINGS_MAX ? failures - 1 : DOUBLINGS_MAX;

    return whole_ms / 20 << doublings;
}

void
retry_quota_open(struct retry_quota *q)
{
    *q = (struct retry_quota){.tokens = QUOTA};
}

static uint32_t
cost_of(enum retry_class class)
{
    return class == RETRY_THROTTLED ? THROTTLED_COST : TRANSIENT_COST;
}

bool
retry_quota_covers(const struct retry_quota *q, enum retry_class class)
{
    return q->tokens >= cost_of(class);
}

bool
retry_quota_take(struct retry_quota *q, enum retry_class class)
{
    if (!retry_quota_covers(q, class))
        return false;
    q->tokens -= cost_of(class);
    q->last_cost = cost_of(class);
    return true;
}

void
retry_quota_refund(struct retry_quota *q)
{
    q->tokens += q->last_cost > 0 ? q->last_cost : 1;
    if (q->tokens > QUOTA)
        q->tokens = QUOTA;
    q->last_cost = 0;
}
