#ifndef SIGNATURE_H
#define SIGNATURE_H
/*
 * AWS Signature Version 4 of a request to Kinesis, computed anew from what arrived.
 * Source: the AWS reference on signing requests; libcrypto does the sums.
 */
#include <stdbool.h>
#include <stddef.h>

/* The credentials of every run; the pair of keys is the one of AWS's documentation. */
#define ACCESS_KEY_ID "AKIDEXAMPLE"
#define SECRET_ACCESS_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define SESSION_TOKEN "token"

#define SIGNATURE_LEN 64

/*
 * The signature that the request should have, of the headers that its Authorization names.
 *
 * head  NUL-terminated, as of http_read.
 *
 * False: there is no such header, or it is not of these credentials or not for Kinesis.
 */
bool signature_of(const char *head, const char *body, size_t body_len, char hex[SIGNATURE_LEN + 1]);

/* Whether the request has it. */
bool signature_holds(const char *head, const char *body, size_t body_len);

#endif
