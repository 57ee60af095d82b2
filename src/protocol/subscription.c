#include "protocol/subscription.h"

#include "protocol/format.h"
#include "protocol/platform_line.h"
#include "protocol/timestamp.h"

/* see subscription.h */

void
subscription_head(struct out *o, const struct event_origin *origin, struct span group,
                  struct span stream)
{
    out_put(o, SPAN("{\"messageType\":\"DATA_MESSAGE\",\"owner\":\""));
    out_json(o, origin->account_id);
    out_put(o, SPAN("\",\"logGroup\":\""));
    if (group.len == 0) {
        group = origin->function_name;
        out_put(o, SPAN("/aws/lambda/"));
    }
    out_json(o, group);
    out_put(o, SPAN("\",\"logStream\":\""));
    out_put(o, stream);
    out_put(o, SPAN("\",\"subscriptionFilters\":[\"kinesis-telemetry-api-extension\"],"
                    "\"logEvents\":["));
}

void
subscription_stream(struct out *o, uint64_t unix_ms, const struct event_origin *origin)
{
    char date[TIMESTAMP_RFC3339_LEN];

    timestamp_rfc3339(unix_ms, date);
    date[4] = date[7] = '/';
    (void)format_text(o, "%.10s/[%.*s]%.*s", date, (int)origin->function_version.len,
                      origin->function_version.p, (int)origin->sandbox.len, origin->sandbox.p);
}

void
subscription_id(char id[SUBSCRIPTION_ID_LEN], uint64_t unix_ms,
                const uint8_t sandbox[SUBSCRIPTION_SANDBOX_LEN], uint64_t number)
{
    enum { WORDS = 6, NINE_DIGITS = 1000000000 };
    const uint8_t *s = sandbox;
    uint32_t words[WORDS] = {
        (uint32_t)(unix_ms >> 16),
        (uint32_t)unix_ms << 16 | (uint32_t)s[0] << 8 | s[1],
        (uint32_t)s[2] << 24 | (uint32_t)s[3] << 16 | (uint32_t)s[4] << 8 | s[5],
        (uint32_t)s[6] << 24 | (uint32_t)s[7] << 16 | (uint32_t)s[8] << 8 | s[9],
        (uint32_t)(number >> 32),
        (uint32_t)number,
    };
    size_t at = SUBSCRIPTION_ID_LEN;

    while (at > 0) {
        uint64_t rest = 0;

        for (size_t i = 0; i < WORDS; i++) {
            rest = rest << 32 | words[i];
            words[i] = (uint32_t)(rest / NINE_DIGITS);
            rest %= NINE_DIGITS;
        }
        for (int i = 0; i < 9 && at > 0; i++, rest /= 10)
            id[--at] = (char)('0' + rest % 10);
    }
}

void
subscription_id_add(char id[SUBSCRIPTION_ID_LEN], unsigned more)
{
    for (size_t at = SUBSCRIPTION_ID_LEN; more > 0 && at-- > 0;) {
        more += (unsigned)(id[at] - '0');
        id[at] = (char)('0' + more % 10);
        more /= 10;
    }
}

/* All but the message, which begins. */
static void
begin(struct out *o, uint64_t unix_ms)
{
    out_put(o, SPAN("{\"id\":\""));
    out_put(o, SPAN("00000000000000000000000000000000000000000000000000000000"));
    out_put(o, SPAN("\",\"timestamp\":"));
    out_number(o, unix_ms);
    out_put(o, SPAN(",\"message\":\""));
}

/* JSON as the inside of a string: in valid JSON white space is what there is of control characters. */
static void
put_compact(struct out *o, struct span json)
{
    char *to = o->p + o->len;
    bool quoted = false;
    bool escaped = false;

    if (o->full || json.len > (o->cap - o->len) / 2) {
        o->full = true;
        return;
    }
    for (size_t i = 0; i < json.len; i++) {
        char c = json.p[i];

        if (!quoted && span_white(c))
            continue;
        if (c == '"' || c == '\\')
            *to++ = '\\';
        *to++ = c;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    o->len = (size_t)(to - o->p);
}

/* A line of text, as it stands in its JSON string. */
static void
put_line(struct out *o, struct span string)
{
    out_put(o, (struct span){string.p + 1, string.len - 2});
    if (!event_ends_in_newline(string))
        out_put(o, SPAN("\\n"));
}

size_t
subscription_event(struct out *o, const struct event *e, uint64_t unix_ms, bool text)
{
    size_t second = 0;

    begin(o, unix_ms);
    if (e->type != EVENT_PLATFORM) {
        if (e->record.p[0] == '"')
            put_line(o, e->record);
        else
            put_compact(o, e->record);
    } else if (text) {
        if (e->kind == EVENT_REPORT) {
            platform_line_end(o, e);
            out_put(o, SPAN("\"},"));
            second = o->len + SUBSCRIPTION_ID_AT;
            begin(o, unix_ms);
        }
        platform_line(o, e);
    } else {
        put_compact(o, e->text);
    }
    out_put(o, SPAN("\"}"));
    return second;
}
