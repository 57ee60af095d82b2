#include "protocol/ahead.h"

#include "check.h"

/* A digit: so many events between two calls; q: none, but some are queued. Want: + where it connects. */
static const struct {
    const char *name, *calls, *want;
} rows[] = {
    {"silent from the start", "000000", "++----"}, {"logs always", "0111111", "+++++++"},
    {"logs at last", "000001000", "++---+++-"},    {"silent once", "01101101", "++++++++"},
    {"silent twice", "0100100", "+++++++"},        {"silent for long", "0910000001", "+++++----+"},
    {"something is queued", "0000q0q", "++--+-+"},
};

static void
connect_ahead(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ahead a = {0};
        uint64_t received = 0;
        char got[16];
        size_t len = 0;

        for (const char *p = rows[i].calls; *p != '\0'; p++) {
            if (*p != 'q')
                received += (uint64_t)(*p - '0');
            got[len++] = ahead_connect(&a, received, *p == 'q') ? '+' : '-';
        }
        CHECK_SPAN(rows[i].name, ((struct span){got, len}), span_of(rows[i].want));
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(connect_ahead)};

    return RUN(argc, argv, tests);
}
