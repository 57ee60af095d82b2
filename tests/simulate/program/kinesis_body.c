#include <stdlib.h>

#include "services.h"

/* see services.h; sources: RFC 8949; Kinesis API reference, PutRecords */

/* Where strings go that are not in the body as they are. */
static struct {
    char *p;
    size_t cap;
} room;

struct cbor_in {
    const unsigned char *p, *end;
    char *room;
};

enum { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP };

#define INDEFINITE UINT64_MAX /* the length of what has none */

static void __attribute__((noreturn)) broken(const char *what)
{
    world_break("kinesis: a body that is no request: %s", what);
}

/* --- CBOR ----------------------------------------------------------------------------------------- */

static unsigned
byte(struct cbor_in *in)
{
    if (in->p == in->end)
        broken("its CBOR ends early");
    return *in->p++;
}

/* The head of an item of this major type. Returns its number or length. */
static uint64_t
head(struct cbor_in *in, unsigned major)
{
    unsigned first = byte(in), more = first & 31;
    uint64_t n = 0;

    if (first >> 5 != major)
        broken("an item of another type than expected in its CBOR");
    if (more < 24)
        return more;
    if (more == 31 && major >= BYTES)
        return INDEFINITE;
    if (more > 27)
        broken("no head in its CBOR");
    for (unsigned i = 0; i < 1u << (more - 24); i++)
        n = n << 8 | byte(in);
    return n;
}

/* Whether an array or a map of that length has one more item, of which n were read. */
static bool
goes_on(struct cbor_in *in, uint64_t len, uint64_t n)
{
    if (len != INDEFINITE)
        return n < len;
    if (in->p < in->end && *in->p == 0xff) {
        in->p++;
        return false;
    }
    return true;
}

static struct span
piece(struct cbor_in *in, uint64_t len)
{
    struct span s = {(const char *)in->p, (size_t)len};

    if (len > (uint64_t)(in->end - in->p))
        broken("a string in its CBOR ends early");
    in->p += len;
    return s;
}

static struct span
string(struct cbor_in *in, unsigned major)
{
    uint64_t len = head(in, major);
    struct span whole;

    if (len != INDEFINITE)
        return piece(in, len);
    whole = (struct span){in->room, 0};
    while (goes_on(in, len, 0)) {
        struct span s = piece(in, head(in, major));

        memcpy(in->room, s.p, s.len);
        in->room += s.len;
        whole.len += s.len;
    }
    return whole;
}

static void
read_cbor_record(struct cbor_in *in, struct kinesis_record *r)
{
    uint64_t len = head(in, MAP);

    for (uint64_t n = 0; goes_on(in, len, n); n++) {
        struct span name = string(in, TEXT);

        if (span_is(name, text_span("Data")) && r->data.p == NULL)
            r->data = string(in, BYTES);
        else if (span_is(name, text_span("PartitionKey")) && r->key.p == NULL)
            r->key = string(in, TEXT);
        else
            broken("a member of a record");
    }
}

static struct kinesis_record *
add_record(struct kinesis_request *to)
{
    if (to->len == KINESIS_RECORDS_MAX)
        broken("more than 500 records");
    to->records[to->len] = (struct kinesis_record){.code = NULL};
    return &to->records[to->len++];
}

