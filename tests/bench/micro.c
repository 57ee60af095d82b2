/*
 * Micro-benchmarks of what a batch costs the CPU, by the product's own code as it ships. Prints one line
 * of JSON per measure; the best of many runs, since whatever disturbs makes it only slower.
 *
 *   make -s -C tests/bench micro && build/x86_64/bench/micro         all
 *   …/micro aes                                                      those whose names begin so
 *
 * A measure is a row of `measures`: a name, a unit, and a function that does the work `times` times.
 */
#include <bearssl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "io/cpu.h"
#include "io/tls.h"
#include "protocol/crc32.h"
#include "protocol/event.h"
#include "protocol/put_records.h"
#include "protocol/sha256.h"
#include "protocol/sigv4.h"
#include "protocol/splitter.h"

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    TLS_RECORD = 16 * KIB, /* the largest */
    APPLICATION_DATA = 23, /* RFC 5246, section 6.2.1 */
    RUNS = 300
};

static const double run_s = 0.001; /* long enough for the clock, short enough to be left alone */

struct measure {
    const char *name;
    const char *unit;    /* "GB/s": of `bytes`; "ms": for one time */
    size_t bytes;        /* that one time takes */
    bool (*ready)(void); /* what the work stands on; false when this CPU lacks it. NULL: nothing */
    void (*work)(const struct measure *m, unsigned long times);
};

static uint8_t bytes[MIB + 64];

/* --- SHA-256 ----------------------------------------------------------------------------------- */

static bool
sha256_portable(void)
{
    sha256_use(SHA256_PORTABLE);
    return true;
}

static bool
sha256_avx2(void)
{
    sha256_use(sha256_fastest(false, cpu_has_avx2()));
    return cpu_has_avx2();
}

static bool
sha256_instructions(void)
{
    sha256_use(sha256_fastest(cpu_has_sha256(), false));
    return cpu_has_sha256();
}

static void
sha256(const struct measure *m, unsigned long times)
{
    for (; times > 0; times--) {
        struct sha256 hash;
        uint8_t digest[SHA256_LEN];

        sha256_start(&hash);
        sha256_add(&hash, bytes, m->bytes);
        sha256_end(&hash, digest);
        bytes[0] = digest[0];
    }
}

/* What a program without code of its own would use. */
static void
sha256_bearssl(const struct measure *m, unsigned long times)
{
    for (; times > 0; times--) {
        br_sha256_context hash;

        br_sha256_init(&hash);
        br_sha256_update(&hash, bytes, m->bytes);
        br_sha256_out(&hash, bytes);
    }
}

/* --- CRC-32, of gzip --------------------------------------------------------------------------- */

static struct crc32 crc;

static bool
crc32_tables(void)
{
    crc32_init(&crc);
    crc32_use_cpu(false);
    return true;
}

static bool
crc32_instructions(void)
{
    crc32_init(&crc);
    crc32_use_cpu(cpu_has_crc32());
    return cpu_has_crc32();
}

static void
crc32(const struct measure *m, unsigned long times)
{
    for (; times > 0; times--)
        bytes[0] = (uint8_t)crc32_add(&crc, 0, (struct span){(const char *)bytes, m->bytes});
}

/* --- TLS records, as BearSSL's engine makes them with what tls.c gave it ------------------------ */

static br_sslrec_gcm_context records;

static void
start_records(const br_block_ctr_class *ctr, br_ghash ghash)
{
    static const unsigned char key[16] = {1}, iv[4] = {2};

    br_sslrec_out_gcm_vtable.init(&records.vtable.out, ctr, key, sizeof key, ghash, iv);
}

static bool
aes_product(void)
{
    static struct tls tls;
    static const struct tls_anchors none;

    if (tls_start(&tls, &none, "localhost", 0) != 0)
        return false;
    start_records(tls.client.eng.iaes_ctr, tls.client.eng.ighash);
    return true;
}

static bool
aes_portable(void)
{
    start_records(&br_aes_ct64_ctr_vtable, br_ghash_ctmul64);
    return true;
}

static void
aes_record(const struct measure *m, unsigned long times)
{
    for (; times > 0; times--) {
        size_t len = m->bytes;

        (void)records.vtable.out->inner.encrypt((void *)&records.vtable.out, APPLICATION_DATA,
                                                BR_TLS12, bytes + 32, &len);
    }
}

