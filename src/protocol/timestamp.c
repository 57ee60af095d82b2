#include "protocol/timestamp.h"

#include "protocol/out.h"

#include <string.h>

/* see timestamp.h */

#define SECONDS_PER_DAY 86400
#define LAST_MS UINT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/*
 * Days are counted from 1 March of the year 0, so that the leap day is the last of a year. The months then
 * repeat the pattern 31 30 31 30 31, and month m begins on day (153 * m + 2) / 5.
 */
#define DAYS_TO_1970 719468
#define DAYS_PER_400_YEARS 146097

struct date {
    unsigned year, month, day, hour, minute, second, ms;
};

static void
set_day(struct date *m, uint64_t days)
{
    uint64_t d = days + DAYS_TO_1970;
    unsigned of_era = (unsigned)(d % DAYS_PER_400_YEARS);
    unsigned years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * years + years / 4 - years / 100);
    unsigned march_month = (5 * of_year + 2) / 153;

    m->day = of_year - (153 * march_month + 2) / 5 + 1;
    m->month = march_month < 10 ? march_month + 3 : march_month - 9;
    m->year = (unsigned)(d / DAYS_PER_400_YEARS) * 400 + years + (m->month <= 2);
}

static struct date
date_of(uint64_t unix_ms)
{
    uint64_t seconds = (unix_ms > LAST_MS ? LAST_MS : unix_ms) / 1000;
    unsigned of_day = (unsigned)(seconds % SECONDS_PER_DAY);
    struct date m = {.hour = of_day / 3600, .minute = of_day / 60 % 60, .second = of_day % 60};

    m.ms = (unsigned)((unix_ms > LAST_MS ? LAST_MS : unix_ms) % 1000);
    set_day(&m, seconds / SECONDS_PER_DAY);
    return m;
}

void
timestamp_basic(uint64_t unix_ms, char text[TIMESTAMP_BASIC_LEN])
{
    struct date m = date_of(unix_ms);
    struct out o = out_to(text, TIMESTAMP_BASIC_LEN);

    out_padded(&o, m.year, 4);
    out_padded(&o, m.month, 2);
    out_padded(&o, m.day, 2);
    out_byte(&o, 'T');
    out_padded(&o, m.hour, 2);
    out_padded(&o, m.minute, 2);
    out_padded(&o, m.second, 2);
    out_byte(&o, 'Z');
}

void
timestamp_rfc3339(uint64_t unix_ms, char text[TIMESTAMP_RFC3339_LEN])
{
    struct date m = date_of(unix_ms);
    struct out o = out_to(text, TIMESTAMP_RFC3339_LEN);

    out_padded(&o, m.year, 4);
    out_byte(&o, '-');
    out_padded(&o, m.month, 2);
    out_byte(&o, '-');
    out_padded(&o, m.day, 2);
    out_byte(&o, 'T');
    out_padded(&o, m.hour, 2);
    out_byte(&o, ':');
    out_padded(&o, m.minute, 2);
    out_byte(&o, ':');
    out_padded(&o, m.second, 2);
    out_byte(&o, '.');
    out_padded(&o, m.ms, 3);
    out_byte(&o, 'Z');
}

/* The position of a name of three letters in a list of such, counted from 1; 0 if it is not there. */
static unsigned
place(const char *letters, struct span names)
{
    for (unsigned i = 0; i < names.len / 3; i++)
        if (memcmp(letters, names.p + 3 * (size_t)i, 3) == 0)
            return i + 1;
    return 0;
}

/* The number that consists of len digits at this offset of the date. */
static int
digits(struct span date, size_t at, size_t len, unsigned *number)
{
    uint64_t n = 0;

    if (span_number((struct span){date.p + at, len}, 9999, &n) < 0)
        return ERR_BAD;
    *number = (unsigned)n;
    return 0;
}

