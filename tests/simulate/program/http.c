#include "http.h"

#include <stdlib.h>

#include "world.h"

/* see http.h */

enum { HEAD_MAX = 65536, BODY_MAX = 16 << 20, FIRST_CAP = 4096 };

/* What the head says of the body. */
struct framing {
    bool chunked, has_length;
    size_t length;
};

static void __attribute__((noreturn))
violated(struct http_reader *r, const char *what, struct span where)
{
    r->broken = true;
    world_break("HTTP: %s: %.*s", what, (int)(where.len < 200 ? where.len : 200), where.p);
}

/* --- characters ---------------------------------------------------------------------------------- */

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
same_name(struct span a, const char *b)
{
    size_t i = 0;

    for (; i < a.len && b[i] != '\0'; i++)
        if (lower(a.p[i]) != lower(b[i]))
            return false;
    return i == a.len && b[i] == '\0';
}

/* Source: RFC 9110, 5.6.2. */
static bool
token(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = lower(s.p[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
            return false;
    }
    return s.len > 0;
}

/* Source: RFC 9110, 5.5; without obs-text, which nothing here needs. */
static bool
field_text(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

static struct span
trimmed(struct span s)
{
    while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = (struct span){s.p + 1, s.len - 1};
    while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    return s;
}

struct span
http_value(const struct http_message *message, const char *name)
{
    for (unsigned i = 0; i < message->fields_len; i++)
        if (same_name(message->fields[i].name, name))
            return message->fields[i].value;
    return (struct span){NULL, 0};
}

static unsigned
times(const struct http_message *m, const char *name)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->fields_len; i++)
        n += same_name(m->fields[i].name, name);
    return n;
}

/* --- heads ---------------------------------------------------------------------------------------- */

/* The next line of *rest, without its end, which must be \r\n. */
static struct span
line(struct http_reader *r, struct span *rest)
{
    const char *end = memchr(rest->p, '\n', rest->len);
    struct span s = {rest->p, end == NULL ? rest->len : (size_t)(end - rest->p)};

    if (end == NULL || s.len == 0 || s.p[s.len - 1] != '\r')
        violated(r, "a line does not end in CR LF", s);
    *rest = (struct span){end + 1, rest->len - s.len - 1};
    s.len--;
    return s;
}

static void
read_request_line(struct http_reader *r, struct span s, struct http_message *m)
{
    const char *blank = memchr(s.p, ' ', s.len);
    const char *second;

    if (blank == NULL)
        violated(r, "no request line", s);
    m->method = (struct span){s.p, (size_t)(blank - s.p)};
    second = memchr(blank + 1, ' ', s.len - m->method.len - 1);
    if (second == NULL || (size_t)(s.p + s.len - second) != 9 ||
        memcmp(second, " HTTP/1.1", 9) != 0 || !token(m->method))
        violated(r, "no request line", s);
    m->target = (struct span){blank + 1, (size_t)(second - blank - 1)};
    if (m->target.len == 0 || (m->target.p[0] != '/' && !same_name(m->method, "connect")))
        violated(r, "no target in origin form", s);
    for (size_t i = 0; i < m->target.len; i++)
        if (m->target.p[i] <= ' ' || m->target.p[i] == 0x7f)
            violated(r, "a target that is not encoded", s);
}

static void
read_status_line(struct http_reader *r, struct span s, struct http_message *m)
{
    if (s.len < 12 || memcmp(s.p, "HTTP/1.1 ", 9) != 0 || (s.len > 12 && s.p[12] != ' '))
        violated(r, "no status line", s);
    for (unsigned i = 9; i < 12; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            violated(r, "no status line", s);
        m->status = m->status * 10 + (unsigned)(s.p[i] - '0');
    }
    if (m->status < 100 || m->status > 599)
        violated(r, "no status", s);
}

static void
read_field(struct http_reader *r, struct span s, struct http_message *m)
{
    const char *colon = memchr(s.p, ':', s.len);
    struct http_field *f = &m->fields[m->fields_len];

    if (colon == NULL)
        violated(r, "no field", s);
    if (m->fields_len == HTTP_FIELDS_MAX)
        violated(r, "too many fields", s);
    f->name = (struct span){s.p, (size_t)(colon - s.p)};
    f->value = trimmed((struct span){colon + 1, s.len - f->name.len - 1});
    if (!token(f->name) || !field_text(f->value))
        violated(r, "no field", s);
    m->fields_len++;
}

static void
read_length(struct http_reader *r, const struct http_message *m, struct framing *f)
{
    struct span s = http_value(m, "content-length");

    f->has_length = s.p != NULL;
    if (f->has_length && s.len == 0)
        violated(r, "no length", s);
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || f->length > BODY_MAX)
            violated(r, "no length", s);
        f->length = f->length * 10 + (size_t)(s.p[i] - '0');
    }
    if (f->length > BODY_MAX)
        violated(r, "too large a body", s);
}

static void
check_fields(struct http_reader *r, const struct http_message *m, const struct framing *f)
{
    static const char *const once[] = {"host",
                                       "content-length",
                                       "transfer-encoding",
                                       "content-type",
                                       "authorization",
                                       "connection",
                                       "x-amz-date",
                                       "x-amz-target",
                                       "x-amz-security-token",
                                       "lambda-extension-name"};

    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        if (times(m, once[i]) > 1)
            violated(r, "a field that comes twice", (struct span){once[i], strlen(once[i])});
    if (f->chunked && f->has_length)
        violated(r, "a length and chunks", (struct span){"", 0});
    if (r->responses)
        return;
    if (http_value(m, "host").len == 0)
        violated(r, "no Host", m->target);
    if (http_value(m, "expect").p != NULL)
        violated(r, "Expect", http_value(m, "expect"));
    if (!f->chunked && !f->has_length &&
        (same_name(m->method, "post") || same_name(m->method, "put")))
        violated(r, "neither length nor chunks", m->target);
}