static void
aes_ctr(const struct measure *m, unsigned long times)
{
    for (; times > 0; times--)
        (void)records.bc.vtable->run(&records.bc.vtable, records.iv, 2, bytes + 32, m->bytes);
}

static void
aes_ghash(const struct measure *m, unsigned long times)
{
    static uint8_t sum[16];

    for (; times > 0; times--)
        records.gh(sum, records.h, bytes + 32, m->bytes);
}

/* --- telemetry: a POST as the listener reads it ------------------------------------------------- */

enum { READ_BYTES = 64 * KIB, EVENT_BYTES = 380 };

static char body[MIB];
static size_t body_len;

/* Log lines as JSON, with an escape here and there; the message is 200 bytes with its quotes. */
static bool
telemetry(void)
{
    static const char head[] =
        "{\"time\":\"2026-11-20T10:00:00.951Z\",\"type\":\"function\",\"record\":{\"timestamp\":"
        "\"2026-11-20T10:00:00.951Z\",\"level\":\"INFO\",\"requestId\":"
        "\"459921b5-681c-4a96-beb0-81e0aa586026\",\"message\":\"id-00001234 from \\\"10.0.0.1\\\" ";
    struct out o = out_to(body, sizeof body);

    out_byte(&o, '[');
    while (o.len + EVENT_BYTES < sizeof body) {
        size_t end = o.len + EVENT_BYTES - 4; /* "}}, */

        out_put(&o, SPAN(head));
        while (o.len < end)
            out_byte(&o, (char)('a' + o.len % 26));
        out_put(&o, SPAN("\"}},"));
    }
    body[o.len - 1] = ']';
    body_len = o.len;
    return true;
}

static unsigned
split(bool read)
{
    static char carry[8192];
    static struct json_marks marks;
    struct splitter s;
    unsigned functions = 0;

    splitter_start(&s, carry, sizeof carry);
    s.marks = &marks;
    for (size_t at = 0; at < body_len; at += READ_BYTES) {
        struct span in = {body + at, body_len - at < READ_BYTES ? body_len - at : READ_BYTES};
        struct span text;
        struct event e;

        while (splitter_next(&s, &in, &text) == 1)
            if (read && event_read(text, splitter_marks(&s), &e) == 0)
                functions += e.type == EVENT_FUNCTION;
    }
    return functions;
}

static void
splitter(const struct measure *m, unsigned long times)
{
    (void)m;
    for (; times > 0; times--)
        (void)split(false);
}

static void
splitter_and_event(const struct measure *m, unsigned long times)
{
    (void)m;
    for (; times > 0; times--)
        bytes[0] = (uint8_t)split(true);
}

/* --- a PutRecords request: its body hashed, signed, generated again into TLS records ------------ */

enum { RECORD_BYTES = 200, HASH_PART = 4096 };

static void
tell_record(void *context, size_t index, struct put_record *r)
{
    (void)context;
    r->data = (struct span){(const char *)bytes + 64 + index * RECORD_BYTES, RECORD_BYTES};
    r->partition_key = SPAN("0123abcd");
}

static void
sign(struct out *o, const uint8_t digest[SHA256_LEN])
{
    static struct sigv4_key key;
    static const struct sigv4_credentials identity = {.access_key = {"AKIDEXAMPLE", 11},
                                                      .secret_key = {"wJalrXUtnFEMI/K7MDENG", 21}};
    static const struct sigv4_field fields[] = {
        {{"content-type", 12}, {"application/x-amz-cbor-1.1", 26}},
        {{"host", 4}, {"kinesis.us-east-1.amazonaws.com", 31}},
        {{"x-amz-date", 10}, {"20261120T100000Z", 16}},
        {{"x-amz-target", 12}, {"Kinesis_20131202.PutRecords", 27}},
    };
    static const struct sigv4_scope scope = {
        {"20261120T100000Z", 16}, {"us-east-1", 9}, {"kinesis", 7}};
    struct sigv4_request request = {
        .method = SPAN("POST"),
        .path = SPAN("/"),
        .fields = fields,
        .fields_len = sizeof fields / sizeof *fields,
        .body_sha256 = digest,
    };

    (void)sigv4_authorization(o, &identity, &scope, &request, &key);
}

