/*
 * The request's generator. The input is cut into the stream's name, its ARN, and records, each part
 * behind a byte that tells its length; what comes out is read back and compared.
 */
#include "entries.h"
#include "fuzz.h"
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
    value = read_back_member(&w, SPAN("PartitionKey"));
    FACT(span_same(read_back_text(value), r->partition_key));
    FACT(json_walk_next(&w, &name, &value) == 0);
}

static void
check_body(struct span body, const struct put_records *p, const struct entries *list)
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

void
fuzz(struct span in)
{
    static struct entries list;
    struct put_records p = {.record = entries_tell, .context = &list};
    size_t sum, len;
    char *body;

    p.stream_name = entries_part(&in);
    p.stream_arn = entries_part(&in);
    list.len = 0;
    sum = put_records_base(&p);
    do {
        struct put_record *r = &list.records[list.len++];

        *r = (struct put_record){entries_part(&in), entries_part(&in)};
        sum += put_records_size(r->data.len, r->partition_key);
    } while (in.len > 0 && list.len < PUT_RECORDS_MAX);
    p.records_len = list.len;

    len = (size_t)put_records_length(&p);
    FACT(sum == len);
    put_records_rewind(&p);
    body = fuzz_room(len);
    FACT(put_records_read(&p, body, len) == len);
    FACT(put_records_read(&p, fuzz_room(1), 1) == 0);
    check_body((struct span){body, len}, &p, &list);
    put_records_rewind(&p);
    entries_read(read_generator, &p, (struct span){body, len}, 8 + len / 50);
}
