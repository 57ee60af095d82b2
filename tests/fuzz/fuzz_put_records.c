/*
 * The request's generator. The input is cut into the stream's name, its ARN, and records, each part
 * behind a byte that tells its length; what comes out is read back and compared.
 */
#include "fuzz.h"
#include "protocol/put_records.h"
#include "read_back.h"
#include "strict_json.h"

#include <string.h>

struct list {
    struct put_record records[PUT_RECORDS_MAX];
    size_t len;
};

static void
tell(void *context, size_t index, struct put_record *r)
{
    const struct list *list = context;

    FACT(index < list->len);
    *r = list->records[index];
}

static struct span
part(struct span *in)
{
    return fuzz_copy(fuzz_take(in, fuzz_byte(in)));
}

static void
read_in_pieces(struct put_records *p, struct span want, size_t most)
{
    char *room = fuzz_room(most);
    size_t got;

    put_records_rewind(p);
    do {
        size_t size = 1 + fuzz_dice((uint32_t)most);
        char *piece = room + most - size;

        got = put_records_read(p, piece, size);
        FACT(got == (size < want.len ? size : want.len));
        FACT(memcmp(piece, want.p, got) == 0);
        want = span_skip(want, got);
    } while (want.len > 0);
    FACT(put_records_read(p, fuzz_room(1), 1) == 0);
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
check_body(struct span body, const struct put_records *p, const struct list *list)
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
    static struct list list;
    struct put_records p = {.record = tell, .context = &list};
    size_t sum, len;
    char *body;

    p.stream_name = part(&in);
    p.stream_arn = part(&in);
    list.len = 0;
    sum = put_records_base(&p);
    do {
        struct put_record *r = &list.records[list.len++];

        *r = (struct put_record){part(&in), part(&in)};
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
    read_in_pieces(&p, (struct span){body, len}, 8 + len / 50);
}
