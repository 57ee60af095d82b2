#ifndef SIMULATED_HTTP_H
#define SIMULATED_HTTP_H
/*
 * HTTP/1.1 as the world's actors speak it: as servers of the program (http_served) and as clients of its
 * listener (http_asked). Written without any of src/protocol, so that a misreading there meets one who reads
 * it otherwise.
 */
#include "kernel.h"

#define HTTP_FIELDS_MAX 32

struct http_field {
    struct span name, value;
};

/* A message that has come whole; spans are valid during the call. */
struct http_message {
    struct span method, target; /* of a request */
    unsigned status;            /* of a response */
    struct http_field fields[HTTP_FIELDS_MAX];
    unsigned fields_len;
    struct span body; /* without its coding */
};

/* The value of a field, by its name in any case; an empty span with p NULL if there is none. */
struct span http_value(const struct http_message *message, const char *name);

/*
 * Collects the bytes of one direction of a connection. Zero at first, but for the first three. What the program
 * sends must be HTTP/1.1 to the letter: anything else breaks a law.
 */
struct http_reader {
    void (*whole)(void *context, const struct http_message *message);
    void *context;
    bool responses; /* else requests */
    char *bytes;
    size_t len, cap;
    size_t need; /* that many bytes before it is worth looking again */
    bool broken; /* nothing more is read; whole() may set it */
};

/*
 * Takes what came; calls whole() for each message, an interim response (1xx) too. whole() may free the reader, if
 * the struct itself stays.
 */
void http_take(struct http_reader *reader, struct span bytes);
void http_free(struct http_reader *reader);

enum http_framing { HTTP_LENGTH, HTTP_CHUNKED, HTTP_UNTIL_CLOSE };

/*
 * A response, written out; with HTTP_CHUNKED in chunks of drawn sizes. Returns its length; cap suffices when it is
 * the body's length twice and 2 KiB more. `fields` are lines that end in \r\n.
 */
size_t http_response(char *to, size_t cap, unsigned status, const char *fields, struct span body,
                     enum http_framing framing, struct dice *dice);

size_t http_request(char *to, size_t cap, const char *method, const char *target,
                    const char *fields, struct span body, enum http_framing framing,
                    struct dice *dice);

#endif
