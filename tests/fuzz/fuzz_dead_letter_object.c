/*
 * A dead letter's lines and its name. The input is cut into parts, each behind a byte that tells its
 * length: data and key of records, of which the first three parts make the name as well. What comes
 * out is read back and compared.
 */
#include "entries.h"
#include "fuzz.h"
#include "protocol/dead_letter_object.h"
#include "protocol/timestamp.h"
#include "read_back.h"
#include "strict_json.h"

#include <string.h>

enum { RECORDS_MAX = 64 };

static size_t
read_generator(void *generator, char *buffer, size_t cap)
{
    return dead_letter_object_read(generator, buffer, cap);
}

/* It may come back to us, as an object or as the text of a log line. */
static void
check_own(struct span line)
{
    size_t cap = line.len * 2 + 2; /* no byte of it needs a longer escape */
    struct out o = out_to(fuzz_room(cap), cap);

    out_byte(&o, '"');
    out_json(&o, line);
    out_byte(&o, '"');
    FACT(out_end(&o) == 0 && dead_letter_object_is_line(out_span(&o)));
    FACT(dead_letter_object_is_line(line));
}

static void
check_line(struct span line, const struct put_record *r)
{
    struct json_walk w;
    struct span name, value;

    FACT(strict_json(line) && json_walk_open(&w, line) == 0 && w.close == '}');
    if (strict_utf8(r->data)) {
        value = read_back_member(&w, SPAN("Data"));
        FACT(span_same(read_back_text(value), r->data));
        FACT(!strict_utf8(r->partition_key) || strict_utf8(line));
    } else {
        value = read_back_member(&w, SPAN("DataBase64"));
        FACT(span_same(read_back_base64(value), r->data));
    }
    value = read_back_member(&w, SPAN("PartitionKey"));
    FACT(span_same(read_back_text(value), r->partition_key));
    FACT(json_walk_next(&w, &name, &value) == 0);
    check_own(line);
}

static void
check_lines(struct entries *list)
{
    struct dead_letter_object d = {
        .records_len = list->len, .record = entries_tell, .context = list};
    struct span all = {NULL, 0}, rest, line;

    for (size_t i = 0; i < list->len; i++)
        all.len += dead_letter_object_line_size(&list->records[i]);
    all.p = fuzz_room(all.len);
    dead_letter_object_rewind(&d);
    FACT(dead_letter_object_read(&d, (char *)all.p, all.len) == all.len);
    FACT(dead_letter_object_read(&d, fuzz_room(1), 1) == 0);
    rest = all;
    for (size_t i = 0; i < list->len; i++) {
        line = span_cut(rest, '\n', &rest);
        FACT(line.len + 1 == dead_letter_object_line_size(&list->records[i]));
        check_line(line, &list->records[i]);
    }
    FACT(rest.p != NULL && rest.len == 0);
    dead_letter_object_rewind(&d);
    entries_read(read_generator, &d, all, 8 + all.len / 50);
}

static unsigned
hex_digit(char c)
{
    FACT((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A' + 10);
}

/* What the path means; it is encoded where it has to be, and nowhere else. */
static struct span
decoded(struct span path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    struct out o = out_to(fuzz_room(path.len), path.len);

    while (path.len > 0) {
        bool encoded = path.p[0] == '%';
        char c = path.p[0];

        if (encoded) {
            FACT(path.len >= 3);
            c = (char)(hex_digit(path.p[1]) << 4 | hex_digit(path.p[2]));
        }
        FACT((memchr(plain, c, sizeof plain - 1) == NULL) == encoded);
        out_byte(&o, c);
        path = span_skip(path, encoded ? 3 : 1);
    }
    return out_span(&o);
}

/* The same from a moment as RFC 3339 has it. */
static void
put_moment(struct out *o, uint64_t unix_ms)
{
    char moment[TIMESTAMP_RFC3339_LEN];

    timestamp_rfc3339(unix_ms, moment);
    out_byte(o, '/');
    for (size_t i = 0; i < 10; i++)
        out_byte(o, moment[i] == '-' ? '/' : moment[i]);
    out_byte(o, '/');
    for (size_t i = 0; i < sizeof moment; i++)
        if (memchr("-:.", moment[i], 3) == NULL)
            out_byte(o, moment[i]);
}

static struct span
plain_path(const struct dead_letter_name *n)
{
    size_t cap = dead_letter_object_path_max(n);
    struct out o = out_to(fuzz_room(cap), cap);
    struct span function = n->function_name;

    out_put(&o, n->base.len > 1 ? n->base : SPAN(""));
    out_put(&o, n->bucket.len > 0 ? SPAN("/") : SPAN(""));
    out_put(&o, n->bucket);
    out_put(&o, n->prefix.len > 0 ? SPAN("/") : SPAN(""));
    out_put(&o, n->prefix);
    put_moment(&o, n->unix_ms);
    out_byte(&o, '-');
    out_put(&o, fuzz_take(&function, DEAD_LETTER_FUNCTION_MAX));
    out_byte(&o, '-');
    out_put(&o, n->sandbox);
    out_byte(&o, '-');
    out_padded(&o, n->sequence, 8);
    out_put(&o, SPAN(".ndjson"));
    FACT(out_end(&o) == 0);
    return out_span(&o);
}

static void
check_path(const struct dead_letter_name *n)
{
    size_t cap = dead_letter_object_path_max(n);
    struct out o = out_to(fuzz_room(cap), cap);
    struct out small;
    size_t less;

    FACT(dead_letter_object_path(&o, n) == 0);
    FACT(span_same(decoded(out_span(&o)), plain_path(n)));
    less = fuzz_dice((uint32_t)o.len);
    small = out_to(fuzz_room(less), less);
    FACT(dead_letter_object_path(&small, n) == ERR_FULL);
    FACT(span_starts(out_span(&o), out_span(&small)));
}

static struct dead_letter_name
any_name(struct span prefix, struct span function_name, struct span sandbox)
{
    static const uint64_t numbers[] = {0, 1, 99999999, 1795176000123, UINT64_MAX};

    return (struct dead_letter_name){
        .base = fuzz_dice(2) == 0 ? SPAN("/") : SPAN("/p/q"),
        .bucket = fuzz_dice(2) == 0 ? SPAN("") : SPAN("lo.gs-1"),
        .prefix = prefix,
        .unix_ms = numbers[fuzz_dice(FUZZ_LEN(numbers))] + fuzz_dice(UINT32_MAX),
        .function_name = function_name,
        .sandbox = sandbox,
        .sequence = numbers[fuzz_dice(FUZZ_LEN(numbers))],
    };
}

void
fuzz(struct span in)
{
    static struct entries list;
    struct dead_letter_name name;
    struct put_record *r;

    list.len = 0;
    do {
        r = &list.records[list.len++];
        r->data = entries_part(&in);
        r->partition_key = entries_part(&in);
    } while (in.len > 0 && list.len < RECORDS_MAX);
    check_lines(&list);
    r = list.records;
    name = any_name(r[0].data, r[0].partition_key, list.len > 1 ? r[1].data : SPAN(""));
    check_path(&name);
}