/* Reads a head that is whole. */
static void
read_head(struct http_reader *r, struct span head, struct http_message *m, struct framing *f)
{
    struct span first = line(r, &head);
    struct span coding;

    if (r->responses)
        read_status_line(r, first, m);
    else
        read_request_line(r, first, m);
    while (head.len > 2)
        read_field(r, line(r, &head), m);
    read_length(r, m, f);
    coding = http_value(m, "transfer-encoding");
    if (coding.p != NULL && !same_name(coding, "chunked"))
        violated(r, "a coding that nobody asked for", coding);
    f->chunked = coding.p != NULL;
    check_fields(r, m, f);
    if (r->responses && (m->status < 200 || m->status == 204 || m->status == 304)) {
        if (f->chunked || f->length > 0)
            violated(r, "a body where there is none", first);
    } else if (r->responses && !f->chunked && !f->has_length) {
        violated(r, "neither length nor chunks", first);
    }
}

/* The bytes of the head, its empty line included; 0 if it is not whole. */
static size_t
head_len(struct http_reader *r)
{
    for (size_t i = 3; i < r->len; i++)
        if (r->bytes[i] == '\n' && memcmp(r->bytes + i - 3, "\r\n\r", 3) == 0)
            return i + 1;
    if (r->len > HEAD_MAX)
        violated(r, "too long a head", (struct span){r->bytes, r->len});
    return 0;
}

/* --- bodies --------------------------------------------------------------------------------------- */

static bool
hex_digit(char c, size_t *value)
{
    c = lower(c);
    if (c >= '0' && c <= '9')
        *value = *value * 16 + (size_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *value = *value * 16 + (size_t)(c - 'a' + 10);
    else
        return false;
    return *value <= BODY_MAX;
}

/* The line of a chunk's size at `at`. Returns where its data begins, or 0 if it is not whole. */
static size_t
chunk_head(struct http_reader *r, size_t at, size_t *size)
{
    size_t i = at;

    for (*size = 0; i < r->len && hex_digit(r->bytes[i], size); i++)
        ;
    if (r->len - i < 2)
        return 0;
    if (i == at || r->bytes[i] != '\r' || r->bytes[i + 1] != '\n')
        violated(r, "no chunk", (struct span){r->bytes + at, r->len - at});
    return i + 2;
}

/* Puts the chunks from `at` together. Returns where the message ends, or 0 if it is not whole. */
static size_t
join_chunks(struct http_reader *r, size_t at, struct span *body, bool join)
{
    char *to = r->bytes + at;
    size_t size;

    body->p = to;
    do {
        size_t data = chunk_head(r, at, &size);

        if (data == 0 || r->len - data < size + 2)
            return 0;
        if (r->bytes[data + size] != '\r' || r->bytes[data + size + 1] != '\n')
            violated(r, "a chunk that does not end", (struct span){r->bytes + data, size});
        if (join)
            memmove(to, r->bytes + data, size);
        to += size;
        at = data + size + 2;
    } while (size > 0);
    body->len = (size_t)(to - body->p);
    return at;
}

/* Where the message ends, or 0 if it is not whole. */
static size_t
read_body(struct http_reader *r, size_t head, const struct framing *f, struct span *body)
{
    if (f->chunked)
        return join_chunks(r, head, body, false) == 0 ? 0 : join_chunks(r, head, body, true);
    r->need = head + f->length;
    *body = (struct span){r->bytes + head, f->length};
    return r->len < r->need ? 0 : r->need;
}

static void
append(struct http_reader *r, struct span bytes)
{
    size_t cap = r->cap == 0 ? FIRST_CAP : r->cap;

    while (cap - r->len < bytes.len)
        cap *= 2;
    if (cap != r->cap) {
        char *p = realloc(r->bytes, cap);

        if (p == NULL)
            world_break("HTTP: no memory");
        r->bytes = p;
        r->cap = cap;
    }
    if (bytes.len > 0)
        memcpy(r->bytes + r->len, bytes.p, bytes.len);
    r->len += bytes.len;
}

/* Whether there was a whole message, which is then handed over and gone. */
static bool
take_one(struct http_reader *r)
{
    struct http_message m = {.status = 0};
    struct framing f = {.length = 0};
    size_t head, end;

    if (r->broken || r->len == 0 || r->len < r->need)
        return false;
    head = head_len(r);
    if (head == 0)
        return false;
    read_head(r, (struct span){r->bytes, head}, &m, &f);
    end = read_body(r, head, &f, &m.body);
    if (end == 0)
        return false;
    r->need = 0;
    r->whole(r->context, &m);
    if (r->bytes == NULL)
        return false;
    r->len -= end;
    memmove(r->bytes, r->bytes + end, r->len);
    return true;
}

void
http_take(struct http_reader *reader, struct span bytes)
{
    if (reader->broken || bytes.len == 0)
        return;
    append(reader, bytes);
    while (take_one(reader))
        ;
}

void
http_free(struct http_reader *reader)
{
    free(reader->bytes);
    reader->bytes = NULL;
    reader->len = reader->cap = reader->need = 0;
}
