#include "protocol/settings_proxy.h"

#include "check.h"

#include <stdio.h>

enum { ENV_MAX = 6 };

#define SECRET "s3cret"

struct environment {
    const char *const *pairs;
    char complaints[512];
};

static const char *
get(void *context, const char *name)
{
    const struct environment *e = context;
    size_t len = strlen(name);

    for (size_t i = 0; i < ENV_MAX && e->pairs[i] != NULL; i++)
        if (strncmp(e->pairs[i], name, len) == 0 && e->pairs[i][len] == '=')
            return e->pairs[i] + len + 1;
    return NULL;
}

static void
refuse(void *context, const char *name, const char *value, const char *allowed, const char *used)
{
    struct environment *e = context;
    size_t len = strlen(e->complaints);

    snprintf(e->complaints + len, sizeof e->complaints - len, "%s <%s> allowed <%s> used <%s>;",
             name, value, allowed, used);
}

#define URL "http://[USER:PASSWORD@]HOST[:PORT]"
#define BAD(name, more) name " <(a URL)> allowed <" more URL "> used <no proxy>;"

static const struct {
    const char *env[ENV_MAX];
    const char *want; /* host port user https_only exempt */
    const char *complaints;
} rows[] = {
    {{0}, "", ""},
    {{"TELEMETRY_PROXY="}, "", ""},
    {{"HTTPS_PROXY=http://a", "https_proxy=http://b", "NO_PROXY=c"}, "", ""},
    {{"TELEMETRY_PROXY=", "HTTPS_PROXY=socks5://a"}, "", ""},

    {{"TELEMETRY_PROXY=http://a:3128"}, "a 3128  0 ", ""},
    {{"TELEMETRY_PROXY=http://u:" SECRET "@a"}, "a 80 u:" SECRET " 0 ", ""},
    /* the function's own variables do not matter then */
    {{"TELEMETRY_PROXY=http://a", "HTTPS_PROXY=http://b", "NO_PROXY=c"}, "a 80  0 ", ""},

    {{"TELEMETRY_PROXY=a:3128"}, "", BAD("TELEMETRY_PROXY", "environment, ")},
    {{"TELEMETRY_PROXY=enviroment"}, "", BAD("TELEMETRY_PROXY", "environment, ")},
    {{"TELEMETRY_PROXY=ENVIRONMENT", "HTTPS_PROXY=http://a"},
     "",
     BAD("TELEMETRY_PROXY", "environment, ")},
    {{"TELEMETRY_PROXY=https://u:" SECRET "@a"}, "", BAD("TELEMETRY_PROXY", "environment, ")},
    {{"TELEMETRY_PROXY=socks5h://u:" SECRET "@a"}, "", BAD("TELEMETRY_PROXY", "environment, ")},
    {{"TELEMETRY_PROXY=u:" SECRET "@a"}, "", BAD("TELEMETRY_PROXY", "environment, ")},
    {{"TELEMETRY_PROXY=http://u:" SECRET}, "", BAD("TELEMETRY_PROXY", "environment, ")},

    {{"TELEMETRY_PROXY=environment"}, "", ""},
    {{"TELEMETRY_PROXY=environment", "NO_PROXY=a"}, "", ""},
    {{"TELEMETRY_PROXY=environment", "HTTP_PROXY=http://a", "ALL_PROXY=http://a"}, "", ""},
    {{"TELEMETRY_PROXY=environment", "HTTPS_PROXY=http://a"}, "a 80  1 ", ""},
    {{"TELEMETRY_PROXY=environment", "https_proxy=http://a"}, "a 80  1 ", ""},
    {{"TELEMETRY_PROXY=environment", "HTTPS_PROXY=http://a", "https_proxy=http://b"},
     "b 80  1 ",
     ""},
    {{"TELEMETRY_PROXY=environment", "HTTPS_PROXY=http://a", "https_proxy="}, "a 80  1 ", ""},
    {{"TELEMETRY_PROXY=environment", "HTTPS_PROXY=u:" SECRET "@a:3128"},
     "a 3128 u:" SECRET " 1 ",
     ""},
    {{"TELEMETRY_PROXY=environment", "HTTPS_PROXY=http://a", "NO_PROXY=b"}, "a 80  1 b", ""},
    {{"TELEMETRY_PROXY=environment", "HTTPS_PROXY=http://a", "NO_PROXY=b", "no_proxy=c"},
     "a 80  1 c",
     ""},
    {{"TELEMETRY_PROXY=environment", "HTTPS_PROXY=http://a", "NO_PROXY=b", "no_proxy="},
     "a 80  1 b",
     ""},
    {{"TELEMETRY_PROXY=environment", "HTTPS_PROXY=https://" SECRET "@a"},
     "",
     BAD("HTTPS_PROXY", "")},
    {{"TELEMETRY_PROXY=environment", "https_proxy=socks5://a"}, "", BAD("https_proxy", "")},
    /* one that is refused does not bring the other into play */
    {{"TELEMETRY_PROXY=environment", "https_proxy=socks5://a", "HTTPS_PROXY=http://b"},
     "",
     BAD("https_proxy", "")},
};

static void
table(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct environment e = {.pairs = rows[i].env};
        const struct settings_source source = {get, refuse, &e};
        struct proxy p;
        char row[16], got[256] = "";

        memset(&p, 0xff, sizeof p);
        snprintf(row, sizeof row, "row %zu", i);
        settings_proxy_read(&p, &source);
        if (p.host.len > 0)
            snprintf(got, sizeof got, "%.*s %u %.*s %d %.*s", (int)p.host.len, p.host.p, p.port,
                     (int)p.user.len, p.user.len == 0 ? "" : p.user.p, p.https_only,
                     (int)p.exempt.len, p.exempt.len == 0 ? "" : p.exempt.p);
        CHECK_SPAN(row, span_of(got), span_of(rows[i].want));
        CHECK_SPAN(row, span_of(e.complaints), span_of(rows[i].complaints));
        CHECK(row, strstr(e.complaints, SECRET) == NULL);
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
    };

    return RUN(argc, argv, tests);
}
