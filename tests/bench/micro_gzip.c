/*
 * What compression costs the CPU, and what it saves: the product's own code as it ships beside zlib at levels 1 and 6,
 * on lines as functions log them (corpus.h), in blocks that stand for what a record holds. Prints one line of JSON per
 * measure, as micro.c does.
 *
 *   make -s -C tests/bench micro && build/x86_64/bench/micro_gzip
 *
 * All take turns at each quarter of the lines, and the least CPU time that each took for it counts, since whatever
 * disturbs makes it only slower. A quarter is over in few milliseconds, so that who is slower is not disturbed more
 * often. All make gzip members, and keep their state between blocks: ours as it does anyway, zlib by deflateReset.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "corpus.h"
#include "io/cpu.h"
#include "protocol/gzip.h"

enum {
    KIB = 1024,
    QUARTER = 256 * KIB,
    CORPUS_BYTES = 4 * QUARTER,
    OUT_BYTES = QUARTER + 64 * KIB,
    ROUNDS = 60,
    SLOW_ROUNDS = 15, /* of those, in which level 6 takes part */
    LINE = 200,
    LINES = 4000,
    GZIP_WINDOW = 16 + MAX_WBITS
};

static const size_t blocks[] = {4 * KIB, 25 * KIB, 256 * KIB};

struct bench {
    char in[CORPUS_BYTES], out[OUT_BYTES];
    struct gzip gzip;
    z_stream fast, thorough;
};

/* What makes a member of a block, in b->out. Returns its length. */
typedef size_t compressor(struct bench *b, const char *block, size_t len);

static size_t
ours(struct bench *b, const char *block, size_t len)
{
    gzip_begin(&b->gzip, b->out, OUT_BYTES);
    (void)gzip_add(&b->gzip, (struct span){block, len});
    return (size_t)gzip_end(&b->gzip);
}

static size_t
by_zlib(z_stream *z, struct bench *b, const char *block, size_t len)
{
    (void)deflateReset(z);
    z->next_in = (Bytef *)(uintptr_t)block;
    z->avail_in = (uInt)len;
    z->next_out = (Bytef *)b->out;
    z->avail_out = OUT_BYTES;
    (void)deflate(z, Z_FINISH);
    return z->total_out;
}

static size_t
zlib_1(struct bench *b, const char *block, size_t len)
{
    return by_zlib(&b->fast, b, block, len);
}

static size_t
zlib_6(struct bench *b, const char *block, size_t len)
{
    return by_zlib(&b->thorough, b, block, len);
}

static const struct {
    const char *name;
    compressor *compress;
    int rounds;
} subjects[] = {
    {"ours", ours, ROUNDS}, {"zlib-1", zlib_1, ROUNDS}, {"zlib-6", zlib_6, SLOW_ROUNDS}};

enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* All whole blocks of a quarter. Returns the sum of the members' lengths. */
static size_t
run(struct bench *b, compressor *compress, const char *quarter, size_t block)
{
    size_t sum = 0;

    for (size_t at = 0; at + block <= QUARTER; at += block)
        sum += compress(b, quarter + at, block);
    return sum;
}

/* What one quarter takes each subject. */
struct figures {
    double s[SUBJECTS];
    size_t sums[SUBJECTS];
};

static struct figures
take_turns(struct bench *b, const char *quarter, size_t block)
{
    struct figures least;

    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < SUBJECTS; i++) {
            double s = now();

            if (round >= subjects[i].rounds)
                continue;
            least.sums[i] = run(b, subjects[i].compress, quarter, block);
            s = now() - s;
            least.s[i] = round == 0 || s < least.s[i] ? s : least.s[i];
        }
    return least;
}

static void
print(const char *subject, enum corpus corpus, size_t block, const char *what, double value,
      const char *unit)
{
    printf("{\"measure\":\"gzip %s %s %zu KiB%s\",\"value\":%.4f,\"unit\":\"%s\"}\n", subject,
           corpus_name(corpus), block / KIB, what, value, unit);
}

static void
measure(struct bench *b, enum corpus corpus, size_t block)
{
    double bytes = (double)(QUARTER / block * block * (CORPUS_BYTES / QUARTER));
    struct figures sum = {{0}, {0}};

    for (size_t at = 0; at < CORPUS_BYTES; at += QUARTER) {
        struct figures least = take_turns(b, b->in + at, block);

        for (int i = 0; i < SUBJECTS; i++) {
            sum.s[i] += least.s[i];
            sum.sums[i] += least.sums[i];
        }
    }
    for (int i = 0; i < SUBJECTS; i++) {
        print(subjects[i].name, corpus, block, "", bytes / sum.s[i] / 1e9, "GB/s");
        print(subjects[i].name, corpus, block, " ratio", bytes / (double)sum.sums[i], "times");
    }
    fflush(stdout);
}

/* A member for each line, as without aggregation. */
static void
measure_lines(struct bench *b)
{
    double least = 1;

    for (int round = 0; round < ROUNDS; round++) {
        double s = now();

        for (size_t i = 0; i < LINES; i++)
            (void)ours(b, b->in + i * LINE, LINE);
        s = now() - s;
        least = s < least ? s : least;
    }
    printf("{\"measure\":\"gzip ours a member of 200 bytes\",\"value\":%.4f,\"unit\":\"µs\"}\n",
           least / LINES * 1e6);
}

int
main(void)
{
    struct bench *b = calloc(1, sizeof *b);

    if (b == NULL || deflateInit2(&b->fast, 1, Z_DEFLATED, GZIP_WINDOW, 8, 0) != Z_OK ||
        deflateInit2(&b->thorough, 6, Z_DEFLATED, GZIP_WINDOW, 8, 0) != Z_OK)
        return 2;
    crc32_use_cpu(cpu_has_crc32());
    gzip_init(&b->gzip);
    fprintf(stderr, "beside zlib %s\n", zlibVersion());
    for (enum corpus corpus = 0; corpus < CORPORA; corpus++) {
        corpus_fill(corpus, 1, b->in, CORPUS_BYTES);
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
            measure(b, corpus, blocks[i]);
    }
    corpus_fill(CORPUS_LAMBDA_JSON, 1, b->in, CORPUS_BYTES);
    measure_lines(b);
    return 0;
}
