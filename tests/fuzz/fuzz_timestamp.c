/* An HTTP date, which stands for one moment and is written the same way; and whole numbers. */
#include "fuzz.h"
#include "protocol/timestamp.h"

#include <string.h>

#define LAST_SECOND 253402300799u /* of the year 9999 */

/* Sun, 06 Nov 1994 08:49:37 GMT against 1994-11-06T08:49:37.000Z, but for the months' names. */
static void
check_date(struct span in, uint64_t unix_s)
{
    char rfc3339[TIMESTAMP_RFC3339_LEN], basic[TIMESTAMP_BASIC_LEN];
    const char *date = in.p;

    timestamp_rfc3339(unix_s * 1000, rfc3339);
    timestamp_basic(unix_s * 1000 + 999, basic);
    FACT(memcmp(basic, rfc3339, 4) == 0 && memcmp(basic + 13, rfc3339 + 17, 2) == 0);
    /* a leap second is the next minute's first, unless time as we write it ends there */
    if (memcmp(date + 23, "60", 2) == 0) {
        FACT(memcmp(rfc3339 + 17, unix_s <= LAST_SECOND ? "00" : "59", 2) == 0);
        return;
    }
    FACT(memcmp(rfc3339, date + 12, 4) == 0);
    FACT(memcmp(rfc3339 + 8, date + 5, 2) == 0);
    FACT(memcmp(rfc3339 + 11, date + 17, 8) == 0);
}

/* The digits without zeros before them, written again. */
static void
check_number(struct span in)
{
    char digits[20];
    struct out o = out_to(digits, sizeof digits);
    uint64_t number, same;

    if (span_number(in, UINT64_MAX, &number) != 0)
        return;
    FACT(span_number(in, number, &same) == 0 && same == number);
    FACT(number == 0 || span_number(in, number - 1, &same) == ERR_BAD);
    while (in.len > 1 && in.p[0] == '0')
        in = span_skip(in, 1);
    out_number(&o, number);
    FACT(span_same(out_span(&o), in));
}

void
fuzz(struct span in)
{
    uint64_t unix_s;
    int got = timestamp_http_date(in, &unix_s);

    FACT(got == 0 || got == ERR_BAD);
    if (got == 0)
        check_date(in, unix_s);
    check_number(in);
}
