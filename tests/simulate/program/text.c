#include <stdarg.h>
#include <stdio.h>

#include "services.h"

/* see services.h */

void
text_put(struct text *t, const char *format, ...)
{
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(t->p + t->len, t->cap - t->len, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= t->cap - t->len)
        world_break("service: no room for a text");
    t->len += (size_t)n;
}

void
text_bytes(struct text *t, const void *p, size_t len)
{
    if (len > t->cap - t->len)
        world_break("service: no room for a text");
    if (len > 0)
        memcpy(t->p + t->len, p, len);
    t->len += len;
}

bool
span_is(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static void __attribute__((noreturn)) not_json(const struct json_in *in)
{
    size_t left = (size_t)(in->end - in->p);

    world_break("%s: unexpected in its JSON: %.*s", in->what, (int)(left < 100 ? left : 100),
                in->p);
}

bool
json_next(struct json_in *in, char c)
{
    if (in->p == in->end || *in->p != c)
        return false;
    in->p++;
    return true;
}

void
json_expect(struct json_in *in, char c)
{
    if (!json_next(in, c))
        not_json(in);
}

void
json_end(struct json_in *in)
{
    if (in->p != in->end)
        not_json(in);
}

static uint32_t
hex4(struct json_in *in)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        char c = in->p < in->end ? *in->p : '\0';

        if (c >= '0' && c <= '9')
            value = value * 16 + (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value * 16 + (uint32_t)((c | 0x20) - 'a' + 10);
        else
            not_json(in);
        in->p++;
    }
    return value;
}

static char *
put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

static uint32_t
code_point(struct json_in *in)
{
    uint32_t high = hex4(in), low;

    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff || in->end - in->p < 6 || in->p[0] != '\\' || in->p[1] != 'u')
        not_json(in);
    in->p += 2;
    low = hex4(in);
    if (low < 0xdc00 || low > 0xdfff)
        not_json(in);
    return 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
}

/* The character after a backslash. */
static char *
unescape(struct json_in *in, char *to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *which;

    if (in->p == in->end || *in->p == '\0')
        not_json(in);
    if (*in->p == 'u') {
        in->p++;
        return put_utf8(to, code_point(in));
    }
    which = strchr(from, *in->p);
    if (which == NULL)
        not_json(in);
    in->p++;
    *to = into[which - from];
    return to + 1;
}

struct span
json_text(struct json_in *in)
{
    const char *begin;
    char *to = in->room;

    json_expect(in, '"');
    begin = in->p;
    while (in->p < in->end && *in->p != '"' && *in->p != '\\' && (unsigned char)*in->p >= ' ')
        in->p++;
    if (json_next(in, '"'))
        return (struct span){begin, (size_t)(in->p - 1 - begin)};
    memcpy(to, begin, (size_t)(in->p - begin));
    to += in->p - begin;
    while (!json_next(in, '"')) {
        if (in->p == in->end || (unsigned char)*in->p < ' ')
            not_json(in);
        if (json_next(in, '\\'))
            to = unescape(in, to);
        else
            *to++ = *in->p++;
    }
    begin = in->room;
    in->room = to;
    return (struct span){begin, (size_t)(to - begin)};
}

/* --- bytes ---------------------------------------------------------------------------------------- */

/* What each character stands for, plus one; 0: it is none of base64. */
static const uint8_t *
base64_digits(void)
{
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static uint8_t digits[256];

    for (unsigned i = 0; i < 64 && digits[(unsigned char)all[63]] == 0; i++)
        digits[(unsigned char)all[i]] = (uint8_t)(i + 1);
    return digits;
}

