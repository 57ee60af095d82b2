#include "protocol/put_records.h"

#include "protocol/json_walk.h"
#include "protocol/out.h"

#include <limits.h>
#include <string.h>

/* see put_records.h */

/* The body's parts in order; RECORD_OPEN to RECORD_CLOSE come once per record. */
enum part {
    OPEN,
    NAME_OPEN,
    NAME,
    NAME_CLOSE,
    ARN_OPEN,
    ARN,
    ARN_CLOSE,
    RECORDS_OPEN,
    RECORD_OPEN,
    DATA,
    KEY_OPEN,
    KEY,
    RECORD_CLOSE,
    CLOSE,
    END
};

/* What a part consists of: bytes, and how they are written. */
struct piece {
    enum { PLAIN, ESCAPED, BASE64 } form;
    struct span bytes;
    size_t len; /* when written */
};

static size_t
base64_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* One byte as a JSON string has it: at most six. */
static struct out
escaped(const char *byte, char code[6])
{
    struct out o = out_to(code, 6);

    out_json(&o, (struct span){byte, 1});
    return o;
}

static size_t
escaped_len(struct span s)
{
    size_t len = s.len;
    char code[6];

    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == '"' || s.p[i] == '\\')
            len += escaped(s.p + i, code).len - 1;
    return len;
}

static struct piece
plain(struct span bytes)
{
    return (struct piece){PLAIN, bytes, bytes.len};
}

static struct piece
plain_if(bool wanted, struct span bytes)
{
    return plain(wanted ? bytes : (struct span){NULL, 0});
}

static struct piece
text(struct span bytes)
{
    return (struct piece){ESCAPED, bytes, escaped_len(bytes)};
}

static struct piece
piece_of(enum part part, const struct put_records *p, const struct put_record *r)
{
    switch (part) {
    case OPEN:
        return plain(SPAN("{"));
    case NAME_OPEN:
        return plain_if(p->stream_name.len > 0, SPAN("\"StreamName\":\""));
    case NAME:
        return text(p->stream_name);
    case NAME_CLOSE:
        return plain_if(p->stream_name.len > 0, SPAN("\","));
    case ARN_OPEN:
        return plain_if(p->stream_arn.len > 0, SPAN("\"StreamARN\":\""));
    case ARN:
        return text(p->stream_arn);
    case ARN_CLOSE:
        return plain_if(p->stream_arn.len > 0, SPAN("\","));
    case RECORDS_OPEN:
        return plain(SPAN("\"Records\":["));
    case RECORD_OPEN:
        return p->index == 0 ? plain(SPAN("{\"Data\":\"")) : plain(SPAN(",{\"Data\":\""));
    case DATA:
        return (struct piece){BASE64, r->data, base64_len(r->data.len)};
    case KEY_OPEN:
        return plain(SPAN("\",\"PartitionKey\":\""));
    case KEY:
        return text(r->partition_key);
    case RECORD_CLOSE:
        return plain(SPAN("\"}"));
    case CLOSE:
        return plain(SPAN("]}"));
    case END:
        break;
    }
    return plain((struct span){NULL, 0});
}

size_t
put_records_size(size_t data_len, struct span partition_key)
{
    return sizeof ",{\"Data\":\"\",\"PartitionKey\":\"\"}" - 1 + base64_len(data_len) +
           escaped_len(partition_key);
}

size_t
put_records_base(const struct put_records *p)
{
    size_t len = 0;

    for (enum part part = OPEN; part <= RECORDS_OPEN; part++)
        len += piece_of(part, p, NULL).len;
    /* every record's size counts a separator, but the first has none */
    return len + sizeof "]}" - 1 - 1;
}

uint64_t
put_records_length(const struct put_records *p)
{
    uint64_t len = put_records_base(p);

    for (size_t i = 0; i < p->records_len; i++) {
        struct put_record r = {0};

        p->record(p->context, i, &r);
        len += put_records_size(r.data.len, r.partition_key);
    }
    return len;
}

