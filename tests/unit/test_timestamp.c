#include "protocol/timestamp.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#include <stdio.h>
#include <time.h>

static const struct {
    uint64_t unix_ms;
    const char *basic, *rfc3339;
} timestamps[] = {
    {0, "19700101T000000Z", "1970-01-01T00:00:00.000Z"},
    {999, "19700101T000000Z", "1970-01-01T00:00:00.999Z"},
    {1000, "19700101T000001Z", "1970-01-01T00:00:01.000Z"},
    {1440938160123, "20150830T123600Z", "2015-08-30T12:36:00.123Z"},
    {951782399000, "20000228T235959Z", "2000-02-28T23:59:59.000Z"},
    {951782400000, "20000229T000000Z", "2000-02-29T00:00:00.000Z"},
    {951868800000, "20000301T000000Z", "2000-03-01T00:00:00.000Z"},
    {1709164800007, "20240229T000000Z", "2024-02-29T00:00:00.007Z"},
    {4107542399050, "21000228T235959Z", "2100-02-28T23:59:59.050Z"},
    {4107542400000, "21000301T000000Z", "2100-03-01T00:00:00.000Z"},
    {1798761599999, "20261231T235959Z", "2026-12-31T23:59:59.999Z"},
    {253402300799999, "99991231T235959Z", "9999-12-31T23:59:59.999Z"},
    {253402300800000, "99991231T235959Z", "9999-12-31T23:59:59.999Z"},
    {UINT64_MAX, "99991231T235959Z", "9999-12-31T23:59:59.999Z"},
};

static void
check_timestamp(uint64_t unix_ms, const char *basic, const char *rfc3339)
{
    char *text = guard_buffer(TIMESTAMP_BASIC_LEN);

    timestamp_basic(unix_ms, text);
    CHECK_SPAN("basic", ((struct span){text, TIMESTAMP_BASIC_LEN}), span_of(basic));
    text = guard_buffer(TIMESTAMP_RFC3339_LEN);
    timestamp_rfc3339(unix_ms, text);
    CHECK_SPAN("RFC 3339", ((struct span){text, TIMESTAMP_RFC3339_LEN}), span_of(rfc3339));
}

static void
timestamp(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(timestamps); i++)
        check_timestamp(timestamps[i].unix_ms, timestamps[i].basic, timestamps[i].rfc3339);
}

/* Every day from 1970 to 2400, at some time of the day, against the C library. */
static void
every_day(void **state)
{
    size_t days = 0;

    (void)state;
    for (int64_t t = 0; t < INT64_C(13569465600); t += 86400, days++) {
        time_t at = t + t / 86400 * 7919 % 86400;
        struct tm tm;
        char basic[32], rfc3339[32], date[32];
        uint64_t unix_s;

        assert_non_null(gmtime_r(&at, &tm));
        strftime(basic, sizeof basic, "%Y%m%dT%H%M%SZ", &tm);
        strftime(rfc3339, sizeof rfc3339, "%Y-%m-%dT%H:%M:%S.042Z", &tm);
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        check_timestamp((uint64_t)at * 1000 + 42, basic, rfc3339);
        CHECK_INT(date, timestamp_http_date(span_of(date), &unix_s), 0);
        CHECK_INT(date, unix_s, at);
        CHECK_INT(rfc3339, timestamp_read_rfc3339(span_of(rfc3339), &unix_s), 0);
        CHECK_INT(rfc3339, unix_s, at * 1000 + 42);
    }
    assert_int_equal(days, 157054);
}

static const struct {
    struct span in;
    int want;
    uint64_t unix_s;
} dates[] = {
    {TEXT("Sun, 06 Nov 1994 08:49:37 GMT"), 0, 784111777},
    {TEXT("Thu, 01 Jan 1970 00:00:00 GMT"), 0, 0},
    {TEXT("Fri, 31 Dec 9999 23:59:59 GMT"), 0, 253402300799},
    {TEXT("Tue, 29 Feb 2000 00:00:00 GMT"), 0, 951782400},
    {TEXT("Thu, 29 Feb 2024 00:00:00 GMT"), 0, 1709164800},
    {TEXT("Sat, 31 Dec 2016 23:59:60 GMT"), 0, 1483228800},
    /* the day of the week is not checked against the date */
    {TEXT("Mon, 06 Nov 1994 08:49:37 GMT"), 0, 784111777},

    {TEXT(""), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov 1994 08:49:37 GM"), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov 1994 08:49:37 GMT "), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov 1994 08:49:37 UTC"), ERR_BAD, 0},
    {TEXT("Sunday, 06-Nov-94 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun Nov  6 08:49:37 1994"), ERR_BAD, 0},
    {TEXT("Sun, 06-Nov-1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun; 06 Nov 1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Son, 06 Nov 1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 06 nov 1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 06 anF 1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun,  6 Nov 1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 00 Nov 1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 31 Nov 1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 32 Dec 1994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Mon, 29 Feb 2100 00:00:00 GMT"), ERR_BAD, 0},
    {TEXT("Wed, 29 Feb 2023 00:00:00 GMT"), ERR_BAD, 0},
    {TEXT("Wed, 31 Dec 1969 23:59:59 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov -994 08:49:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov 1994 24:00:00 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov 1994 08:60:37 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov 1994 08:49:61 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov 1994 08:49:+7 GMT"), ERR_BAD, 0},
    {TEXT("Sun, 06 Nov 1994 08:49\0"
          "37 GMT"),
     ERR_BAD, 0},
};

