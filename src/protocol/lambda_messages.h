#ifndef LAMBDA_MESSAGES_H
#define LAMBDA_MESSAGES_H
/*
 * The control documents of the Extensions API (2020-01-01) and the Telemetry API (2022-07-01).
 * Writers return 0 or ERR_FULL; readers copy what they return.
 */
#include "protocol/json_members.h"

/* Body of POST /register: INVOKE and SHUTDOWN, or SHUTDOWN alone. */
struct span lambda_register_body(bool shutdown_only);

/*
 * The members of a reply that lambda_registered and lambda_event read, for json_members.h: with it a reply may
 * have any length, and its members any order.
 */
extern const struct span lambda_members[];

struct lambda_registered {
    char account_id[16];
    size_t account_id_len;
};

/* Reply of POST /register. Everything in it is optional, so an unreadable one gives empty text. */
void lambda_registered(struct span body, struct lambda_registered *registered);

enum lambda_event_type { LAMBDA_INVOKE, LAMBDA_SHUTDOWN };

struct lambda_event {
    enum lambda_event_type type;
    uint64_t deadline_ms; /* Unix time */
    char request_id[64];
    size_t request_id_len;
    char reason[32]; /* of SHUTDOWN, as sent */
    size_t reason_len;
    char account_id[16]; /* of INVOKE: that of the function that was invoked */
    size_t account_id_len;
};

/* Reply of GET /event/next. Returns 0, or ERR_BAD if it is not an event that we know. */
int lambda_event(struct span body, struct lambda_event *event);

struct lambda_subscription {
    struct span schema_version;
    unsigned types; /* of enum event_type */
    uint32_t max_items, max_bytes, timeout_ms;
    uint16_t port;    /* of our listener */
    struct span path; /* begins with a slash; needs no escapes */
};

/* Body of PUT /telemetry. */
int lambda_subscription_body(struct out *o, const struct lambda_subscription *s);

/*
 * The errorType of an error reply, or an empty span. Some bodies are not valid JSON (the emulator leaves
 * quotes unescaped), so the member is searched for as text. Points into body.
 */
struct span lambda_error_type(struct span body);

#endif
