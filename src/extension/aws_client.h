#ifndef AWS_CLIENT_H
#define AWS_CLIENT_H
/*
 * Signed calls to one endpoint of an AWS service, one at a time, over a connection that is kept.
 *
 * Each request is signed when it is written, with the credentials and the time of that moment; the
 * body is read twice from its generator, for the hash and for the connection, and never stored.
 *
 * If a service refuses the time of a signature, this client signs by the service's own clock (Date) from
 * then on, provided that it differs by at most a day.
 */
#include "extension/credentials.h"
#include "io/http_client.h"
#include "io/storage.h"
#include "protocol/retry.h"
#include "protocol/settings.h"
#include "protocol/sigv4.h"

/* A connection that was unused for longer may have been given up by the far side. */
#define AWS_CLIENT_IDLE_MS 5000

/* What the clients of all services share. The owner sets settings and credentials. */
struct aws_environment {
    const struct settings *settings;
    struct credentials *credentials;
    /* private */
    struct tls_anchors anchors;
};

/* How a call ended; the spans are valid during the callback. */
struct aws_result {
    int result;              /* 0: there is a reply. ERR_IO, ERR_BAD, ERR_LATE as of http_client */
    unsigned status;         /* of the reply; 0 with result 0: nothing was sent, message says why */
    struct span body;        /* of the reply, as far as it fits into the client's buffer */
    struct span code;        /* of an error reply */
    enum retry_class class;  /* of code and status: what such a failure asks for */
    struct span message;     /* of an error reply: the peer's text */
    struct span region;      /* x-amz-bucket-region: where S3 says that the bucket is; else empty */
    uint32_t retry_after_ms; /* how long the service asks to wait; 0: it does not ask */
    bool skewed; /* the signature's time was refused, and our clock has been corrected */
};

struct aws_call {
    struct span method, path; /* the path encoded, as it is sent and signed */
    struct span content_type;
    struct span target; /* X-Amz-Target; empty: none */
    bool body_hash;     /* X-Amz-Content-Sha256 goes along, as S3 wants it */
    void (*rewind)(void *context);
    size_t (*read)(void *context, char *buffer, size_t cap); /* 0 at the end of the body */
    void (*done)(void *context, const struct aws_result *result);
    void *context;
    uint32_t silence_ms; /* as of http_call */
};

struct aws_client {
    struct http_client http;
    struct aws_environment *environment;
    struct span service; /* name in the scope of signatures, as kinesis */
    struct span region;
    struct endpoint endpoint;

    /* private */
    const struct aws_call *call;
    struct http_call http_call;
    struct sigv4_key key;
    int64_t clock_offset_ms; /* of the service's clock, if ours was refused; else 0 */
    char host[280];          /* value of Host */
    size_t host_len;
    unsigned status;
    char error_type[96]; /* of x-amzn-ErrorType */
    size_t error_type_len;
    char bucket_region[48];
    size_t bucket_region_len;
    uint64_t date_s; /* of Date, seconds since 1970; 0: none */
    uint32_t retry_after_ms;
    char *reply;
    size_t reply_len, reply_cap;
};

/* The memory that a client takes from the storage. */
size_t aws_client_bytes(size_t reply_max_bytes);

/* environment, service, region and endpoint are set by the caller. Returns 0, or ERR_FULL. */
int aws_client_init(struct aws_client *c, struct loop *loop, struct storage *s,
                    size_t reply_max_bytes);

/* To be called when the endpoint or its host has been changed; closes the connection. */
void aws_client_moved(struct aws_client *c);

/* Opens the connection in advance. */
void aws_client_open(struct aws_client *c);

/* Makes a call; only when none is under way. It must stay valid until done, which may come before
 * this returns. */
void aws_client_start(struct aws_client *c, const struct aws_call *call);

/* Abandons a call that is under way, without done. */
void aws_client_stop(struct aws_client *c);

/*
 * Before a snapshot (SnapStart), with no call under way: closes the connection, and the next one shares nothing with
 * those before; the service's clock is unknown; connections and requests are counted from 0.
 */
void aws_client_forget(struct aws_client *c);

#endif
