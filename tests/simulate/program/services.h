#ifndef SERVICES_H
#define SERVICES_H
/*
 * What the actors of AWS's side have in common: Kinesis (kinesis.c), S3 (s3.c), the credentials endpoint
 * (credentials.c), and the name servers (dns.c) that say where they are.
 *
 * A front (front.c) is a service's HTTP server: it accepts connections, speaks TLS (tls.c), and sends replies, late,
 * in pieces, in part or not at all. The service says what a reply is.
 */
#include "world.h"

static inline struct span
text_span(const char *text)
{
    return (struct span){text, strlen(text)};
}

/* A setting of the plan's environment; an empty span if there is none. Zero-terminated. */
struct span services_setting(const char *name);

/* What the plan's setting of an endpoint says. */
struct place {
    bool tls, by_name;
    char host[256];
    char authority[264]; /* what Host says */
    struct span path;    /* "/" unless the URL has one */
    uint16_t port;
    struct address address; /* unless by_name */
};

/* Reads http[s]://host[:port][/path]; breaks a law when it is anything else. */
void services_place(struct place *place, struct span url);

/* --- text (text.c) -------------------------------------------------------------------------------- */

/* Text that is written; it breaks a law to write more than there is room for. */
struct text {
    char *p;
    size_t len, cap;
};

void text_put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_bytes(struct text *t, const void *p, size_t len);

/* Reads JSON in place. Anything that is not JSON, or not what is asked for, breaks a law that begins with `what`. */
struct json_in {
    const char *p, *end;
    const char *what;
    char *room; /* where strings go that contain escapes; as long as the JSON is enough */
};

void json_expect(struct json_in *in, char c);

/* Whether c comes next, which is then read. */
bool json_next(struct json_in *in, char c);

/* A string, its escapes resolved. */
struct span json_text(struct json_in *in);
void json_end(struct json_in *in);

/* Base64 of the standard alphabet, padded; breaks a law when it is not. Writes to `to`, returns the length. */
size_t base64_read(struct span text, char *to, const char *what);

bool utf8_valid(struct span bytes);
bool span_is(struct span a, struct span b);

/* --- time ----------------------------------------------------------------------------------------- */

/* "Sun, 29 Nov 2026 12:00:00 GMT", "20261129T120000Z", "2026-11-29T12:00:00Z" */
enum moment_form { MOMENT_HTTP, MOMENT_BASIC, MOMENT_RFC3339 };
void moment_text(uint64_t wall_ms, enum moment_form form, char to[40]);

/* Of the second form; 0 when it is not. */
uint64_t moment_read(struct span text);

/* --- signatures (signature.c) ---------------------------------------------------------------------- */

struct signature_wanted {
    const char *service; /* "kinesis" */
    struct span region;
    uint64_t now_ms; /* by the service's clock */
    uint64_t skew_ms;
};

enum signature_verdict {
    SIGNATURE_GOOD,
    SIGNATURE_SKEWED,
    SIGNATURE_EXPIRED, /* the keys were good */
    SIGNATURE_UNKNOWN  /* they are not known any more */
};

/*
 * What the service says of the signature. It breaks a law when it is not one, or is not that of this request and
 * of keys that were given out.
 */
enum signature_verdict signature_check(const struct http_message *message,
                                       const struct signature_wanted *wanted);

/* --- credentials (credentials.c) -------------------------------------------------------------------- */

struct keys {
    char id[64], secret[64];
    struct span token;
    uint64_t until_ms; /* of the world's clock: good until then */
    uint64_t said_ms;  /* what was said of that */
    uint32_t sandbox;  /* to which they were given; UINT32_MAX: to all */
    bool fetched;
    unsigned refused; /* in replies that were delivered, since they were given out last */
};

void credentials_begin(void);
/* The keys of this id; NULL if none were given out. */
struct keys *credentials_of(struct span id);

/* --- names (dns.c) --------------------------------------------------------------------------------- */

void names_begin(void);
/* Whether a service that is named is at the n-th of its addresses now. */
bool names_at(unsigned n);

/* The addresses that a name has had and may have; the first comes first. */
#define NAMES_ADDRESSES 12
bool names_exists(unsigned n);
struct system_address names_address(unsigned n, uint16_t port);

/* Connections to a service that has moved are cut. */
void front_moved(void);

/* --- fronts (front.c) -------------------------------------------------------------------------------- */

struct front_connection;

struct front {
    const char *name;
    struct place place;
    bool remote;  /* it is not on this machine: all kinds of faults */
    bool proxied; /* nobody reaches it but the proxy */
    void (*asked)(struct front_connection *c, const struct http_message *message);
    int64_t clock_off_ms;
    struct outage {
        uint64_t until_us;
        int how;        /* enum outage_how */
        unsigned calls; /* since it began, of this sandbox */
        uint64_t begun_us;
        uint32_t sandbox;
    } outage;
};

