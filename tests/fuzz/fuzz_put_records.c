/*
 * The request's generator, in both forms. The input is cut into the stream's name, its ARN, and
 * records, each part behind a byte that tells its length; what comes out is read back and compared.
 */
#include "entries.h"
#include "fuzz.h"
#include "protocol/cbor.h"
#include "protocol/put_records.h"
#include "read_back.h"
#include "strict_json.h"

#include <string.h>

static size_t
read_generator(void *generator, char *buffer, size_t cap)
{
    return put_records_read(generator, buffer, cap);
}

static void
check_record(struct span text, const struct put_record *r)
{
    struct json_walk w;
    struct span name, value;

    FACT(json_walk_open(&w, text) == 0 && w.close == '}');
    FACT(span_same(read_back_base64(read_back_member(&w, SPAN("Data"))), r->data));
    if (r->partition_key.len > 0) {
        value = read_back_member(&w, SPAN("PartitionKey"));
        FACT(span_same(read_back_text(value), r->partition_key));
    }
    FACT(json_walk_next(&w, &name, &value) == 0);
}

static void
check_json(struct span body, const struct put_records *p, const struct entries *list)
{
    struct json_walk w, records;
    struct span name, value;

    FACT(strict_json(body) && json_walk_open(&w, body) == 0);
    if (p->stream_name.len > 0) {
        value = read_back_member(&w, SPAN("StreamName"));
        FACT(span_same(read_back_text(value), p->stream_name));
    }
    if (p->stream_arn.len > 0) {
        value = read_back_member(&w, SPAN("StreamARN"));
        FACT(span_same(read_back_text(value), p->stream_arn));
    }
    value = read_back_member(&w, SPAN("Records"));
    FACT(json_walk_open(&records, value) == 0 && records.close == ']');
    for (size_t i = 0; i < list->len; i++) {
        FACT(json_walk_next(&records, &name, &value) == 1);
        check_record(value, &list->records[i]);
    }
    FACT(json_walk_next(&records, &name, &value) == 0 && json_walk_next(&w, &name, &value) == 0);
}

/* The next member, which has to have this name and be a string. */
static struct span
cbor_member(struct cbor_walk *w, const char *name)
{
    struct span got, value;

    FACT(cbor_walk_next(w, &got, &value) == 1 && cbor_same(got, span_of(name)));
    return cbor_string(value);
}

static void
check_cbor(struct span body, const struct put_records *p, const struct entries *list)
{
    struct cbor_walk w, records;
    struct span name, value;

    FACT(cbor_value(body) == (int)body.len && cbor_walk_open(&w, body) == 0 && w.map && w.endless);
    if (p->stream_name.len > 0)
        FACT(span_same(cbor_member(&w, "StreamName"), p->stream_name));
    if (p->stream_arn.len > 0)
        FACT(span_same(cbor_member(&w, "StreamARN"), p->stream_arn));
    FACT(cbor_walk_next(&w, &name, &value) == 1 && cbor_same(name, SPAN("Records")));
    FACT(cbor_walk_open(&records, value) == 0 && !records.map && records.endless);
    for (size_t i = 0; i < list->len; i++) {
        struct cbor_walk record;

        FACT(cbor_walk_next(&records, &name, &value) == 1);
        FACT(cbor_walk_open(&record, value) == 0 && record.map && record.endless);
        FACT(span_same(cbor_member(&record, "Data"), list->records[i].data));
        if (list->records[i].partition_key.len > 0)
            FACT(span_same(cbor_member(&record, "PartitionKey"), list->records[i].partition_key));
        FACT(cbor_walk_next(&record, &name, &value) == 0);
    }
    FACT(cbor_walk_next(&records, &name, &value) == 0 && cbor_walk_next(&w, &name, &value) == 0);
}

/* Returns the body's length. */
static size_t
check_form(enum wire_form form, struct put_records *p, const struct entries *list)
{
    size_t sum, len;
    char *body;

    p->form = form;
    sum = put_records_base(p);
    for (size_t i = 0; i < list->len; i++)
        sum += put_records_size(form, list->records[i].data.len, list->records[i].partition_key);
    len = (size_t)put_records_length(p);
    FACT(sum == len);
    put_records_rewind(p);
    body = fuzz_room(len);
    FACT(put_records_read(p, body, len) == len);
    FACT(put_records_read(p, fuzz_room(1), 1) == 0);
    if (form == WIRE_CBOR)
        check_cbor((struct span){body, len}, p, list);
    else
        check_json((struct span){body, len}, p, list);
    put_records_rewind(p);
    entries_read(read_generator, p, (struct span){body, len}, 8 + len / 50);
    return len;
}

void
fuzz(struct span in)
{
    static struct entries list;
    struct put_records p = {.record = entries_tell, .context = &list};

    p.stream_name = entries_part(&in);
    p.stream_arn = entries_part(&in);
    list.len = 0;
    do {
        struct put_record *r = &list.records[list.len++];

        *r = (struct put_record){entries_part(&in), entries_part(&in)};
    } while (in.len > 0 && list.len < PUT_RECORDS_MAX);
    p.records_len = list.len;
    FACT(check_form(WIRE_CBOR, &p, &list) <= check_form(WIRE_JSON, &p, &list));
}
