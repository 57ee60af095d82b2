#include "protocol/retry.h"

#include "protocol/check.h"

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

/*
 * The codes of each class, in the order of the services' own lists. One text per class, not a table of texts, which would
 * take a pointer and its relocation for each code.
 */
static const char *const codes[] = {
    [RETRY_THROTTLED] = "ProvisionedThroughputExceededException "
                        "ThrottlingException "
                        "Throttling "
                        "ThrottledException "
                        "RequestThrottled "
                        "RequestThrottledException "
                        "TooManyRequestsException "
                        "LimitExceededException "
                        "RequestLimitExceeded "
                        "BandwidthLimitExceeded "
                        "KMSThrottlingException "
                        "SlowDown "
                        "PriorRequestNotComplete ",
    [RETRY_TRANSIENT] = "InternalFailure "
                        "InternalFailureException "
                        "InternalError "
                        "ServiceUnavailable "
                        "ServiceUnavailableException "
                        "RequestTimeout "
                        "RequestTimeoutException ",
    [RETRY_CREDENTIALS] = "ExpiredToken "
                          "ExpiredTokenException "
                          "UnrecognizedClientException "
                          "InvalidClientTokenId "
                          "InvalidAccessKeyId ",
    [RETRY_SKEW] = "InvalidSignatureException "
                   "SignatureDoesNotMatch "
                   "RequestExpired "
                   "RequestInTheFuture "
                   "RequestTimeTooSkewed ",
    [RETRY_RECORD] = "ValidationException "
                     "InvalidArgumentException "
                     "RequestEntityTooLargeException "
                     "EntityTooLarge ",
    [RETRY_REQUEST] = "SerializationException ",
    [RETRY_CONFIGURATION] = "ResourceNotFoundException "
                            "AccessDenied "
                            "AccessDeniedException "
                            "KMS* "
                            "IncompleteSignature* "
                            "MissingAuthenticationToken* "
                            "UnknownOperationException ",
};

static bool
matches(struct span code, struct span known)
{
    if (known.len == 0 || known.p[known.len - 1] != '*')
        return span_same(code, known);
    known.len--;
    return span_starts(code, known);
}

bool
retry_lists(const char *list, struct span code)
{
    struct span rest = span_of(list);

    while (rest.len > 0)
        if (matches(code, span_cut(rest, ' ', &rest)))
            return code.len > 0;
    return false;
}

/* The class that has this code in its list. Returns false when none has. */
static bool
listed(struct span code, enum retry_class *class)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (retry_lists(codes[i], code)) {
            *class = (enum retry_class)i;
            return true;
        }
    return false;
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

bool
retry_knows(struct span code)
{
    enum retry_class class;

    return listed(code, &class);
}

enum retry_class
retry_class(struct span code, unsigned status)
{
    enum retry_class class;

    if (listed(code, &class))
        return class;
    /* a 400 with a code that we do not know is no evidence against a record */
    return code.len > 0 && status == 400 ? RETRY_REQUEST : status_class(status);
}

/* The longest wait that leaves time for further tries, but not so short that they come in quick succession. */
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

static uint32_t cost_of(enum retry_class class)
{
    return class == RETRY_THROTTLED ? THROTTLED_COST : TRANSIENT_COST;
}

bool
retry_quota_covers(const struct retry_quota *q, enum retry_class class)
{
    return q->tokens >= cost_of(class);
}

void
retry_quota_take(struct retry_quota *q, enum retry_class class)
{
    CHECK(retry_quota_covers(q, class));
    q->tokens -= cost_of(class);
    q->last_cost = cost_of(class);
}

void
retry_quota_refund(struct retry_quota *q)
{
    q->tokens += q->last_cost > 0 ? q->last_cost : 1;
    if (q->tokens > QUOTA)
        q->tokens = QUOTA;
    q->last_cost = 0;
}
