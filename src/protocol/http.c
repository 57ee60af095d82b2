#include "protocol/http.h"

#include <limits.h>
#include <string.h>

#include "protocol/endpoint.h"

/* see http.h */

/* Goes through a head; the first error sticks, and every step after it does nothing. */
struct cursor {
    const char *p;
    const char *end;
    int err;
};

static bool
is_token(char c)
{
    return span_made_of((struct span){&c, 1}, "!#$%&'*+-.^_`|~");
}

static bool
is_visible(char c)
{
    return c > ' ' && c < 0x7f;
}

/* Visible, blank, or beyond ASCII, which is opaque by RFC 9110, section 5.5. */
static bool
is_text(char c)
{
    unsigned char byte = (unsigned char)c;

    return (byte >= ' ' && byte != 0x7f) || byte == '\t';
}

/* Whether the next byte is this one; at the end of the input it sets ERR_MORE. */
static bool
next_is(struct cursor *c, char byte)
{
    if (c->err == 0 && c->p == c->end)
        c->err = ERR_MORE;
    return c->err == 0 && *c->p == byte;
}

static void
expect(struct cursor *c, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (!next_is(c, bytes.p[i])) {
            c->err = c->err == 0 ? ERR_BAD : c->err;
            return;
        }
        c->p++;
    }
}

/* All bytes that fit; ERR_MORE unless one that does not fit follows. */
static struct span
run(struct cursor *c, bool (*fits)(char))
{
    const char *start = c->p;

    if (c->err != 0)
        return (struct span){NULL, 0};
    while (c->p < c->end && fits(*c->p))
        c->p++;
    if (c->p == c->end)
        c->err = ERR_MORE;
    return (struct span){start, (size_t)(c->p - start)};
}

/* The same, but at least one byte. */
static struct span
some(struct cursor *c, bool (*fits)(char))
{
    struct span s = run(c, fits);

    if (s.len == 0 && c->err == 0)
        c->err = ERR_BAD;
    return s;
}

static unsigned
digit(struct cursor *c, char least, char most)
{
    if (c->err == 0 && c->p == c->end)
        c->err = ERR_MORE;
    if (c->err == 0 && (*c->p < least || *c->p > most))
        c->err = ERR_BAD;
    return c->err == 0 ? (unsigned)(*c->p++ - '0') : 0;
}

static void
version(struct cursor *c, struct http_head *head)
{
    expect(c, SPAN("HTTP/1."));
    head->minor = digit(c, '0', '1');
}

static void
fields(struct cursor *c, struct http_head *head)
{
    while (!next_is(c, '\r') && c->err == 0) {
        struct http_field *f = &head->fields[head->fields_len];

        if (head->fields_len == HTTP_FIELDS_MAX) {
            c->err = ERR_BIG;
            return;
        }
        f->name = some(c, is_token);
        expect(c, SPAN(":"));
        f->value = span_trim(run(c, is_text));
        expect(c, SPAN("\r\n"));
        head->fields_len++;
    }
    expect(c, SPAN("\r\n"));
}

static struct cursor
begin(struct span in, struct http_head *head)
{
    /* not the whole struct: its table of fields is large and read up to fields_len only */
    head->method = head->target = (struct span){NULL, 0};
    head->status = head->minor = 0;
    head->fields_len = 0;
    if (in.len == 0)
        return (struct cursor){NULL, NULL, ERR_MORE};
    return (struct cursor){in.p, in.p + in.len, 0};
}

static int
used(const struct cursor *c, struct span in)
{
    if (c->err != 0)
        return c->err;
    return c->p - in.p > INT_MAX ? ERR_BIG : (int)(c->p - in.p);
}

int
http_request_head(struct span in, struct http_head *head)
{
    struct cursor c = begin(in, head);

    if (next_is(&c, '\r'))
        expect(&c, SPAN("\r\n"));
    head->method = some(&c, is_token);
    expect(&c, SPAN(" "));
    head->target = some(&c, is_visible);
    expect(&c, SPAN(" "));
    version(&c, head);
    expect(&c, SPAN("\r\n"));
    fields(&c, head);
    return used(&c, in);
}

