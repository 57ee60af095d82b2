/* see records.h */
#include "records.h"

#include <stdint.h>
#include <string.h>

typedef void record_fn(void *, const struct a_record *);

/* What is left of the body; the first fault sticks, and nothing is left then. */
struct rest {
    const char *at, *end;
    bool bad;
    record_fn *record;
    void *context;
    int count;
};

static void
fail(struct rest *r)
{
    r->bad = true;
    r->at = r->end;
}

struct text {
    const char *at;
    size_t len;
};

static bool
is(struct text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

static void
deliver(struct rest *r, const struct a_record *record, bool data, bool key)
{
    if (!data || !key) {
        fail(r);
        return;
    }
    r->record(r->context, record);
    r->count++;
}

/* --- JSON --- */

static bool
take(struct rest *r, char wanted)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
    if (r->at == r->end || *r->at != wanted)
        return false;
    r->at++;
    return true;
}

static void
must(struct rest *r, char wanted)
{
    if (!take(r, wanted))
        fail(r);
}

static struct text
json_string(struct rest *r)
{
    must(r, '"');
    const char *end = memchr(r->at, '"', (size_t)(r->end - r->at));
    if (!end) {
        fail(r);
        return (struct text){r->at, 0};
    }
    struct text t = {r->at, (size_t)(end - r->at)};
    /* base64 is long and would show the escape when it is decoded */
    if (t.len < 300 && memchr(t.at, '\\', t.len))
        fail(r);
    else
        r->at = end + 1;
    return t;
}

static void
json_record(struct rest *r)
{
    struct a_record record = {0};
    bool data = false, key = false;

    must(r, '{');
    do {
        struct text name = json_string(r);
        must(r, ':');
        struct text value = json_string(r);

        if (is(name, "Data")) {
            record.data = value.at;
            record.data_len = value.len;
            data = true;
        } else if (is(name, "PartitionKey")) {
            record.key_len = value.len;
            key = true;
        } else if (!is(name, "ExplicitHashKey")) {
            fail(r);
        }
    } while (take(r, ','));
    must(r, '}');
    deliver(r, &record, data && !r->bad, key);
}

int
records_json(const char *body, size_t len, record_fn *record, void *context)
{
    struct rest r = {body, body + len, false, record, context, 0};

    must(&r, '{');
    do {
        struct text name = json_string(&r);
        must(&r, ':');
        if (!is(name, "Records")) {
            json_string(&r);
            continue;
        }
        must(&r, '[');
        do
            json_record(&r);
        while (take(&r, ','));
        must(&r, ']');
    } while (take(&r, ','));
    must(&r, '}');
    return r.bad || r.at != r.end ? -1 : r.count;
}

/* --- CBOR --- */

enum { BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5 };
#define INDEFINITE UINT64_MAX

/* The head of an item of that type: its length. */
static uint64_t
cbor_head(struct rest *r, unsigned type)
{
    uint64_t value = 0;

    if (r->at == r->end || (uint8_t)*r->at >> 5 != type) {
        fail(r);
        return 0;
    }
    unsigned low = (uint8_t)*r->at++ & 31;
    if (low < 24)
        return low;
    if (low == 31 && type >= ARRAY)
        return INDEFINITE;
    size_t bytes = (size_t)1 << (low - 24);
    if (low > 27 || bytes > (size_t)(r->end - r->at)) {
        fail(r);
        return 0;
    }
    for (; bytes > 0; bytes--)
        value = value << 8 | (uint8_t)*r->at++;
    return value;
}

static struct text
cbor_string(struct rest *r, unsigned type)
{
    uint64_t len = cbor_head(r, type);

    if (len > (uint64_t)(r->end - r->at)) {
        fail(r);
        len = 0;
    }
    struct text t = {r->at, (size_t)len};
    r->at += len;
    return t;
}

/* Whether the container of which *left items are still to come goes on. */
static bool
cbor_goes_on(struct rest *r, uint64_t *left)
{
    if (r->bad)
        return false;
    if (*left != INDEFINITE)
        return (*left)-- > 0;
    if (r->at == r->end) {
        fail(r);
        return false;
    }
    if ((uint8_t)*r->at != 0xff)
        return true;
    r->at++;
    return false;
}

static void
cbor_record(struct rest *r)
{
    struct a_record record = {0};
    bool data = false, key = false;
    uint64_t left = cbor_head(r, MAP);

    while (cbor_goes_on(r, &left)) {
        struct text name = cbor_string(r, TEXT);

        if (is(name, "Data")) {
            struct text value = cbor_string(r, BYTES);
            record.data = value.at;
            record.data_len = value.len;
            data = true;
        } else if (is(name, "PartitionKey")) {
            record.key_len = cbor_string(r, TEXT).len;
            key = true;
        } else {
            cbor_string(r, TEXT);
        }
    }
    deliver(r, &record, data && !r->bad, key);
}

int
records_cbor(const char *body, size_t len, record_fn *record, void *context)
{
    struct rest r = {body, body + len, false, record, context, 0};
    uint64_t members = cbor_head(&r, MAP);

    while (cbor_goes_on(&r, &members)) {
        if (!is(cbor_string(&r, TEXT), "Records")) {
            cbor_string(&r, TEXT);
            continue;
        }
        uint64_t left = cbor_head(&r, ARRAY);
        while (cbor_goes_on(&r, &left))
            cbor_record(&r);
    }
    return r.bad || r.at != r.end ? -1 : r.count;
}

/* --- base64 --- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Value + 1 of each character, 0 for none; '=' counts as zero bits. */
static uint8_t values[256];

__attribute__((constructor)) static void
make_values(void)
{
    for (unsigned i = 0; i < 64; i++)
        values[(uint8_t)alphabet[i]] = (uint8_t)(i + 1);
    values['='] = 1;
}

size_t
base64_size(const char *text, size_t len)
{
    if (len < 4)
        return 0;
    return len / 4 * 3 - (text[len - 1] == '=') - (text[len - 2] == '=');
}

long
base64_bytes(const char *text, size_t len, char *bytes)
{
    uint8_t least = 1;

    if (len % 4 != 0)
        return -1;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t four = 0;

        for (size_t j = 0; j < 4; j++) {
            uint8_t value = values[(uint8_t)text[i + j]];
            least = value == 0 ? 0 : least;
            four = four << 6 | (uint32_t)((value - 1) & 63);
        }
        *bytes++ = (char)(four >> 16);
        *bytes++ = (char)(four >> 8);
        *bytes++ = (char)four;
    }
    return least == 0 ? -1 : (long)base64_size(text, len);
}
