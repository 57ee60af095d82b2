#include "protocol/log_level.h"

#include "protocol/json_walk.h"
#include "protocol/line_steps.h"
#include "protocol/line_text.h"

/* see log_level.h */

/* Each behind the number of its level; the usual ones first. */
static const char NAMES[] =
    "3INFO5ERROR4WARN2DEBUG1TRACE6FATAL4WARNING6CRITICAL3INFORMATION5FAIL2DBUG1TRCE6CRIT"
    "3NOTICE5ERR5SEVERE2FINE1VERBOSE6ALERT6EMERGENCY6PANIC";

enum { LONGEST = 11 }; /* of them */

struct span
log_level_name(enum line_level level)
{
    const char *c = NAMES;
    size_t len = 0;

    /* none has number 0 but the end */
    while (*c != '\0' && *c != '0' + (int)level)
        c++;
    while (*c != '\0' && c[1 + len] > '9')
        len++;
    return (struct span){c + 1, len};
}

enum line_level
log_level_named(struct span name)
{
    const char *c = NAMES;

    while (*c != '\0' && name.len <= LONGEST) {
        enum line_level level = (enum line_level)(*c++ - '0');
        size_t same = 0;
        size_t len;

        for (len = 0; *c > '9'; len++, c++)
            /* a small letter is the capital one and a bit */
            same += len < name.len && (name.p[len] & ~0x20) == *c;
        LINE_STEPS(1 + len);
        if (same == len && len == name.len)
            return level;
    }
    return LEVEL_NONE;
}

enum line_level
log_level_value(struct span value)
{
    unsigned tens = value.len == 2 ? (unsigned)*value.p - '0' : 0;

    if (tens >= 1 && tens <= 9)
        return (enum line_level)(tens < LEVEL_FATAL ? tens : LEVEL_FATAL);
    return log_level_named(json_walk_string(value));
}

/* In how many words of a line its level may stand: in the first one in brackets, or behind a date or time, before which
 * Ruby writes a letter and a comma. */
static unsigned
words(struct span line)
{
    if (line.len < 5)
        return 0;
    if (*line.p == '[')
        return 1;
    if ((line.p[1] == ',' && line.p[3] == '[') ||
        ((unsigned)*line.p - '0' <= 9 && (line.p[4] == '-' || line.p[2] == ':')))
        return 6;
    return 0;
}

/* Behind blanks and brackets; tab: whether the last one is a tab, which is \t within JSON. */
static const char *
skip_blanks(const char *c, const char *end, bool *tab)
{
    for (*tab = false; c < end; c++) {
        bool escape = *c == '\\' && end - c > 1 && c[1] == 't';

        if (!escape && *c != ' ' && *c != '[')
            break;
        LINE_STEPS(1);
        c += escape;
        *tab = escape;
    }
    return c;
}

/* Words are short, but for dates and ids. */
static const char *
word_end(const char *c, const char *end)
{
    unsigned n = 16;

    for (; n == 16 && end - c >= 16; c += n)
        n = block_before(c, ' ', '\\');
    while (c < end && *c != ' ' && *c != '\\')
        c++;
    return c;
}

/* line: as it stands in JSON, so that another line begins behind \n. */
static enum line_level
text_level(struct span line)
{
    const char *c = line.p;
    const char *end = c + line.len;
    unsigned left = words(line);
    bool bracket = left == 1;
    enum line_level level = LEVEL_NONE;
    bool tab;

    c = skip_blanks(c, end, &tab);
    for (; left > 0 && level == LEVEL_NONE; left--) {
        const char *word = c;

        c = word_end(c, end);
        LINE_STEPS((size_t)(c - word));
        line = (struct span){word, (size_t)(c - word)};
        line.len -= line.len > 0 && c[-1] == ']';
        c = skip_blanks(c, end, &tab);
        /* small letters are a word of the message, but for .NET, which has tabs */
        if (line.len > 0 && (bracket || tab || (*word >= 'A' && *word <= 'Z')))
            level = log_level_named(line);
    }
    return level;
}

enum line_level
log_level_line(struct span record, char *room)
{
    enum line_level level = LEVEL_NONE;

    for (int times = 0; times < 2 && level == LEVEL_NONE; times++) {
        struct span text = json_walk_string(record);
        struct json_walk w;
        struct span name;
        struct span value;

        if (text.p == NULL)
            text = record;
        else if (text.len == 0 || *text.p != '{')
            return text_level(text);
        else
            text = (struct span){room, line_unescape(text, room)};
        if (json_walk_open(&w, text) != 0 || w.rest.p[-1] == '[')
            return LEVEL_NONE;
        LINE_STEPS(text.len);
        record.len = 0;
        while (level == LEVEL_NONE && json_walk_next(&w, &name, &value) == 1) {
            if (log_level_member(name))
                level = log_level_value(value);
            else if (span_same(name, SPAN("message")))
                record = value;
        }
    }
    return level;
}
