#ifndef CREDENTIALS_H
#define CREDENTIALS_H
/*
 * The credentials that requests are signed with.
 *
 * From AWS_ACCESS_KEY_ID and the related variables, valid for the life of the sandbox; or, if these
 * are absent (SnapStart), from AWS_CONTAINER_CREDENTIALS_FULL_URI, fetched when they are first needed,
 * again before they expire, and whenever a service refuses them.
 * Source: Lambda, environment variables; SDK reference, container credential provider.
 */
#include "io/http_client.h"
#include "io/storage.h"
#include "protocol/settings.h"
#include "protocol/sigv4.h"

struct credentials {
    const struct settings *settings;
    struct sigv4_credentials now; /* empty access_key: there are none yet, or none any more */
    /* A fetch has ended, successfully or not. */
    void (*changed)(void *context);
    void *context;

    /* private */
    struct loop *loop;
    struct loop_timer timer; /* when the next fetch begins; off unless one is wanted */
    struct http_client http;
    struct http_call call;
    bool fetching;
    bool stale;          /* refused by a service, or from another sandbox */
    uint64_t fetched_ms; /* wall clock, as expires_ms */
    uint64_t expires_ms;
    uint64_t calm_until_ms; /* monotonic clock: no fetch before */
    unsigned status;
    char *values[2]; /* what `now` points into, and room for the next */
    char *reply;
    size_t reply_len;
    char error[160];
    char logged[160]; /* the last failure that was logged; emptied when a fetch succeeds */
};

/* Memory taken from the storage. */
size_t credentials_bytes(const struct settings *settings);

/* settings, changed and context are set by the caller. Returns 0, or ERR_FULL. */
int credentials_init(struct credentials *c, struct loop *loop, struct storage *s);

/*
 * Whether a request may be signed now. Begins a fetch if one is due and none is under way, but not within a
 * second of the last one; `changed` reports its end, never before this has returned. Credentials that expire
 * soon may be used until they have expired.
 */
bool credentials_ready(struct credentials *c);

/* The longest wait before asking again for credentials that are coming. */
#define CREDENTIALS_WAIT_MS 1000

/* Whether nothing can be signed now, but perhaps later; begins a fetch as above. */
bool credentials_coming(struct credentials *c);

/*
 * A service refused the credentials, or the sandbox was restored: they are fetched again before their
 * next use. Returns false when there is nowhere to fetch them from, so that nothing will change.
 */
bool credentials_refresh(struct credentials *c);

/* Abandons a fetch that is wanted or under way, without `changed`. The next one begins without a pause. */
void credentials_stop(struct credentials *c);

/* Why there are no credentials, for a log line. */
const char *credentials_error(const struct credentials *c);

#endif
