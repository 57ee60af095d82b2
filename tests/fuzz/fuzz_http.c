/* Heads and bodies of requests and of responses: each input is read as either. */
#include "fuzz.h"
#include "protocol/http.h"

#include <string.h>

/* Up to this length every prefix is tried, above it some. */
#define EVERY_PREFIX 300

struct kind {
    int (*head)(struct span in, struct http_head *head);
    int (*body)(const struct http_head *head, struct http_body *body);
    bool request;
};

static const struct kind kinds[] = {
    {http_request_head, http_request_body, true},
    {http_response_head, http_response_body, false},
};

static bool
has_control(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return true;
    return false;
}

static void
check_head(const struct kind *kind, struct span in, const struct http_head *head, int len)
{
    struct span bytes = {in.p, (size_t)len};

    FACT(bytes.len <= in.len);
    FACT(memcmp(in.p + len - 4, "\r\n\r\n", 4) == 0);
    FACT(head->minor <= 1 && head->fields_len <= HTTP_FIELDS_MAX);
    FACT(kind->request || (head->status >= 100 && head->status <= 999));
    if (kind->request) {
        FACT(head->method.len > 0 && fuzz_within(head->method, bytes));
        FACT(head->target.len > 0 && fuzz_within(head->target, bytes));
    }
    for (size_t i = 0; i < head->fields_len; i++) {
        struct span name = head->fields[i].name, value = head->fields[i].value, found;

        FACT(name.len > 0 && fuzz_within(name, bytes) && !has_control(name));
        FACT(fuzz_within(value, bytes) && !has_control(value));
        FACT(span_same(span_trim(value), value));
        found = http_field(head, fuzz_copy(name));
        FACT(found.p != NULL && found.p <= value.p);
    }
    FACT(http_field(head, SPAN("")).p == NULL);
    (void)http_keeps_alive(head);
    FACT(http_has_host(head) || head->minor == 1);
    FACT(!http_has_host(head) || head->minor == 0 || http_field(head, SPAN("host")).p != NULL);
}

/* A head that is not all there yet wants more; what is decided once stays so. */
static void
check_prefixes(const struct kind *kind, struct span in, int whole)
{
    size_t step = in.len <= EVERY_PREFIX ? 1 : in.len / 16;
    char *room = fuzz_room(in.len);
    int before = ERR_MORE;

    for (size_t n = 0; n < in.len; n += step) {
        struct http_head head;
        int got = kind->head(fuzz_lay(room, in.len, (struct span){in.p, n}), &head);

        FACT(got == before || (before == ERR_MORE && got == whole));
        before = got;
    }
    FACT(before == ERR_MORE || before == whole);
}

/* What came of a body. */
struct result {
    int got, eof;
    struct span payload;
    size_t rest; /* bytes behind it */
};

/* Feeds the body in pieces of at most so many bytes; 0: of any size. */
static struct result
read_body(struct http_body body, struct span in, size_t most)
{
    char *payload = fuzz_room(in.len), *room = fuzz_room(in.len);
    size_t cap = in.len;
    struct result r = {.got = ERR_MORE, .payload = {payload, 0}};

    do {
        size_t size = most > 0 ? most : 1 + fuzz_dice(16);
        struct span given = fuzz_lay(room, cap, (struct span){in.p, size < in.len ? size : in.len});
        struct span part = given, piece;

        while ((r.got = http_body_next(&body, &part, &piece)) == 1) {
            FACT(piece.len > 0 && fuzz_within(piece, given));
            memcpy(payload + r.payload.len, piece.p, piece.len);
            r.payload.len += piece.len;
        }
        FACT(r.got == 0 || r.got == ERR_MORE || r.got == ERR_BAD);
        FACT(fuzz_within(part, given) && (r.got != ERR_MORE || part.len == 0));
        in = span_skip(in, given.len - part.len);
    } while (r.got == ERR_MORE && in.len > 0);
    r.rest = in.len;
    r.eof = http_body_eof(&body);
    FACT(r.got != 0 || r.eof == 0);
    if (r.got == ERR_BAD) {
        struct span more = SPAN("0\r\n\r\n"), piece;

        FACT(r.eof == ERR_BAD && http_body_next(&body, &more, &piece) == ERR_BAD);
    }
    return r;
}

/*
 * Chunks without extensions and trailers, read in the plainest way: the payload, and what is behind
 * the last chunk. Returns 0; ERR_BAD where a size is left out; ERR_MORE to give no opinion.
 */
static int
plain_chunks(struct span in, struct out *payload, struct span *rest)
{
    static const char digits[] = "0123456789abcdef";

    for (;;) {
        const char *end = memmem(in.p, in.len, "\r\n", 2);
        size_t line = end == NULL ? 0 : (size_t)(end - in.p), size = 0;

        if (end == in.p)
            return ERR_BAD;
        if (line == 0 || line > 15)
            return ERR_MORE;
        for (size_t i = 0; i < line; i++) {
            char c = in.p[i] >= 'A' && in.p[i] <= 'F' ? (char)(in.p[i] | 0x20) : in.p[i];
            const char *digit = memchr(digits, c, 16);

            if (digit == NULL)
                return ERR_MORE;
            size = size * 16 + (size_t)(digit - digits);
        }
        in = span_skip(in, line + 2);
        if (in.len < size + 2 || memcmp(in.p + size, "\r\n", 2) != 0)
            return ERR_MORE;
        out_put(payload, (struct span){in.p, size});
        in = span_skip(in, size + 2);
        if (size == 0) {
            *rest = in;
            return 0;
        }
    }
}

static void
check_chunks(struct span in, const struct result *whole)
{
    struct out payload = out_to(fuzz_room(in.len), in.len);
    struct span rest;
    int got = plain_chunks(in, &payload, &rest);

    FACT(got == ERR_MORE || whole->got == got);
    if (got == 0)
        FACT(whole->rest == rest.len && span_same(whole->payload, out_span(&payload)));
}

static void
check_body(const struct http_body *body, struct span in)
{
    struct result whole = read_body(*body, in, in.len + 1);

    if (body->state == HTTP_BODY_SIZE)
        check_chunks(in, &whole);
    for (size_t most = 0; most <= 1; most++) {
        struct result parts = read_body(*body, in, most);

        FACT(parts.got == whole.got && parts.eof == whole.eof);
        FACT(span_same(parts.payload, whole.payload));
        /* where exactly it broke nobody needs to know */
        FACT(whole.got == ERR_BAD || parts.rest == whole.rest);
    }
    if (body->state == HTTP_BODY_LENGTH)
        FACT(whole.payload.len == (body->left < in.len ? body->left : in.len));
    if (body->state == HTTP_BODY_UNTIL_CLOSE)
        FACT(whole.payload.len == in.len && whole.eof == 0);
}

void
fuzz(struct span in)
{
    for (size_t i = 0; i < FUZZ_LEN(kinds); i++) {
        struct http_head head;
        struct http_body body;
        int len = kinds[i].head(in, &head);

        FACT(len > 0 || len == ERR_MORE || len == ERR_BAD || len == ERR_BIG);
        check_prefixes(&kinds[i], in, len);
        if (len <= 0)
            continue;
        check_head(&kinds[i], in, &head, len);
        if (kinds[i].body(&head, &body) == 0)
            check_body(&body, span_skip(in, (size_t)len));
    }
}
