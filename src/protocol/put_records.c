#include "protocol/put_records.h"

#include "protocol/json_walk.h"

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

static struct piece
plain(struct span bytes)
{
    return (struct piece){PIECE_PLAIN, bytes};
}

static struct piece
plain_if(bool wanted, struct span bytes)
{
    return plain(wanted ? bytes : (struct span){NULL, 0});
}

static struct piece
text(struct span bytes)
{
    return (struct piece){PIECE_ESCAPED, bytes};
}

static struct piece
base64(struct span bytes)
{
    return (struct piece){PIECE_BASE64, bytes};
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
        return base64(r->data);
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
    struct piece data = base64((struct span){NULL, data_len});
    struct piece key = text(partition_key);

    return sizeof ",{\"Data\":\"\",\"PartitionKey\":\"\"}" - 1 + piece_len(&data) + piece_len(&key);
}

size_t
put_records_base(const struct put_records *p)
{
    size_t len = 0;

    for (enum part part = OPEN; part <= RECORDS_OPEN; part++) {
        struct piece piece = piece_of(part, p, NULL);

        len += piece_len(&piece);
    }
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
    p->place = (struct piece_place){0, 0};
}

static void
advance(struct put_records *p)
{
    p->place = (struct piece_place){0, 0};
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

        if ((p->part == DATA || p->part == KEY) && asked != p->index) {
            p->record(p->context, p->index, &r);
            asked = p->index;
        }
        piece = piece_of(p->part, p, &r);
        len += piece_read(&piece, &p->place, buffer + len, cap - len);
        if (piece_ended(&piece, &p->place))
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