static void
read_cbor(struct kinesis_request *to, struct span body)
{
    const unsigned char *p = (const unsigned char *)body.p;
    struct cbor_in in = {p, p + body.len, room.p};
    uint64_t len = head(&in, MAP);
    bool records = false;

    for (uint64_t n = 0; goes_on(&in, len, n); n++) {
        struct span name = string(&in, TEXT);

        if (span_is(name, text_span("StreamName")) && to->stream_name.p == NULL)
            to->stream_name = string(&in, TEXT);
        else if (span_is(name, text_span("StreamARN")) && to->stream_arn.p == NULL)
            to->stream_arn = string(&in, TEXT);
        else if (span_is(name, text_span("Records")) && !records) {
            uint64_t items = head(&in, ARRAY);

            for (uint64_t i = 0; goes_on(&in, items, i); i++)
                read_cbor_record(&in, add_record(to));
            records = true;
        } else
            broken("a member");
    }
    if (in.p != in.end)
        broken("bytes after the end of its CBOR");
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static void
read_json_record(struct json_in *in, struct kinesis_record *r)
{
    json_expect(in, '{');
    do {
        struct span name = json_text(in);

        json_expect(in, ':');
        if (span_is(name, text_span("Data")) && r->data.p == NULL) {
            struct span text = json_text(in);

            r->data = (struct span){in->room, base64_read(text, in->room, in->what)};
            in->room += r->data.len;
        } else if (span_is(name, text_span("PartitionKey")) && r->key.p == NULL)
            r->key = json_text(in);
        else
            broken("a member of a record");
    } while (json_next(in, ','));
    json_expect(in, '}');
}

static void
read_json_records(struct json_in *in, struct kinesis_request *to)
{
    json_expect(in, '[');
    do
        read_json_record(in, add_record(to));
    while (json_next(in, ','));
    json_expect(in, ']');
}

static void
read_json(struct kinesis_request *to, struct span body)
{
    struct json_in in = {body.p, body.p + body.len, "kinesis", room.p};

    if (!utf8_valid(body))
        broken("JSON that is not UTF-8");
    json_expect(&in, '{');
    do {
        struct span name = json_text(&in);

        json_expect(&in, ':');
        if (span_is(name, text_span("StreamName")) && to->stream_name.p == NULL)
            to->stream_name = json_text(&in);
        else if (span_is(name, text_span("StreamARN")) && to->stream_arn.p == NULL)
            to->stream_arn = json_text(&in);
        else if (span_is(name, text_span("Records")) && to->len == 0)
            read_json_records(&in, to);
        else
            broken("a member");
    } while (json_next(&in, ','));
    json_expect(&in, '}');
    json_end(&in);
}

static void
check_record(const struct kinesis_record *r)
{
    size_t characters = 0;

    if (r->data.p == NULL)
        broken("a record without data");
    if (r->key.p == NULL)
        return;
    if (!utf8_valid(r->key))
        broken("a key that is not UTF-8");
    for (size_t i = 0; i < r->key.len; i++)
        characters += (r->key.p[i] & 0xc0) != 0x80;
    if (characters < 1 || characters > 256)
        broken("a key that is not of 1 to 256 characters");
}

void
kinesis_read(struct kinesis_request *to, struct span body, bool cbor)
{
    if (body.len > room.cap) {
        free(room.p);
        room.cap = 2 * body.len;
        room.p = malloc(room.cap);
        if (room.p == NULL)
            world_break("kinesis: no memory");
    }
    to->cbor = cbor;
    to->stream_name = to->stream_arn = (struct span){NULL, 0};
    to->len = 0;
    if (cbor)
        read_cbor(to, body);
    else
        read_json(to, body);
    if (to->len == 0)
        broken("no records");
    for (unsigned i = 0; i < to->len; i++)
        check_record(&to->records[i]);
}

/* --- replies -------------------------------------------------------------------------------------- */

/* Maps, arrays and strings are of definite lengths or not, one like the other in a reply. */
struct writer {
    struct text *to;
    bool cbor, indefinite, nulls;
    bool first; /* of the members or items of the present map or array */
    bool spaced;
};

static void
put_head(struct writer *w, unsigned major, size_t n)
{
    unsigned char bytes[5] = {(unsigned char)(major << 5)};
    size_t len = 1;

    if (n < 24) {
        bytes[0] |= (unsigned char)n;
    } else if (n < 256) {
        bytes[0] |= 24;
        bytes[1] = (unsigned char)n;
        len = 2;
    } else {
        bytes[0] |= 25;
        bytes[1] = (unsigned char)(n >> 8);
        bytes[2] = (unsigned char)n;
        len = 3;
    }
    text_bytes(w->to, bytes, len);
}

static void
put_plain(struct writer *w, const char *text)
{
    text_bytes(w->to, text, strlen(text));
}

static void
put_separator(struct writer *w)
{
    if (!w->cbor && !w->first)
        put_plain(w, w->spaced ? ", " : ",");
    w->first = false;
}

static void
put_string(struct writer *w, const char *text)
{
    size_t len = strlen(text), first = len / 2;

    if (!w->cbor) {
        text_bytes(w->to, "\"", 1);
        text_bytes(w->to, text, len);
        text_bytes(w->to, "\"", 1);
        return;
    }
    if (!w->indefinite || len < KINESIS_CHUNKS_FROM) {
        put_head(w, TEXT, len);
        text_bytes(w->to, text, len);
        return;
    }
    text_bytes(w->to, "\x7f", 1);
    put_head(w, TEXT, first);
    text_bytes(w->to, text, first);
    put_head(w, TEXT, len - first);
    text_bytes(w->to, text + first, len - first);
    text_bytes(w->to, "\xff", 1);
}

static void
put_member(struct writer *w, const char *name)
{
    put_separator(w);
    put_string(w, name);
    if (!w->cbor)
        put_plain(w, w->spaced ? ": " : ":");
}

static void
put_open(struct writer *w, unsigned major, size_t n)
{
    w->first = true;
    if (!w->cbor)
        put_plain(w, major == MAP ? "{" : "[");
    else if (w->indefinite)
        text_bytes(w->to, major == MAP ? "\xbf" : "\x9f", 1);
    else
        put_head(w, major, n);
}

static void
put_close(struct writer *w, unsigned major)
{
    w->first = false;
    if (!w->cbor)
        put_plain(w, major == MAP ? "}" : "]");
    else if (w->indefinite)
        text_bytes(w->to, "\xff", 1);
}

static void
put_null(struct writer *w, const char *name)
{
    put_member(w, name);
    if (w->cbor)
        text_bytes(w->to, "\xf6", 1);
    else
        put_plain(w, "null");
}

static void
put_result(struct writer *w, const struct kinesis_record *r, unsigned index)
{
    char number[] = "49590338271490256608559692538361571095921575989130000000";

    put_open(w, MAP, w->nulls ? 4 : 2);
    if (r->code == NULL) {
        for (size_t at = sizeof number - 2; index > 0; index /= 10)
            number[at--] = (char)('0' + index % 10);
        put_member(w, "SequenceNumber");
        put_string(w, number);
        put_member(w, "ShardId");
        put_string(w, "shardId-000000000001");
    } else {
        put_member(w, "ErrorCode");
        put_string(w, r->code);
        put_member(w, "ErrorMessage");
        put_string(w, "Rate exceeded for shard shardId-000000000001 in stream s, or so.");
    }
    if (w->nulls) {
        put_null(w, r->code == NULL ? "ErrorCode" : "SequenceNumber");
        put_null(w, r->code == NULL ? "ErrorMessage" : "ShardId");
    }
    put_close(w, MAP);
}

static void
put_failed(struct writer *w, const struct kinesis_request *from)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < from->len; i++)
        failed += from->records[i].code != NULL;
    put_member(w, "FailedRecordCount");
    if (w->cbor)
        put_head(w, UNSIGNED, failed);
    else
        text_put(w->to, "%u", failed);
}