static void
http_date(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(dates); i++) {
        uint64_t unix_s = 0;

        seed("timestamp", dates[i].in);
        CHECK_INT(dates[i].in.p, timestamp_http_date(guard_copy(dates[i].in), &unix_s),
                  dates[i].want);
        CHECK_INT(dates[i].in.p, unix_s, dates[i].unix_s);
    }
}

static const struct {
    struct span in;
    int want;
    uint64_t unix_ms;
} moments[] = {
    {TEXT("2026-11-20T12:00:00Z"), 0, 1795176000000},
    {TEXT("2026-11-20t12:00:00z"), 0, 1795176000000},
    {TEXT("1970-01-01T00:00:00Z"), 0, 0},
    {TEXT("9999-12-31T23:59:59.999Z"), 0, 253402300799999},
    {TEXT("2000-02-29T00:00:00Z"), 0, 951782400000},
    {TEXT("2016-12-31T23:59:60Z"), 0, 1483228800000},
    {TEXT("2015-08-30T12:36:00.1Z"), 0, 1440938160100},
    {TEXT("2015-08-30T12:36:00.12Z"), 0, 1440938160120},
    {TEXT("2015-08-30T12:36:00.123Z"), 0, 1440938160123},
    {TEXT("2015-08-30T12:36:00.123999999Z"), 0, 1440938160123},
    {TEXT("2015-08-30T12:36:00.0009999999999999999999999999Z"), 0, 1440938160000},
    {TEXT("2015-08-30T14:36:00.5+02:00"), 0, 1440938160500},
    {TEXT("2015-08-30T18:06:00+05:30"), 0, 1440938160000},
    {TEXT("2015-08-30T07:06:00-05:30"), 0, 1440938160000},
    {TEXT("2015-08-31T12:35:00+23:59"), 0, 1440938160000},
    {TEXT("2015-08-30T12:36:00-00:00"), 0, 1440938160000},
    {TEXT("1969-12-31T23:00:00-01:00"), 0, 0},

    {TEXT(""), ERR_BAD, 0},
    {TEXT("2026-11-20"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00"), ERR_BAD, 0},
    {TEXT("2026-11-20 12:00:00Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00 Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00ZZ"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00Z "), ERR_BAD, 0},
    {TEXT(" 2026-11-20T12:00:00Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00UTC"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00.Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00.5"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00,5Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00.5.5Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00+01"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00+0100"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00+1:00"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00+24:00"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00+01:60"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00+01:000"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00 01:00"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:00++1:00"), ERR_BAD, 0},
    {TEXT("2026-00-20T12:00:00Z"), ERR_BAD, 0},
    {TEXT("2026-13-20T12:00:00Z"), ERR_BAD, 0},
    {TEXT("2026-11-00T12:00:00Z"), ERR_BAD, 0},
    {TEXT("2026-11-31T12:00:00Z"), ERR_BAD, 0},
    {TEXT("2026-02-29T12:00:00Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T24:00:00Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:60:00Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:61Z"), ERR_BAD, 0},
    {TEXT("2026-11-20T12:00:-1Z"), ERR_BAD, 0},
    {TEXT("2026-1x-20T12:00:00Z"), ERR_BAD, 0},
    {TEXT("26-11-20T12:00:00Z"), ERR_BAD, 0},
    {TEXT("12026-11-20T12:00:00Z"), ERR_BAD, 0},
    {TEXT("-026-11-20T12:00:00Z"), ERR_BAD, 0},
    {TEXT("0000-01-01T00:00:00Z"), ERR_BAD, 0},
    {TEXT("1969-12-31T23:59:59Z"), ERR_BAD, 0},
    {TEXT("1970-01-01T00:59:59+01:00"), ERR_BAD, 0},
};

static void
read_rfc3339(void **state)
{
    uint64_t unix_ms;

    (void)state;
    for (size_t i = 0; i < LEN(moments); i++) {
        unix_ms = 0;
        CHECK_INT(moments[i].in.p, timestamp_read_rfc3339(guard_copy(moments[i].in), &unix_ms),
                  moments[i].want);
        CHECK_INT(moments[i].in.p, unix_ms, moments[i].unix_ms);
        for (size_t n = 0; moments[i].want == 0 && n < moments[i].in.len; n++)
            CHECK_INT(
                moments[i].in.p,
                timestamp_read_rfc3339(guard_copy((struct span){moments[i].in.p, n}), &unix_ms),
                ERR_BAD);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamp),
        cmocka_unit_test(every_day),
        cmocka_unit_test(http_date),
        cmocka_unit_test(read_rfc3339),
    };

    return RUN(argc, argv, tests);
}
