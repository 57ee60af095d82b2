/* A proxy's URL, or its reply; or NO_PROXY, a newline and a host. */
#include "fuzz.h"
#include "protocol/base64.h"
#include "protocol/http.h"
#include "protocol/no_proxy.h"
#include "protocol/proxy.h"

#include <string.h>

/* What is said of the user is base64 of no more than what stands in the URL. */
static void
check_user(const struct proxy *p, struct span value)
{
    struct base64 reader = {.bits = 0};
    struct span text = span_skip(value, strlen("Basic "));
    size_t cap = p->user.len + 4;
    char *plain = fuzz_room(cap);
    int n = base64_read(&reader, &text, (uint8_t *)plain, cap);

    FACT((value.len > 0) == (p->user.len > 0));
    if (value.len == 0)
        return;
    FACT(span_starts(value, SPAN("Basic ")));
    FACT(n > 0 && (size_t)n <= p->user.len + 1 && text.len == 0 && base64_whole(&reader));
    /* without escapes as it stands there */
    if (memchr(p->user.p, '%', p->user.len) == NULL)
        FACT(span_starts((struct span){plain, (size_t)n}, p->user));
}

static void
check_url(struct span url, bool bare)
{
    enum { ROOM = 4096 };
    struct out o = out_to(fuzz_room(ROOM), ROOM);
    struct http_head head;
    struct proxy p;
    int got = proxy_url(url, bare, &p);

    FACT(got == 0 || got == ERR_BAD);
    if (got != 0)
        return;
    FACT(p.host.len > 0 && p.host.len <= 253 && p.port > 0 && fuzz_within(p.host, url));
    FACT(p.user.len <= PROXY_USER_MAX && (p.user.len == 0 || fuzz_within(p.user, url)));
    FACT(bare || proxy_url(url, true, &p) == 0);
    FACT(proxy_request(&o, &p, p.host, p.port) == 0);
    FACT(http_request_head(out_span(&o), &head) == (int)o.len);
    FACT(head.fields_len == (p.user.len > 0 ? 2 : 1) && http_has_host(&head));
    check_user(&p, http_field(&head, SPAN("proxy-authorization")));
}

/* A reply is whole once, and what comes then is too much or nobody's business. */
static void
check_reply(struct span in)
{
    size_t step = in.len <= 300 ? 1 : in.len / 16;
    int before = ERR_MORE;

    for (size_t n = 0; n <= in.len; n += step) {
        int got = proxy_reply(fuzz_copy((struct span){in.p, n}));

        FACT(got == ERR_MORE || got == ERR_BAD || got == 101 || (got >= 200 && got <= 999));
        FACT(got == before || before == ERR_MORE || (before / 100 == 2 && got == ERR_BAD));
        before = got;
    }
}

static void
check_list(struct span in)
{
    struct span host;
    struct span list = span_cut(in, '\n', &host);
    bool exempt = no_proxy(list, fuzz_copy(host));
    char *room = fuzz_room(in.len + 2);
    struct out o = out_to(room, in.len + 2);

    FACT(!exempt || list.len > 0);
    /* an empty name before the list takes nothing out of it; but an asterisk has to be alone */
    out_put(&o, SPAN(","));
    out_put(&o, list);
    FACT(span_same(list, SPAN("*")) || no_proxy(out_span(&o), host) == exempt);
    if (span_made_of(host, "-._:") && host.p[0] != '.' && host.p[host.len - 1] != '.')
        FACT(no_proxy(host, host));
}

void
fuzz(struct span in)
{
    check_url(in, false);
    check_url(in, true);
    check_reply(in);
    check_list(in);
}