static struct writer
writer_to(struct text *to, bool cbor)
{
    return (struct writer){
        .to = to,
        .cbor = cbor,
        .indefinite = dice_below(&world.service, 2) == 0,
        .nulls = dice_below(&world.service, 4) == 0,
        .spaced = dice_below(&world.service, 4) == 0,
    };
}

void
kinesis_write(struct text *to, const struct kinesis_request *from, bool cbor)
{
    struct writer w = writer_to(to, cbor);
    bool count_first = dice_below(&world.service, 2) == 0;

    put_open(&w, MAP, 3);
    put_member(&w, "EncryptionType");
    put_string(&w, "KMS");
    if (count_first)
        put_failed(&w, from);
    put_member(&w, "Records");
    put_open(&w, ARRAY, from->len);
    for (unsigned i = 0; i < from->len; i++) {
        put_separator(&w);
        put_result(&w, &from->records[i], i);
    }
    put_close(&w, ARRAY);
    if (!count_first)
        put_failed(&w, from);
    put_close(&w, MAP);
}

void
kinesis_write_error(struct text *to, const char *code, const char *message, bool cbor)
{
    struct writer w = writer_to(to, cbor);
    bool name_space = dice_below(&world.service, 4) == 0;
    char type[120];
    struct text t = {type, 0, sizeof type};

    text_put(&t, "%s%s", name_space ? "com.amazonaws.kinesis.v20131202#" : "", code);
    put_open(&w, MAP, 2);
    put_member(&w, "__type");
    put_string(&w, type);
    put_member(&w, strcmp(code, "SerializationException") == 0 ? "Message" : "message");
    put_string(&w, message);
    put_close(&w, MAP);
}
