#ifndef KINESIS_H
#define KINESIS_H
/*
 * What the parts of Kinesis share: calls (kinesis.c), why they are refused (refusals.c), and laws on partition
 * keys (kinesis_keys.c) and on records without (kinesis_keyless.c).
 */
#include "services.h"

/* How an error is said. */
enum refusal_form {
    REFUSAL_OWN, /* in the request's format */
    REFUSAL_JSON,
    REFUSAL_XML,
    REFUSAL_PAGE, /* of a gateway, in HTML */
    REFUSAL_EMPTY
};

struct refusal {
    const char *code;
    unsigned status;
    enum refusal_form form;
    bool passes; /* waiting may help */
};

#define REFUSALS_FAILED 11
#define REFUSALS_THROTTLED 9
#define REFUSALS_DENIED 6
#define REFUSALS_FORM 5
#define REFUSALS_ANY 24
#define REFUSALS_KEYS 7

extern const struct refusal refusals_failed[REFUSALS_FAILED];
extern const struct refusal refusals_throttled[REFUSALS_THROTTLED];
extern const struct refusal refusals_denied[REFUSALS_DENIED]; /* until someone changes something */
extern const struct refusal refusals_form[REFUSALS_FORM];     /* of what knows no CBOR */
extern const struct refusal refusals_any[REFUSALS_ANY];       /* 4xx of all kinds */
extern const struct refusal refusals_keys[REFUSALS_KEYS];     /* of what wants keys */

void kinesis_keys_begin(void);

/* TELEMETRY_PARTITION_KEY is respected, and copies of a snapshot share no keys. */
void kinesis_check_key(const struct kinesis_record *record);

/*
 * "Records that Kinesis refuses, and only those, are sent again": the reply is on its way that states what of the
 * request was accepted; and another request has come, on the same connection if the program has read that reply.
 */
void kinesis_told(const struct front_connection *c, const struct kinesis_request *request);
void kinesis_heard(const struct front_connection *c, const struct kinesis_request *request);

/*
 * With TELEMETRY_PARTITION_KEY=none records have keys from when a call without was refused for what is in it, unless
 * it is known that one was accepted: all those of a run then, and none before. A request has come; the reply to one
 * without is on its way: that refuses it, for keys or whatever else is in it; that states what was accepted.
 */
void kinesis_keyless_begin(void);
void kinesis_keyless_heard(const struct front_connection *c, const struct kinesis_request *request);
void kinesis_keyless_refused(const struct front_connection *c, bool for_keys);
void kinesis_keyless_told(const struct front_connection *c, const struct kinesis_request *request);

static inline bool
kinesis_keyless(const struct kinesis_request *request)
{
    return request->records[0].key.p == NULL;
}

#endif