/* Four characters, of which the last may be padding. Returns how many bytes they are; -1: they are none. */
static int
base64_group(const uint8_t *digits, const char *p, bool last, char *to)
{
    int pads = !last ? 0 : p[2] == '=' && p[3] == '=' ? 2 : p[3] == '=' ? 1 : 0;
    uint32_t bits = 0;

    for (int i = 0; i < 4; i++) {
        unsigned digit = i < 4 - pads ? digits[(unsigned char)p[i]] : 1;

        if (digit == 0)
            return -1;
        bits = bits << 6 | (digit - 1);
    }
    if ((pads == 2 && (bits & 0xffff) != 0) || (pads == 1 && (bits & 0xff) != 0))
        return -1;
    for (int i = 0; i < 3 - pads; i++)
        to[i] = (char)(bits >> (16 - 8 * i));
    return 3 - pads;
}

size_t
base64_read(struct span text, char *to, const char *what)
{
    const uint8_t *digits = base64_digits();
    size_t len = 0;

    if (text.len % 4 != 0)
        world_break("%s: no base64", what);
    for (size_t i = 0; i < text.len; i += 4) {
        int n = base64_group(digits, text.p + i, i + 4 == text.len, to + len);

        if (n < 0)
            world_break("%s: no base64", what);
        len += (size_t)n;
    }
    return len;
}

/* The bytes of the character that begins there; 0: it is none. Source: RFC 3629, section 4. */
static size_t
utf8_len(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = p[0];

    if (n == 1)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
        return 0;
    c &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
        (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return n;
}

bool
utf8_valid(struct span bytes)
{
    size_t i = 0;

    while (i < bytes.len) {
        size_t n = utf8_len((const unsigned char *)bytes.p + i, bytes.len - i);

        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

/* --- time ----------------------------------------------------------------------------------------- */

struct date {
    unsigned year, month, day, hour, minute, second, weekday;
};

/* Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
static void
date_of(uint64_t wall_ms, struct date *d)
{
    uint64_t s = wall_ms / 1000;
    unsigned days = (unsigned)(s / 86400);
    unsigned z = days + 719468;
    unsigned era = z / 146097, doe = z - era * 146097;
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;

    d->day = doy - (153 * mp + 2) / 5 + 1;
    d->month = mp < 10 ? mp + 3 : mp - 9;
    d->year = yoe + era * 400 + (d->month <= 2);
    d->hour = (unsigned)(s / 3600 % 24);
    d->minute = (unsigned)(s / 60 % 60);
    d->second = (unsigned)(s % 60);
    d->weekday = (days + 4) % 7;
}

void
moment_text(uint64_t wall_ms, enum moment_form form, char to[40])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct date d;

    date_of(wall_ms, &d);
    if (form == MOMENT_HTTP)
        snprintf(to, 40, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[d.weekday], d.day % 100,
                 months[(d.month - 1) % 12], d.year % 10000, d.hour, d.minute, d.second);
    else
        snprintf(to, 40,
                 form == MOMENT_BASIC ? "%04u%02u%02uT%02u%02u%02uZ"
                                      : "%04u-%02u-%02uT%02u:%02u:%02uZ",
                 d.year % 10000, d.month, d.day % 100, d.hour, d.minute, d.second);
}

static unsigned
digits(const char *p, unsigned n)
{
    unsigned value = 0;

    for (unsigned i = 0; i < n; i++)
        value = p[i] >= '0' && p[i] <= '9' ? value * 10 + (unsigned)(p[i] - '0') : 100000;
    return value;
}

uint64_t
moment_read(struct span text)
{
    unsigned year, month, day, era_year;
    uint64_t ms;
    char again[40];

    if (text.len != 16)
        return 0;
    year = digits(text.p, 4);
    month = digits(text.p + 4, 2);
    day = digits(text.p + 6, 2);
    if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    era_year = month <= 2 ? year - 1 : year;
    ms = (uint64_t)(era_year / 400) * 146097 + era_year % 400 * 365 + era_year % 400 / 4 -
         era_year % 400 / 100 + (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1 -
         719468;
    ms = ms * 86400 + digits(text.p + 9, 2) * 3600ull + digits(text.p + 11, 2) * 60ull +
         digits(text.p + 13, 2);
    ms *= 1000;
    /* what is no moment does not read the same again */
    moment_text(ms, MOMENT_BASIC, again);
    return span_is(text_span(again), text) ? ms : 0;
}