int
http_response_head(struct span in, struct http_head *head)
{
    struct cursor c = begin(in, head);

    version(&c, head);
    expect(&c, SPAN(" "));
    head->status = digit(&c, '1', '9') * 100;
    head->status += digit(&c, '0', '9') * 10;
    head->status += digit(&c, '0', '9');
    /* servers without a reason phrase forget the space, too */
    if (!next_is(&c, '\r')) {
        expect(&c, SPAN(" "));
        (void)run(&c, is_text);
    }
    expect(&c, SPAN("\r\n"));
    fields(&c, head);
    return used(&c, in);
}

struct span
http_field(const struct http_head *head, struct span name)
{
    for (size_t i = 0; i < head->fields_len; i++)
        if (span_same_case(head->fields[i].name, name))
            return head->fields[i].value;
    return (struct span){NULL, 0};
}

bool
http_keeps_alive(const struct http_head *head)
{
    bool keep = head->minor >= 1;

    for (size_t i = 0; i < head->fields_len; i++) {
        struct span rest = head->fields[i].value;

        if (!span_same_case(head->fields[i].name, SPAN("Connection")))
            continue;
        while (rest.len > 0) {
            struct span option = span_trim(span_cut(rest, ',', &rest));

            if (span_same_case(option, SPAN("close")))
                return false;
            keep = keep || span_same_case(option, SPAN("keep-alive"));
        }
    }
    return keep;
}

bool
http_has_host(const struct http_head *head)
{
    unsigned found = 0;

    for (size_t i = 0; i < head->fields_len; i++) {
        struct span host, port;
        uint64_t number;

        if (!span_same_case(head->fields[i].name, SPAN("Host")))
            continue;
        if (endpoint_split(head->fields[i].value, "-._~%!$&'()*+,;=", &host, &port) != 0 ||
            (port.len > 0 && span_number(port, 65535, &number) != 0))
            return head->minor == 0;
        found++;
    }
    return found == 1 || head->minor == 0;
}

/*
 * One Content-Length field. RFC 9110, section 8.6, lets a recipient accept the same number given twice, as
 * "5, 5" or in two fields.
 */
static int
content_length(struct span value, bool *known, uint64_t *length)
{
    struct span rest = value;

    do {
        uint64_t number = 0;

        if (span_number(span_trim(span_cut(rest, ',', &rest)), INT64_MAX, &number) < 0)
            return ERR_BAD;
        if (*known && number != *length)
            return ERR_BAD;
        *known = true;
        *length = number;
    } while (rest.p != NULL);
    return 0;
}

static int
framing(const struct http_head *head, struct http_body *body, bool until_close)
{
    bool known = false;
    bool chunked = false;

    *body = (struct http_body){.state = HTTP_BODY_BAD};
    for (size_t i = 0; i < head->fields_len; i++) {
        const struct http_field *f = &head->fields[i];

        if (span_same_case(f->name, SPAN("Content-Length"))) {
            if (content_length(f->value, &known, &body->left) < 0)
                return ERR_BAD;
        } else if (span_same_case(f->name, SPAN("Transfer-Encoding"))) {
            if (chunked || !span_same_case(f->value, SPAN("chunked")))
                return ERR_BAD;
            chunked = true;
        }
    }
    if (chunked && (known || head->minor == 0))
        return ERR_BAD;
    if (chunked)
        body->state = HTTP_BODY_SIZE;
    else if (known && body->left > 0)
        body->state = HTTP_BODY_LENGTH;
    else
        body->state = !known && until_close ? HTTP_BODY_UNTIL_CLOSE : HTTP_BODY_DONE;
    return 0;
}

int
http_request_body(const struct http_head *head, struct http_body *body)
{
    return framing(head, body, false);
}

int
http_response_body(const struct http_head *head, struct http_body *body)
{
    if (head->status < 200 || head->status == 204 || head->status == 304) {
        *body = (struct http_body){.state = HTTP_BODY_DONE};
        return 0;
    }
    return framing(head, body, true);
}

static void
chunk_size_byte(struct http_body *body, char c)
{
    int value = span_hex(c);
    bool any = body->digits > 0;

    /* `left` holds no more than 16 digits */
    if (value >= 0 && body->state == HTTP_BODY_SIZE && body->digits < 16) {
        body->left = body->left << 4 | (unsigned)value;
        body->digits++;
    } else if (any && c == '\r') {
        body->state = HTTP_BODY_SIZE_LF;
    } else if (any && c == ';') {
        body->state = HTTP_BODY_EXTENSION;
    } else if (any && span_blank(c) && body->skipped < HTTP_CHUNK_EXTENSION_MAX) {
        body->state = HTTP_BODY_SIZE_BLANK;
        body->skipped++;
    } else {
        body->state = HTTP_BODY_BAD;
    }
}