/* What happens to every call while an outage lasts. */
enum outage_how {
    OUTAGE_REFUSED, /* connections */
    OUTAGE_SILENT,
    OUTAGE_RESET, /* after the request */
    OUTAGE_UNANSWERED,
    OUTAGE_CERTIFICATE, /* with TLS; otherwise as OUTAGE_RESET */
    OUTAGE_FAILS,       /* 5xx: the service says how */
    OUTAGE_THROTTLED,
    OUTAGE_DENIED, /* until someone changes a policy */
    OUTAGES
};

void fronts_begin(void);
void front_open(struct front *front);

/* The service's clock, in milliseconds since 1970. */
uint64_t front_ms(const struct front *front);

/* Whether there is an outage now; the other: or one begins now. */
bool front_outage_now(const struct front *front);
bool front_outage(struct front *front);

struct front_reply {
    unsigned status;
    const char *type;
    const char *fields; /* more of them; may be NULL */
    struct span body;
    uint32_t late_ms;                 /* besides what is drawn */
    bool closes;                      /* the connection, too */
    void (*delivered)(void *context); /* when all of it was sent; may be NULL */
    void *context;
};

/* Answers the call. Faults may change what is heard of it. */
void front_reply(struct front_connection *c, const struct front_reply *reply);

/* Which of all connections it is, and of which run of the program. */
uint32_t front_number(const struct front_connection *c);
uint32_t front_sandbox(const struct front_connection *c);

/* Nothing is answered: the connection is reset, or nothing ever comes. */
void front_drop(struct front_connection *c, bool reset);

/* Whether a call is under way. */
bool services_busy(void);

/* The program freezes: perhaps nothing more is heard of connections. */
void services_freeze(void);

/* Connections that are open now, to all services. */
unsigned services_connections(void);

/* --- TLS (tls.c) ------------------------------------------------------------------------------------- */

struct tls_end;

enum tls_certificate { TLS_GOOD, TLS_EXPIRED, TLS_OTHER_NAME, TLS_OTHER_CA, TLS_CERTIFICATES };

/* The CA's certificate, PEM. */
struct span tls_ca(void);

void tls_begin(void);

/* One end of a connection; NULL when there are too many. */
struct tls_end *tls_open(const char *host, enum tls_certificate certificate);
void tls_release(struct tls_end *t);

/* Takes what came. plain() gets what was in it, out() what is to be sent. Returns false when TLS has failed. */
struct tls_uses {
    void (*plain)(void *context, struct span bytes);
    void (*out)(void *context, struct span bytes);
    void *context;
};
bool tls_take(struct tls_end *t, struct span bytes, const struct tls_uses *uses);

/* Sends this; with `close` close_notify after it. */
bool tls_send(struct tls_end *t, struct span bytes, bool close, const struct tls_uses *uses);

/* --- the services -------------------------------------------------------------------------------------- */

void kinesis_begin(void);

/* The program may be copied from now on, and has forgotten what it knew of the stream. */
void kinesis_asleep(void);

void s3_begin(void);

/* A line of a dead letter, without its newline: enters it into the books. False if it is not one. */
bool letter_arrived(struct span line);

/* --- the ledger (services_counts.c) ---------------------------------------------------------------------- */

enum services_count {
    COUNT_REQUESTS,    /* that came whole */
    COUNT_CONNECTIONS, /* on which something came: others may have been given up meanwhile */
    COUNT_HANDSHAKES,  /* after which something came */
    COUNT_BYTES_TAKEN,
    COUNT_BYTES_TOLD, /* in replies that the program has read */
    SERVICES_COUNTS
};

void services_counts_begin(void);
void services_count(enum services_count which, uint64_t n);

/* A line of the program that is a ledger, after which its counts begin anew. */
void services_ledger(struct span line);

/* --- bodies of PutRecords (kinesis_body.c) -------------------------------------------------------------- */

#define KINESIS_RECORDS_MAX 500

struct kinesis_record {
    struct span data, key; /* the key is NULL when there is none */
    const char *code;      /* what becomes of it; NULL: it is accepted */
};

struct kinesis_request {
    bool cbor;
    struct span stream_name, stream_arn;
    unsigned len;
    struct kinesis_record records[KINESIS_RECORDS_MAX];
};

/* Reads a body; valid as long as it, and until the next call. */
void kinesis_read(struct kinesis_request *to, struct span body, bool cbor);

/* Text as long as this may come in two chunks in CBOR, of which the program reads the first (cbor_string). */
enum { KINESIS_CHUNKS_FROM = 30 };

/* Writes the reply that states the outcome of each record. Forms that are equivalent are drawn. */
void kinesis_write(struct text *to, const struct kinesis_request *from, bool cbor);

/* An error's body. */
void kinesis_write_error(struct text *to, const char *code, const char *message, bool cbor);

#endif
