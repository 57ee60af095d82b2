#include "protocol/format.h"

#include <string.h>

/* see format.h */

static void
put_clipped(struct out *o, struct span text)
{
    if (text.len > o->cap - o->len)
        text.len = o->cap - o->len;
    out_put(o, text);
}

static void
put_number(struct out *o, bool negative, unsigned long long number)
{
    char digits[24];
    struct out text = out_to(digits, sizeof digits);

    if (negative)
        out_byte(&text, '-');
    out_number(&text, number);
    put_clipped(o, out_span(&text));
}

/* The bytes of a text argument, up to a precision that need not be followed by a zero. */
static struct span
text_of(const char *text, size_t most)
{
    size_t len = 0;

    while (text != NULL && len < most && text[len] != '\0')
        len++;
    return (struct span){text, len};
}

/* What stands before the conversion: ".*", ".N" or nothing. */
static const char *
read_precision(const char *p, size_t *most, bool *given)
{
    *given = false;
    *most = SIZE_MAX;
    if (*p != '.')
        return p;
    if (p[1] == '*') {
        *given = true;
        return p + 2;
    }
    for (*most = 0, p++; *p >= '0' && *p <= '9'; p++)
        *most = *most * 10 + (size_t)(*p - '0');
    return p;
}

static bool
starts(const char *p, const char *word)
{
    return span_starts(span_of(p), span_of(word));
}

int
format_list(struct out *o, const char *format, va_list arguments)
{
    const char *p = format;

    while (*p != '\0') {
        const char *percent = span_char(span_of(p), '%');
        size_t most;
        bool given;

        put_clipped(o, (struct span){p, percent == NULL ? strlen(p) : (size_t)(percent - p)});
        if (percent == NULL)
            break;
        p = read_precision(percent + 1, &most, &given);
        if (given)
            most = (size_t)va_arg(arguments, int);
        if (*p == 's') {
            put_clipped(o, text_of(va_arg(arguments, const char *), most));
        } else if (*p == 'u') {
            put_number(o, false, va_arg(arguments, unsigned));
        } else if (*p == 'd') {
            long long n = va_arg(arguments, int);

            put_number(o, n < 0, (unsigned long long)(n < 0 ? -n : n));
        } else if (starts(p, "zu")) {
            put_number(o, false, va_arg(arguments, size_t));
            p += 1;
        } else if (starts(p, "llu")) {
            put_number(o, false, va_arg(arguments, unsigned long long));
            p += 2;
        } else if (*p == '%') {
            put_clipped(o, SPAN("%"));
        } else {
            put_clipped(o, span_of(percent));
            return ERR_BAD;
        }
        p++;
    }
    return 0;
}

int
format_text(struct out *o, const char *format, ...)
{
    va_list arguments;
    int r;

    va_start(arguments, format);
    r = format_list(o, format, arguments);
    va_end(arguments);
    return r;
}