static void
put_records(const struct measure *m, unsigned long times)
{
    static unsigned char record[32 + TLS_RECORD + 64];

    (void)m;
    for (; times > 0; times--) {
        struct put_records p = {.form = WIRE_CBOR,
                                .stream_name = SPAN("telemetry-kinesis-stream"),
                                .records_len = PUT_RECORDS_MAX,
                                .record = tell_record};
        char part[HASH_PART], authorization[512];
        struct out o = out_to(authorization, sizeof authorization);
        struct sha256 hash;
        uint8_t digest[SHA256_LEN];
        size_t n;

        sha256_start(&hash);
        put_records_rewind(&p);
        while ((n = put_records_read(&p, part, sizeof part)) > 0)
            sha256_add(&hash, part, n);
        sha256_end(&hash, digest);
        sign(&o, digest);
        put_records_rewind(&p);
        while ((n = put_records_read(&p, (char *)record + 32, TLS_RECORD)) > 0)
            (void)records.vtable.out->inner.encrypt((void *)&records.vtable.out, APPLICATION_DATA,
                                                    BR_TLS12, record + 32, &n);
    }
}

static bool
all_instructions(void)
{
    sha256_use(sha256_fastest(cpu_has_sha256(), cpu_has_avx2()));
    return aes_product();
}

/* ----------------------------------------------------------------------------------------------- */

static const struct measure measures[] = {
    {"sha256 bearssl 16 KiB", "GB/s", 16 * KIB, NULL, sha256_bearssl},
    {"sha256 portable 16 KiB", "GB/s", 16 * KIB, sha256_portable, sha256},
    {"sha256 portable 1 MiB", "GB/s", MIB, sha256_portable, sha256},
    {"sha256 avx2 16 KiB", "GB/s", 16 * KIB, sha256_avx2, sha256},
    {"sha256 avx2 1 MiB", "GB/s", MIB, sha256_avx2, sha256},
    {"sha256 instructions 16 KiB", "GB/s", 16 * KIB, sha256_instructions, sha256},
    {"sha256 instructions 1 MiB", "GB/s", MIB, sha256_instructions, sha256},
    {"crc32 tables 16 KiB", "GB/s", 16 * KIB, crc32_tables, crc32},
    {"crc32 instructions 16 KiB", "GB/s", 16 * KIB, crc32_instructions, crc32},
    {"aes-128-gcm portable record 16 KiB", "GB/s", TLS_RECORD, aes_portable, aes_record},
    {"aes-128-gcm record 16 KiB", "GB/s", TLS_RECORD, aes_product, aes_record},
    {"aes-128-gcm record 1 KiB", "GB/s", KIB, aes_product, aes_record},
    {"aes-128-gcm ctr alone 16 KiB", "GB/s", TLS_RECORD, aes_product, aes_ctr},
    {"aes-128-gcm ghash alone 16 KiB", "GB/s", TLS_RECORD, aes_product, aes_ghash},
    {"splitter events of 380 bytes", "GB/s", MIB / EVENT_BYTES *EVENT_BYTES, telemetry, splitter},
    {"splitter and event events of 380 bytes", "GB/s", MIB / EVENT_BYTES *EVENT_BYTES, telemetry,
     splitter_and_event},
    {"put_records 500 of 200 bytes", "ms", 0, all_instructions, put_records},
};

static double
seconds(const struct measure *m, unsigned long times)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    m->work(m, times);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* The least seconds that one time took. */
static double
least(const struct measure *m)
{
    unsigned long times = 1;
    double best;

    while (seconds(m, times) < run_s)
        times *= 2;
    best = seconds(m, times);
    for (int run = 1; run < RUNS; run++) {
        double s = seconds(m, times);

        best = s < best ? s : best;
    }
    return best / (double)times;
}

static void
print(const struct measure *m)
{
    double s;

    if (m->ready != NULL && !m->ready())
        return;
    s = least(m);
    printf("{\"measure\":\"%s\",\"value\":%.4f,\"unit\":\"%s\"}\n", m->name,
           strcmp(m->unit, "ms") == 0 ? s * 1e3 : (double)m->bytes / s / 1e9, m->unit);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    const char *begin = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
        if (strncmp(measures[i].name, begin, strlen(begin)) == 0)
            print(&measures[i]);
    return 0;
}