static unsigned
days_in(unsigned month, unsigned year)
{
    if (month == 2)
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static uint64_t
unix_seconds(const struct date *m)
{
    unsigned march_month = m->month > 2 ? m->month - 3 : m->month + 9;
    unsigned year = m->year - (m->month <= 2);
    uint64_t days = (uint64_t)year * 365 + year / 4 - year / 100 + year / 400 +
                    (153 * march_month + 2) / 5 + m->day - 1 - DAYS_TO_1970;

    return days * SECONDS_PER_DAY + ((uint64_t)m->hour * 60 + m->minute) * 60 + m->second;
}

/* Whether the text equals the form, in which an underscore stands for any byte. */
static bool
has_form(struct span text, struct span form)
{
    if (text.len != form.len)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (form.p[i] != '_' && form.p[i] != text.p[i])
            return false;
    return true;
}

/* Second 60 may be a leap second's. */
static bool
exists(const struct date *m)
{
    return m->month >= 1 && m->month <= 12 && m->day >= 1 && m->day <= days_in(m->month, m->year) &&
           m->hour <= 23 && m->minute <= 59 && m->second <= 60;
}

int
timestamp_http_date(struct span date, uint64_t *unix_s)
{
    struct date m = {0};

    if (!has_form(date, SPAN("___, __ ___ ____ __:__:__ GMT")))
        return ERR_BAD;
    m.month = place(date.p + 8, SPAN("JanFebMarAprMayJunJulAugSepOctNovDec"));
    if (m.month == 0 || place(date.p, SPAN("MonTueWedThuFriSatSun")) == 0)
        return ERR_BAD;
    if (digits(date, 5, 2, &m.day) < 0 || digits(date, 12, 4, &m.year) < 0 ||
        digits(date, 17, 2, &m.hour) < 0 || digits(date, 20, 2, &m.minute) < 0 ||
        digits(date, 23, 2, &m.second) < 0)
        return ERR_BAD;
    if (m.year < 1970 || !exists(&m))
        return ERR_BAD;
    *unix_s = unix_seconds(&m);
    return 0;
}

/* Z, or an offset: seconds that local time is ahead of UTC. */
static int
read_zone(struct span zone, int64_t *ahead)
{
    struct date m;

    *ahead = 0;
    if (span_same_case(zone, SPAN("Z")))
        return 0;
    if (zone.len == 0 || (zone.p[0] != '+' && zone.p[0] != '-') ||
        !has_form(span_skip(zone, 1), SPAN("__:__")))
        return ERR_BAD;
    if (digits(zone, 1, 2, &m.hour) < 0 || digits(zone, 4, 2, &m.minute) < 0 || m.hour > 23 ||
        m.minute > 59)
        return ERR_BAD;
    *ahead = ((int64_t)m.hour * 60 + m.minute) * 60 * (zone.p[0] == '-' ? -1 : 1);
    return 0;
}

/* Milliseconds from the digits after the full stop, if there is one; zone gets what follows. */
static int
read_fraction(struct span rest, unsigned *ms, struct span *zone)
{
    size_t n = 1;

    *ms = 0;
    *zone = rest;
    if (!span_starts(rest, SPAN(".")))
        return 0;
    for (unsigned worth = 100; n < rest.len && rest.p[n] >= '0' && rest.p[n] <= '9'; n++) {
        *ms += (unsigned)(rest.p[n] - '0') * worth;
        worth /= 10;
    }
    *zone = span_skip(rest, n);
    return n > 1 ? 0 : ERR_BAD;
}

int
timestamp_read_rfc3339(struct span text, uint64_t *unix_ms)
{
    static const size_t len = sizeof "____-__-__T__:__:__" - 1;
    struct span date = {text.p, text.len < len ? text.len : len};
    struct date m = {0};
    struct span zone;
    int64_t ahead;
    int64_t seconds;

    if (!has_form(date, SPAN("____-__-__T__:__:__")) &&
        !has_form(date, SPAN("____-__-__t__:__:__")))
        return ERR_BAD;
    if (digits(date, 0, 4, &m.year) < 0 || digits(date, 5, 2, &m.month) < 0 ||
        digits(date, 8, 2, &m.day) < 0 || digits(date, 11, 2, &m.hour) < 0 ||
        digits(date, 14, 2, &m.minute) < 0 || digits(date, 17, 2, &m.second) < 0)
        return ERR_BAD;
    if (read_fraction(span_skip(text, len), &m.ms, &zone) < 0 || read_zone(zone, &ahead) < 0)
        return ERR_BAD;
    /* from 1969 an offset may lead into 1970 */
    if (m.year < 1969 || !exists(&m))
        return ERR_BAD;
    seconds = (int64_t)unix_seconds(&m) - ahead;
    if (seconds < 0)
        return ERR_BAD;
    *unix_ms = (uint64_t)seconds * 1000 + m.ms;
    return 0;
}
