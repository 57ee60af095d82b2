#include "protocol/put_records.h"

#include <string.h>

#include "protocol/cbor.h"
#include "protocol/copy.h"

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

static struct segment
plain(struct span bytes)
{
    return (struct segment){SEGMENT_PLAIN, bytes};
}

static struct segment
plain_if(bool wanted, struct span bytes)
{
    return plain(wanted ? bytes : (struct span){NULL, 0});
}

static struct segment
text(struct span bytes)
{
    return (struct segment){SEGMENT_ESCAPED, bytes};
}

static struct segment
base64(struct span bytes)
{
    return (struct segment){SEGMENT_BASE64, bytes};
}

COLD static struct segment
json_segment(enum part part, const struct put_records *p, const struct put_record *r)
{
    switch (part) {
    case OPEN:
        return plain(p->dry_run ? SPAN("{\"DryRun\":true,") : SPAN("{"));
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
        return base64(r->data);
    case KEY_OPEN:
        return plain_if(r->partition_key.len > 0, SPAN("\",\"PartitionKey\":\""));
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

/* Maps and arrays of indefinite length (0xbf, 0x9f) and their end (0xff); each name follows its head. */
#define CBOR_NAME_OPEN "\x6aStreamName"
#define CBOR_ARN_OPEN "\x69StreamARN"
#define CBOR_RECORD_OPEN                                                                           \
    "\xbf\x64"                                                                                     \
    "Data"
#define CBOR_KEY_OPEN "\x6cPartitionKey"
#define CBOR_CLOSE "\xff"

/* Room for the longest of these and a head. */
#define CBOR_OPEN_MAX (sizeof CBOR_KEY_OPEN - 1 + CBOR_HEAD_MAX)

/* The bytes of a record that are not data or key, and a few more that write_record needs. */
#define WHOLE_MAX (sizeof CBOR_RECORD_OPEN CBOR_KEY_OPEN CBOR_CLOSE + CBOR_HEAD_MAX + CBOR_HEAD_MAX)

/* A name and the head of its value. */
static struct segment
cbor_open(struct span name, enum cbor_major major, size_t len, char *room)
{
    memcpy(room, name.p, name.len);
    return plain((struct span){room, name.len + cbor_head(room + name.len, major, len)});
}

COLD static struct segment
cbor_segment(enum part part, const struct put_records *p, const struct put_record *r, char *room)
{
    switch (part) {
    case OPEN:
        return plain(SPAN("\xbf"));
    case NAME_OPEN:
        if (p->stream_name.len > 0)
            return cbor_open(SPAN(CBOR_NAME_OPEN), CBOR_TEXT, p->stream_name.len, room);
        break;
    case NAME:
        return plain(p->stream_name);
    case ARN_OPEN:
        if (p->stream_arn.len > 0)
            return cbor_open(SPAN(CBOR_ARN_OPEN), CBOR_TEXT, p->stream_arn.len, room);
        break;
    case ARN:
        return plain(p->stream_arn);
    case RECORDS_OPEN:
        return plain(SPAN("\x67Records\x9f"));
    case RECORD_OPEN:
        return cbor_open(SPAN(CBOR_RECORD_OPEN), CBOR_BYTES, r->data.len, room);
    case DATA:
        return plain(r->data);
    case KEY_OPEN:
        if (r->partition_key.len > 0)
            return cbor_open(SPAN(CBOR_KEY_OPEN), CBOR_TEXT, r->partition_key.len, room);
        break;
    case KEY:
        return plain(r->partition_key);
    case RECORD_CLOSE:
        return plain(SPAN(CBOR_CLOSE));
    case CLOSE:
        return plain(SPAN(CBOR_CLOSE CBOR_CLOSE));
    case NAME_CLOSE:
    case ARN_CLOSE:
    case END:
        break;
    }
    return plain((struct span){NULL, 0});
}

/* A part as a segment. room, CBOR_OPEN_MAX bytes, has to stay unchanged as long as the segment is used. */
static struct segment
segment_of(enum part part, const struct put_records *p, const struct put_record *r, char *room)
{
    return p->form == WIRE_CBOR ? cbor_segment(part, p, r, room) : json_segment(part, p, r);
}

static size_t
cbor_size(size_t data_len, size_t key_len)
{
    size_t len = sizeof CBOR_RECORD_OPEN CBOR_CLOSE - 1 + cbor_head_len(data_len) + data_len;

    return key_len == 0 ? len : len + sizeof CBOR_KEY_OPEN - 1 + cbor_head_len(key_len) + key_len;
}

size_t
put_records_size(enum wire_form form, size_t data_len, struct span partition_key)
{
    struct segment data = base64((struct span){NULL, data_len});
    struct segment key = text(partition_key);
    size_t len = sizeof ",{\"Data\":\"\"}" - 1 + segment_len(&data);

    if (form == WIRE_CBOR)
        return cbor_size(data_len, partition_key.len);
    return partition_key.len == 0 ? len
                                  : len + sizeof ",\"PartitionKey\":\"\"" - 1 + segment_len(&key);
}

COLD static size_t
part_len(enum part part, const struct put_records *p)
{
    char room[CBOR_OPEN_MAX];
    struct segment segment = segment_of(part, p, NULL, room);

    return segment_len(&segment);
}

COLD size_t
put_records_base(const struct put_records *p)
{
    size_t len = part_len(CLOSE, p);

    for (enum part part = OPEN; part <= RECORDS_OPEN; part++)
        len += part_len(part, p);
    /* every record's size in JSON counts a separator, but the first has none */
    return p->form == WIRE_JSON ? len - 1 : len;
}

COLD uint64_t
put_records_length(const struct put_records *p)
{
    uint64_t len = put_records_base(p);

    for (size_t i = 0; i < p->records_len; i++) {
        struct put_record r = {0};

        p->record(p->context, i, &r);
        len += put_records_size(p->form, r.data.len, r.partition_key);
    }
    return len;
}

void
put_records_rewind(struct put_records *p)
{
    p->index = 0;
    p->part = OPEN;
    p->cursor = (struct segment_cursor){0, 0};
}

static void
advance(struct put_records *p)
{
    p->cursor = (struct segment_cursor){0, 0};
    if (p->part == RECORD_CLOSE && ++p->index < p->records_len)
        p->part = RECORD_OPEN;
    else
        p->part++;
}

/*
 * As cbor_head, without a call for strings below 64 KiB, which nearly all are: the length is in the
 * first byte; or that has 24, and the length is in the next one; or 25, and it is in the next two.
 */
static char *
copy_head(char *to, enum cbor_major major, size_t len)
{
    unsigned first = (unsigned)major << 5;

    if (len > UINT16_MAX)
        return to + cbor_head(to, major, len);
    if (len > UINT8_MAX) {
        *to++ = (char)(first + 25);
        *to++ = (char)(len >> 8);
    } else if (len >= 24) {
        *to++ = (char)(first + 24);
    } else {
        len += first;
    }
    *to++ = (char)len;
    return to;
}

/*
 * A whole record in CBOR at once. Names are copied as words, so bytes after the record may be overwritten,
 * but never more than WHOLE_MAX bytes in addition to data and key. Returns the record's end.
 */
static char *
write_record(const struct put_record *r, char *to)
{
    static const char open[8] = CBOR_RECORD_OPEN;
    static const char key_open[16] = CBOR_KEY_OPEN;

    memcpy(to, open, sizeof open);
    to = copy_head(to + sizeof CBOR_RECORD_OPEN - 1, CBOR_BYTES, r->data.len);
    to = copy(to, r->data);
    if (r->partition_key.len > 0) {
        memcpy(to, key_open, sizeof key_open);
        to = copy_head(to + sizeof CBOR_KEY_OPEN - 1, CBOR_TEXT, r->partition_key.len);
        to = copy(to, r->partition_key);
    }
    *to = CBOR_CLOSE[0];
    return to + 1;
}

/*
 * Writes whole records as long as there is room for them. Returns how many bytes; *r is then the record
 * that p->part belongs to.
 */
static size_t
write_records(struct put_records *p, struct put_record *r, char *buffer, size_t cap)
{
    size_t len = 0;

    for (; p->index < p->records_len; p->index++) {
        p->record(p->context, p->index, r);
        if (r->data.len + r->partition_key.len + WHOLE_MAX > cap - len)
            return len;
        len = (size_t)(write_record(r, buffer + len) - buffer);
    }
    p->part = CLOSE;
    return len;
}

size_t
put_records_read(struct put_records *p, char *buffer, size_t cap)
{
    struct put_record r = {0};
    size_t asked = SIZE_MAX; /* index of the record in r */
    size_t len = 0;

    while (len < cap && p->part != END) {
        char room[CBOR_OPEN_MAX];
        struct segment segment;

        if (p->form == WIRE_CBOR && p->part == RECORD_OPEN && p->cursor.at == 0) {
            len += write_records(p, &r, buffer + len, cap - len);
            asked = p->index;
        } else if (p->part >= RECORD_OPEN && p->part <= KEY && asked != p->index) {
            p->record(p->context, p->index, &r);
            asked = p->index;
        }
        segment = segment_of(p->part, p, &r, room);
        len += segment_read(&segment, &p->cursor, buffer + len, cap - len);
        if (segment_ended(&segment, &p->cursor))
            advance(p);
    }
    return len;
}
