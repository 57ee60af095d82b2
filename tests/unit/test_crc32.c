#include "protocol/crc32.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "io/cpu.h"

/* The first is the check value of ITU-T V.42's sum as catalogues of such sums have it; the others are well known. */
static const struct {
    struct span in;
    uint32_t sum;
} sums[] = {
    {TEXT("123456789"), 0xcbf43926},
    {TEXT(""), 0},
    {TEXT("a"), 0xe8b7be43},
    {TEXT("abc"), 0x352441c2},
    {TEXT("The quick brown fox jumps over the lazy dog"), 0x414fa339},
    {TEXT("\0"), 0xd202ef8d},
    {TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 0x190a55ad},
};

static struct crc32 crc;

static int
setup(void **state)
{
    (void)state;
    crc32_init(&crc);
    return 0;
}

/* Bit by bit, as the definition has it. */
static uint32_t
bitwise(uint32_t sum, struct span in)
{
    sum = ~sum;
    for (size_t i = 0; i < in.len; i++) {
        sum ^= (uint8_t)in.p[i];
        for (int bit = 0; bit < 8; bit++)
            sum = (sum & 1) != 0 ? sum >> 1 ^ 0xedb88320 : sum >> 1;
    }
    return ~sum;
}

static void
known(void **state)
{
    (void)state;
    for (int cpu = 0; cpu < 2; cpu++) {
        crc32_use_cpu(cpu == 1 && cpu_has_crc32());
        for (size_t i = 0; i < LEN(sums); i++)
            CHECK_INT(sums[i].in.p, crc32_add(&crc, 0, guard_copy(sums[i].in)), sums[i].sum);
        CHECK_INT("nothing", crc32_add(&crc, 0x12345678, (struct span){NULL, 0}), 0x12345678);
    }
}

/* Of each length, cut at each place, by either code, at whatever address. */
static void
cuts(void **state)
{
    char text[150];
    uint32_t before = 0;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)dice(256);
    for (size_t len = 0; len <= sizeof text; len++) {
        struct span in = guard_copy((struct span){text, len});
        uint32_t want = bitwise(0, in);

        CHECK("it changes", len == 0 || want != before);
        before = want;
        for (size_t cut = 0; cut <= len; cut++)
            for (int cpu = 0; cpu < 4; cpu++) {
                uint32_t sum;

                crc32_use_cpu((cpu & 1) != 0 && cpu_has_crc32());
                sum = crc32_add(&crc, 0, (struct span){in.p, cut});
                crc32_use_cpu((cpu & 2) != 0 && cpu_has_crc32());
                CHECK_INT("cut", crc32_add(&crc, sum, span_skip(in, cut)), want);
            }
    }
}

static void
long_input(void **state)
{
    static char text[100000];
    struct span in = {text, sizeof text};

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)dice(256);
    crc32_use_cpu(false);
    CHECK_INT("tables", crc32_add(&crc, 0, in), bitwise(0, in));
    if (!cpu_has_crc32())
        skip();
    crc32_use_cpu(true);
    CHECK_INT("instructions", crc32_add(&crc, 0, in), bitwise(0, in));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(known, setup),
        cmocka_unit_test_setup(cuts, setup),
        cmocka_unit_test_setup(long_input, setup),
    };

    return RUN(argc, argv, tests);
}
