#include "protocol/dead_letter_object.h"

#include "protocol/timestamp.h"
#include "protocol/utf8.h"

/* see dead_letter_object.h */

/* The parts of a line in order. */
enum part { DATA_OPEN, DATA, KEY_OPEN, KEY, CLOSE };

static const char text_open[] = "{\"Data\":\"";
static const char base64_open[] = "{\"DataBase64\":\"";
static const char key_open[] = "\",\"PartitionKey\":\"";
static const char line_close[] = "\"}\n";

static bool
is_text(struct span s)
{
    while (s.len > 0) {
        size_t len = utf8_char(s);

        if (len == 0)
            return false;
        s = span_skip(s, len);
    }
    return true;
}

static struct segment
segment_of(enum part part, const struct put_record *r, bool text)
{
    switch (part) {
    case DATA_OPEN:
        return (struct segment){SEGMENT_PLAIN, text ? SPAN(text_open) : SPAN(base64_open)};
    case DATA:
        return (struct segment){text ? SEGMENT_ESCAPED : SEGMENT_BASE64, r->data};
    case KEY_OPEN:
        return (struct segment){SEGMENT_PLAIN, SPAN(key_open)};
    case KEY:
        return (struct segment){SEGMENT_ESCAPED, r->partition_key};
    case CLOSE:
        break;
    }
    return (struct segment){SEGMENT_PLAIN, SPAN(line_close)};
}

size_t
dead_letter_object_line_size(const struct put_record *record)
{
    bool text = is_text(record->data);
    size_t len = 0;

    for (enum part part = DATA_OPEN; part <= CLOSE; part++) {
        struct segment segment = segment_of(part, record, text);

        len += segment_len(&segment);
    }
    return len;
}

bool
dead_letter_object_is_line(struct span record)
{
    return span_starts(record, SPAN("{\"Data\":\"")) ||
           span_starts(record, SPAN("{\"DataBase64\":\"")) ||
           span_starts(record, SPAN("\"{\\\"Data\\\":\\\"")) ||
           span_starts(record, SPAN("\"{\\\"DataBase64\\\":\\\""));
}

void
dead_letter_object_rewind(struct dead_letter_object *d)
{
    d->index = 0;
    d->part = DATA_OPEN;
    d->cursor = (struct segment_cursor){0, 0};
}

/* After a segment: the next part, or the next record's first. */
static void
advance(struct dead_letter_object *d)
{
    d->cursor = (struct segment_cursor){0, 0};
    if (d->part++ == CLOSE) {
        d->part = DATA_OPEN;
        d->index++;
    }
}

size_t
dead_letter_object_read(struct dead_letter_object *d, char *buffer, size_t cap)
{
    struct put_record r = {0};
    size_t asked = SIZE_MAX; /* index of the record in r */
    size_t len = 0;

    while (len < cap && d->index < d->records_len) {
        struct segment segment;

        if (asked != d->index) {
            d->record(d->context, d->index, &r);
            asked = d->index;
        }
        if (d->part == DATA_OPEN && d->cursor.at == 0)
            d->text = is_text(r.data);
        segment = segment_of(d->part, &r, d->text);
        len += segment_read(&segment, &d->cursor, buffer + len, cap - len);
        if (segment_ended(&segment, &d->cursor))
            advance(d);
    }
    return len;
}

static void
put_encoded(struct out *o, struct span s)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        struct span byte = {s.p + i, 1};

        if (span_made_of(byte, "-._~/")) {
            out_put(o, byte);
        } else {
            out_byte(o, '%');
            out_byte(o, digits[(unsigned char)s.p[i] >> 4]);
            out_byte(o, digits[(unsigned char)s.p[i] & 15]);
        }
    }
}

static struct span
function_of(const struct dead_letter_name *n)
{
    struct span name = n->function_name;

    if (name.len > DEAD_LETTER_FUNCTION_MAX)
        name.len = DEAD_LETTER_FUNCTION_MAX;
    return name;
}

/* 2026/11/20/20261120T120000123Z */
static void
put_moment(struct out *o, uint64_t unix_ms)
{
    char rfc3339[TIMESTAMP_RFC3339_LEN]; /* 2026-11-20T12:00:00.123Z */
    char basic[TIMESTAMP_BASIC_LEN];     /* 20261120T120000Z */

    timestamp_rfc3339(unix_ms, rfc3339);
    timestamp_basic(unix_ms, basic);
    out_put(o, (struct span){basic, 4});
    out_byte(o, '/');
    out_put(o, (struct span){basic + 4, 2});
    out_byte(o, '/');
    out_put(o, (struct span){basic + 6, 2});
    out_byte(o, '/');
    out_put(o, (struct span){basic, sizeof basic - 1});
    out_put(o, (struct span){rfc3339 + 20, 4});
}

int
dead_letter_object_path(struct out *o, const struct dead_letter_name *n)
{
    if (!span_same(n->base, SPAN("/")))
        out_put(o, n->base);
    if (n->bucket.len > 0) {
        out_byte(o, '/');
        out_put(o, n->bucket);
    }
    if (n->prefix.len > 0) {
        out_byte(o, '/');
        put_encoded(o, n->prefix);
    }
    out_byte(o, '/');
    put_moment(o, n->unix_ms);
    out_byte(o, '-');
    put_encoded(o, function_of(n));
    out_byte(o, '-');
    put_encoded(o, n->sandbox);
    out_byte(o, '-');
    out_padded(o, n->sequence, 8);
    out_put(o, SPAN(".ndjson"));
    return out_end(o);
}

size_t
dead_letter_object_path_max(const struct dead_letter_name *n)
{
    return n->base.len + 1 + n->bucket.len + 1 + 3 * n->prefix.len +
           sizeof "/2026/11/20/20261120T120000123Z-" + 3 * function_of(n).len + 1 +
           3 * n->sandbox.len + sizeof "-18446744073709551615.ndjson";
}