/* Extensions and trailers: anything printable up to the line's end, at most max bytes. */
static void
skipped_byte(struct http_body *body, char c, unsigned max, enum http_body_state line_end)
{
    body->skipped++;
    if (body->skipped > max || (c != '\r' && !is_text(c)))
        body->state = HTTP_BODY_BAD;
    else if (c == '\r')
        body->state = line_end;
}

/* A byte that has to be this one. */
static void
fixed_byte(struct http_body *body, bool right, enum http_body_state then)
{
    body->state = right ? then : HTTP_BODY_BAD;
}

/* One byte of the framing around chunks, in order of appearance. */
static void
framing_byte(struct http_body *body, char c)
{
    switch (body->state) {
    case HTTP_BODY_SIZE:
    case HTTP_BODY_SIZE_BLANK:
        chunk_size_byte(body, c);
        break;
    case HTTP_BODY_EXTENSION:
        skipped_byte(body, c, HTTP_CHUNK_EXTENSION_MAX, HTTP_BODY_SIZE_LF);
        break;
    case HTTP_BODY_SIZE_LF:
        fixed_byte(body, c == '\n', body->left > 0 ? HTTP_BODY_CHUNK : HTTP_BODY_TRAILER_START);
        body->skipped = 0;
        body->digits = 0;
        break;
    case HTTP_BODY_CHUNK_CR:
        fixed_byte(body, c == '\r', HTTP_BODY_CHUNK_LF);
        break;
    case HTTP_BODY_CHUNK_LF:
        fixed_byte(body, c == '\n', HTTP_BODY_SIZE);
        break;
    case HTTP_BODY_TRAILER_START:
        if (c == '\r')
            body->state = HTTP_BODY_LAST_LF;
        else
            fixed_byte(body, is_token(c) && ++body->skipped <= HTTP_TRAILERS_MAX,
                       HTTP_BODY_TRAILER);
        break;
    case HTTP_BODY_TRAILER:
        skipped_byte(body, c, HTTP_TRAILERS_MAX, HTTP_BODY_TRAILER_LF);
        break;
    case HTTP_BODY_TRAILER_LF:
        fixed_byte(body, c == '\n' && ++body->skipped <= HTTP_TRAILERS_MAX,
                   HTTP_BODY_TRAILER_START);
        break;
    case HTTP_BODY_LAST_LF:
        fixed_byte(body, c == '\n', HTTP_BODY_DONE);
        break;
    case HTTP_BODY_BAD:
    case HTTP_BODY_DONE:
    case HTTP_BODY_LENGTH:
    case HTTP_BODY_UNTIL_CLOSE:
    case HTTP_BODY_CHUNK:
        break;
    }
}

static void
payload(struct http_body *body, struct span *in, struct span *piece)
{
    *piece = *in;
    if (body->state != HTTP_BODY_UNTIL_CLOSE) {
        if (piece->len > body->left)
            piece->len = (size_t)body->left;
        body->left -= piece->len;
    }
    *in = span_skip(*in, piece->len);
    if (body->state == HTTP_BODY_LENGTH && body->left == 0)
        body->state = HTTP_BODY_DONE;
    if (body->state == HTTP_BODY_CHUNK && body->left == 0)
        body->state = HTTP_BODY_CHUNK_CR;
}

int
http_body_next(struct http_body *body, struct span *in, struct span *piece)
{
    *piece = (struct span){NULL, 0};
    while (body->state != HTTP_BODY_DONE) {
        if (body->state == HTTP_BODY_BAD)
            return ERR_BAD;
        if (in->len == 0)
            return ERR_MORE;
        if (body->state == HTTP_BODY_LENGTH || body->state == HTTP_BODY_CHUNK ||
            body->state == HTTP_BODY_UNTIL_CLOSE) {
            payload(body, in, piece);
            return 1;
        }
        framing_byte(body, in->p[0]);
        *in = span_skip(*in, 1);
    }
    return 0;
}

int
http_body_eof(const struct http_body *body)
{
    return body->state == HTTP_BODY_DONE || body->state == HTTP_BODY_UNTIL_CLOSE ? 0 : ERR_BAD;
}