void
put_records_rewind(struct put_records *p)
{
    p->index = 0;
    p->part = OPEN;
    p->at = 0;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Whole groups: n times three bytes to four characters. */
static void
base64_bulk(const unsigned char *from, size_t n, char *to)
{
    for (; n > 0; n--, from += 3, to += 4) {
        unsigned group = (unsigned)from[0] << 16 | (unsigned)from[1] << 8 | from[2];

        to[0] = alphabet[group >> 18];
        to[1] = alphabet[group >> 12 & 63];
        to[2] = alphabet[group >> 6 & 63];
        to[3] = alphabet[group & 63];
    }
}

/* One group, the last one padded. */
static void
base64_group(struct span data, size_t index, char group[4])
{
    size_t left = data.len - index * 3;
    unsigned char bytes[3] = {0};

    memcpy(bytes, data.p + index * 3, left < 3 ? left : 3);
    base64_bulk(bytes, 1, group);
    for (size_t i = left + 1; i < 4; i++)
        group[i] = '=';
}

/* Characters from..from + n - 1 of the data's base64. */
static void
base64_copy(struct span data, size_t from, char *to, size_t n)
{
    while (n > 0) {
        size_t index = from / 4;
        size_t bulk = n / 4 < data.len / 3 - index ? n / 4 : data.len / 3 - index;
        size_t take;
        char group[4];

        if (from % 4 == 0 && bulk > 0) {
            base64_bulk((const unsigned char *)data.p + index * 3, bulk, to);
            take = bulk * 4;
        } else {
            base64_group(data, index, group);
            take = 4 - from % 4 < n ? 4 - from % 4 : n;
            memcpy(to, group + from % 4, take);
        }
        from += take;
        to += take;
        n -= take;
    }
}

/* Bytes from..from + n - 1 of the escaped text. */
static void
escaped_copy(struct span s, size_t from, char *to, size_t n)
{
    for (size_t i = 0; n > 0; i++) {
        char code[6];
        size_t len = escaped(s.p + i, code).len;
        size_t skip = from < len ? from : len;
        size_t take = len - skip < n ? len - skip : n;

        memcpy(to, code + skip, take);
        from -= skip;
        to += take;
        n -= take;
    }
}

static void
piece_copy(const struct piece *piece, size_t from, char *to, size_t n)
{
    if (piece->form == BASE64)
        base64_copy(piece->bytes, from, to, n);
    else if (piece->form == ESCAPED && piece->len > piece->bytes.len)
        escaped_copy(piece->bytes, from, to, n);
    else
        memcpy(to, piece->bytes.p + from, n);
}

static void
advance(struct put_records *p)
{
    p->at = 0;
    if (p->part == RECORD_CLOSE && ++p->index < p->records_len)
        p->part = RECORD_OPEN;
    else
        p->part++;
}

size_t
put_records_read(struct put_records *p, char *buffer, size_t cap)
{
    struct put_record r = {0};
    size_t asked = SIZE_MAX; /* the record that r is */
    size_t len = 0;

    while (len < cap && p->part != END) {
        struct piece piece;
        size_t n;

        if ((p->part == DATA || p->part == KEY) && asked != p->index) {
            p->record(p->context, p->index, &r);
            asked = p->index;
        }
        piece = piece_of(p->part, p, &r);
        n = piece.len > p->at ? piece.len - p->at : 0;
        if (n > cap - len)
            n = cap - len;
        if (n > 0)
            piece_copy(&piece, p->at, buffer + len, n);
        len += n;
        p->at += n;
        if (p->at == piece.len)
            advance(p);
    }
    return len;
}

/* One entry of the reply. Source: Kinesis API reference, PutRecordsResultEntry. */
struct entry {
    struct span code;
    struct span message;
};

static int
read_entry(struct span value, struct entry *e)
{
    bool accepted = false;
    struct span name;
    struct json_walk w;
    int got;

    *e = (struct entry){0};
    if (json_walk_open(&w, value) < 0 || w.close != '}')
        return ERR_BAD;
    while ((got = json_walk_next(&w, &name, &value)) == 1) {
        /* null and "" both mean that there is none */
        struct span string = json_walk_string(value);

        if (span_same(name, SPAN("ErrorCode")))
            e->code = string;
        else if (span_same(name, SPAN("ErrorMessage")))
            e->message = string;
        else if (span_same(name, SPAN("SequenceNumber")))
            accepted = string.len > 0;
    }
    return got < 0 || (e->code.len == 0 && !accepted) ? ERR_BAD : 0;
}

/* The reply's array of entries, once the whole body is known to be well-formed. */
static int
find_entries(struct span body, struct span *entries)
{
    struct span name;
    struct span value;
    struct json_walk w;
    int got;

    *entries = (struct span){NULL, 0};
    if (json_walk_open(&w, body) < 0 || w.close != '}')
        return ERR_BAD;
    while ((got = json_walk_next(&w, &name, &value)) == 1) {
        uint64_t number;

        if (span_same(name, SPAN("Records")))
            *entries = value;
        else if (span_same(name, SPAN("FailedRecordCount")) &&
                 span_number(value, UINT64_MAX, &number) < 0)
            return ERR_BAD;
    }
    return got < 0 ? ERR_BAD : 0;
}

int
put_records_reply(struct span body, size_t records_len,
                  void (*result)(void *context, size_t index, struct span code,
                                 struct span message),
                  void *context)
{
    struct span entries;
    struct span name;
    struct span value;
    struct json_walk w;
    struct entry e;
    size_t n = 0;
    int failed = 0;
    int got;

    if (find_entries(body, &entries) < 0 || json_walk_open(&w, entries) < 0 || w.close != ']')
        return ERR_BAD;
    while ((got = json_walk_next(&w, &name, &value)) == 1) {
        if (read_entry(value, &e) < 0)
            return ERR_BAD;
        n++;
    }
    if (got < 0 || n != records_len)
        return ERR_BAD;
    (void)json_walk_open(&w, entries);
    for (n = 0; json_walk_next(&w, &name, &value) == 1; n++) {
        (void)read_entry(value, &e);
        failed += e.code.len > 0;
        result(context, n, e.code, e.message);
    }
    return failed;
}
