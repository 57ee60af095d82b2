#ifndef HTTP_H
#define HTTP_H
/*
 * HTTP/1.1 heads and bodies, read from whatever bytes have arrived. Source: RFC 9110, RFC 9112.
 *
 * A head is parsed from its first byte each time: after ERR_MORE call again with the same bytes
 * followed by more. How large a head may grow is the caller's decision, by the size of its
 * buffer. A body is read as it comes; nothing of it needs to be kept.
 *
 * Strict where two readers could understand one message differently: lines end in CR LF, no space
 * before a colon, no field folded over lines, no control byte but a tab inside a field's value,
 * only one way of stating the length of a body. Tolerant otherwise.
 *
 * All spans point into the input and are valid as long as those bytes are unchanged.
 */
#include "protocol/span.h"

#define HTTP_FIELDS_MAX 64

/* Bytes of extensions that one chunk's size line may carry; they are skipped. */
#define HTTP_CHUNK_EXTENSION_MAX 1024

/* Bytes of trailer fields, line ends included, that may follow the last chunk; they are skipped. */
#define HTTP_TRAILERS_MAX 8192

struct http_field {
    struct span name;
    struct span value; /* without the blanks around it */
};

struct http_head {
    struct span method; /* these two of a request only */
    struct span target;
    unsigned status; /* of a response only: 100..999 */
    unsigned minor;  /* HTTP/1.minor: 0 or 1 */
    size_t fields_len;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/*
 * A request's head: request line, fields, and the empty line that ends them. One empty line before
 * the request line is skipped (RFC 9112, section 2.2).
 *
 * Returns the bytes used, so that the body begins there; ERR_MORE; ERR_BAD; ERR_BIG for more than
 * HTTP_FIELDS_MAX fields or 2 GiB. After an error the head must not be read.
 */
int http_request_head(struct span in, struct http_head *head);

/* The same for a response: status line, fields, empty line. The reason phrase is dropped. */
int http_response_head(struct span in, struct http_head *head);

/* The value of the first field of that name, whatever its case; a null span when absent. */
struct span http_field(const struct http_head *head, struct span name);

/*
 * Whether the connection may carry another message after this one: HTTP/1.1 unless "close" is
 * among the options of Connection; HTTP/1.0 only with "keep-alive" and without "close".
 * A response whose body runs until the peer closes cannot keep the connection, whatever this says.
 */
bool http_keeps_alive(const struct http_head *head);

/*
 * Whether a request's Host is valid: in HTTP/1.1 exactly one field, with a host and perhaps a port, or
 * empty; in HTTP/1.0 it is not required. If not, the request has to be answered 400.
 * Source: RFC 9112, section 3.2; RFC 3986, section 3.2.
 */
bool http_has_host(const struct http_head *head);

enum http_body_state {
    HTTP_BODY_BAD, /* the first error sticks */
    HTTP_BODY_DONE,
    HTTP_BODY_LENGTH,      /* left: payload bytes to come */
    HTTP_BODY_UNTIL_CLOSE, /* ends when the peer closes */
    HTTP_BODY_SIZE,        /* in a chunk's size; left: its value so far */
    HTTP_BODY_SIZE_BLANK,  /* after the size and blanks */
    HTTP_BODY_EXTENSION,
    HTTP_BODY_SIZE_LF,
    HTTP_BODY_CHUNK, /* left: payload bytes to come in this chunk */
    HTTP_BODY_CHUNK_CR,
    HTTP_BODY_CHUNK_LF,
    HTTP_BODY_TRAILER_START, /* at the beginning of a line after the last chunk */
    HTTP_BODY_TRAILER,
    HTTP_BODY_TRAILER_LF,
    HTTP_BODY_LAST_LF
};

/* How a body ends and what is left of it. The caller owns it and leaves its members alone. */
struct http_body {
    enum http_body_state state;
    unsigned digits;  /* of the chunk's size so far */
    unsigned skipped; /* bytes of extension, or of trailers */
    uint64_t left;
};

/*
 * How the body of this request is framed. Without Content-Length and Transfer-Encoding there is
 * none.
 *
 * Returns 0, or ERR_BAD: both Content-Length and Transfer-Encoding, lengths that differ or are not
 * numbers below 2^63, a coding other than "chunked" alone, Transfer-Encoding in HTTP/1.0.
 * Source: RFC 9112, sections 6.1 and 6.3.
 */
int http_request_body(const struct http_head *head, struct http_body *body);

/*
 * The same for a response: 1xx, 204 and 304 have no body; without framing it runs until the peer
 * closes. A response to HEAD has no body either, which its head does not show.
 */
int http_response_body(const struct http_head *head, struct http_body *body);

/*
 * Takes the next piece of payload out of the input. Never copies.
 *
 * in     bytes that follow the head or the previous call's; advanced past what was used.
 * piece  payload inside the input.
 *
 * Returns 1 with a piece that is not empty; 0 when the body is complete: in then begins with the next
 * message, if there is one; ERR_MORE when all input is used; ERR_BAD, in this and all further calls,
 * for a chunk whose size, extensions (HTTP_CHUNK_EXTENSION_MAX) or end is malformed, a size beyond
 * 16 hexadecimal digits, and trailers beyond HTTP_TRAILERS_MAX.
 */
int http_body_next(struct http_body *body, struct span *in, struct span *piece);

/* The peer has closed and all input is used: 0 when the body may end like this, else ERR_BAD. */
int http_body_eof(const struct http_body *body);

#endif
