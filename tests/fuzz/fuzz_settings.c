/* An environment: NAME=VALUE, a zero byte behind each, as the kernel lays it out. */
#include "fuzz.h"
#include "protocol/settings.h"

#include <string.h>

struct environment {
    struct span block; /* ends in a zero byte */
    size_t refusals;
};

static const char *
get(void *context, const char *name)
{
    const struct environment *env = context;
    struct span rest = env->block;

    while (rest.len > 0) {
        struct span pair = span_cut(rest, '\0', &rest);
        struct span value = {NULL, 0};

        if (span_same(span_cut(pair, '=', &value), span_of(name)) && value.p != NULL)
            return fuzz_copy((struct span){value.p, value.len + 1}).p;
    }
    return NULL;
}

static void
refuse(void *context, const char *name, const char *value, const char *allowed, const char *used)
{
    struct environment *env = context;

    env->refusals++;
    FACT(strlen(name) > 0 && strlen(allowed) > 0 && strlen(used) > 0 && value != NULL);
}

static void
check_endpoint(const struct endpoint *e)
{
    FACT(e->host.len > 0 && e->host.len <= 253 && e->port > 0);
    FACT(e->path.len > 0 && e->path.p[0] == '/');
    FACT(e->path.len == 1 || e->path.p[e->path.len - 1] != '/');
    /* goes into a request's head */
    for (size_t i = 0; i < e->path.len; i++)
        FACT(e->path.p[i] > ' ' && e->path.p[i] < 0x7f);
}

static bool
between(uint32_t least, uint32_t number, uint32_t most)
{
    return least <= number && number <= most;
}

/* No setting, however it is refused, leaves the extension without a usable one. */
static void
check_settings(const struct settings *s)
{
    check_endpoint(&s->kinesis);
    if (s->dead_letter == DEAD_LETTER_S3) {
        check_endpoint(&s->s3);
        FACT(s->bucket.len > 0 && s->prefix.len <= SETTINGS_PREFIX_MAX);
    }
    FACT((s->stream_name.len > 0) != (s->stream_arn.len > 0));
    FACT(between(1, (uint32_t)s->region.len, 40) && s->function_region.len > 0);
    FACT(between(1, s->types, EVENT_PLATFORM | EVENT_FUNCTION | EVENT_EXTENSION));
    FACT(s->key != KEY_FIXED || s->fixed_key.len > 0);
    FACT(s->flush_budget_ms <= 5400000 && between(1, s->max_attempts, 100));
    FACT(s->hold_silence_ms <= 5400000);
    FACT(s->flush == FLUSH_CONTINUOUS || s->buffer_timeout_ms <= 25 ||
         s->buffer_timeout_ms <= s->flush_budget_ms);
    FACT(between(25, s->buffer_timeout_ms, 30000));
    FACT(between(262144, s->buffer_max_bytes, 1048576));
    FACT(between(1000, s->buffer_max_items, 10000));
    FACT(between(65536, s->queue_max_bytes, 1073741824));
    FACT(between(1, s->connect_timeout_ms, 60000) && between(1, s->request_timeout_ms, 60000));
    FACT(s->listener_port > 0 && s->listener_port != 9001);
    FACT(s->proxy.host.len == 0 ||
         (s->proxy.host.len <= 253 && s->proxy.port > 0 && s->proxy.user.len <= PROXY_USER_MAX));
    FACT(proxy_for(&s->proxy, &s->kinesis) == NULL || s->proxy.host.len > 0);
}

void
fuzz(struct span in)
{
    char *block = fuzz_room(in.len + 1);
    struct environment env = {{block, in.len + 1}, 0};
    struct settings_source source = {get, refuse, &env};
    struct settings s;

    if (in.len > 0)
        memcpy(block, in.p, in.len);
    block[in.len] = '\0';
    memset(&s, 0xff, sizeof s);
    settings_read_early(&s, &source);
    FACT(env.refusals == 0);
    settings_read(&s, &source);
    check_settings(&s);
}
