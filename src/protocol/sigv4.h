#ifndef SIGV4_H
#define SIGV4_H
/*
 * AWS Signature Version 4 in the Authorization header. Each step leaves a value that a test can
 * compare. Source: IAM user guide, "Create a signed AWS API request".
 *
 * A field's value, such as a session token of several KB, may have any length: what is hashed is
 * never collected in a buffer. Region and service together may have SIGV4_SCOPE_MAX bytes.
 */
#include "protocol/out.h"
#include "protocol/sha256.h"
#include "protocol/span.h"

#define SIGV4_SCOPE_MAX 128
#define SIGV4_SIGNATURE_LEN 64

struct sigv4_credentials {
    struct span access_key;
    struct span secret_key;
    struct span session_token; /* empty: none */
};

struct sigv4_field {
    struct span name;  /* in lower case */
    struct span value; /* blanks around it are left out, runs of them within become one space */
};

/*
 * What is signed.
 *
 * path    absolute, encoded as it is sent. Empty counts as "/".
 * path_encoded_again  all services but S3 sign the path encoded once more: each % in it as %25.
 * query   parameters encoded and sorted, without the question mark; a name without a value has
 *         its "=" nevertheless. Empty for none.
 * fields  sorted by name, no name twice; all are signed. Must hold host and every x-amz-*,
 *         x-amz-date and x-amz-security-token among them.
 */
struct sigv4_request {
    struct span method;
    struct span path;
    struct span query;
    const struct sigv4_field *fields;
    size_t fields_len;
    const uint8_t *body_sha256; /* SHA256_LEN bytes */
    bool path_encoded_again;
};

struct sigv4_scope {
    struct span
        timestamp; /* TIMESTAMP_BASIC_LEN bytes as timestamp_basic gives, the same as in x-amz-date */
    struct span region;
    struct span service;
};

/*
 * The signing key and what it was derived from. Set to zeros before its first use; after that the
 * caller leaves its members alone. The signing key is good for one day, region and service only; the
 * secret is kept only as part of made_from, a SHA-256.
 */
struct sigv4_key {
    uint8_t key[SHA256_LEN];
    uint8_t made_from[SHA256_LEN];
};

/* Appends the canonical request. Returns 0 or ERR_FULL. */
int sigv4_canonical(struct out *o, const struct sigv4_request *request);

/* Appends the string to sign. Returns 0 or ERR_FULL. */
int sigv4_string_to_sign(struct out *o, const struct sigv4_scope *scope,
                         const uint8_t canonical_sha256[SHA256_LEN]);

/* Derives the key again if day, region, service or secret have changed. */
void sigv4_key_for(struct sigv4_key *key, struct span secret_key, const struct sigv4_scope *scope);

/* Writes SIGV4_SIGNATURE_LEN lower-case hexadecimal digits, without a terminating zero. */
void sigv4_signature(const struct sigv4_key *key, struct span string_to_sign,
                     char hex[SIGV4_SIGNATURE_LEN]);

/*
 * Appends the whole value of Authorization, after bringing the key up to date. The session token is not
 * taken from the credentials: it has to be one of the request's fields.
 *
 * Returns 0 or ERR_FULL, the latter also when region and service exceed SIGV4_SCOPE_MAX.
 */
int sigv4_authorization(struct out *o, const struct sigv4_credentials *c,
                        const struct sigv4_scope *scope, const struct sigv4_request *request,
                        struct sigv4_key *key);

#endif
