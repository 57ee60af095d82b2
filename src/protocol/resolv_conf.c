#include "protocol/resolv_conf.h"

#include <string.h>

#include "protocol/lines.h"

/* see resolv_conf.h */

void
resolv_conf_init(struct resolv_conf *c)
{
    *c = (struct resolv_conf){.timeout_s = 5, .attempts = 2, .ndots = 1};
}

static void
add_server(struct resolv_conf *c, struct span word)
{
    struct resolv_conf_server *s = &c->servers[c->servers_len];
    struct span scope;
    struct span text = span_cut(word, '%', &scope);

    if (c->servers_len == RESOLV_CONF_SERVERS_MAX || scope.len >= sizeof s->scope ||
        address_read(text, &s->address) != 0)
        return;
    memset(s->scope, 0, sizeof s->scope);
    if (scope.len > 0)
        memcpy(s->scope, scope.p, scope.len);
    c->servers_len++;
}

/* The value of an option between least and most; larger values count as most. */
static void
set(unsigned *value, struct span text, unsigned least, unsigned most)
{
    uint64_t number;

    if (span_number(text, UINT32_MAX, &number) != 0)
        return;
    *value = number > most ? most : (unsigned)number;
    if (*value < least)
        *value = least;
}

static void
option(struct resolv_conf *c, struct span word)
{
    struct span value;
    struct span name = span_cut(word, ':', &value);

    if (span_same(name, SPAN("ndots")))
        set(&c->ndots, value, 0, 15);
    else if (span_same(name, SPAN("timeout")))
        set(&c->timeout_s, value, 1, 60);
    else if (span_same(name, SPAN("attempts")))
        set(&c->attempts, value, 1, 10);
}

void
resolv_conf_line(struct resolv_conf *c, struct span line)
{
    struct span keyword = lines_word(&line);

    if (span_same(keyword, SPAN("nameserver"))) {
        add_server(c, lines_word(&line));
    } else if (span_same(keyword, SPAN("options"))) {
        for (struct span word = lines_word(&line); word.len > 0; word = lines_word(&line))
            option(c, word);
    } else if ((span_same(keyword, SPAN("search")) || span_same(keyword, SPAN("domain"))) &&
               line.len <= sizeof c->search) {
        /* the last such line counts */
        c->search_len = out_keep(c->search, sizeof c->search, 0, line);
    }
}

void
resolv_conf_end(struct resolv_conf *c)
{
    if (c->servers_len == 0)
        add_server(c, SPAN("127.0.0.1"));
}

static bool
has_dots(struct span host, unsigned least)
{
    for (size_t i = 0; i < host.len && least > 0; i++)
        least -= host.p[i] == '.';
    return least == 0;
}

bool
resolv_conf_name(const struct resolv_conf *c, struct span host, unsigned try, struct out *o)
{
    struct span domains = {c->search, c->search_len};
    struct span domain;

    /* a dot at the end marks a complete name */
    if (host.len > 0 && (host.p[host.len - 1] == '.' || has_dots(host, c->ndots)))
        domains.len = 0;
    do
        domain = lines_word(&domains);
    while (try-- > 0);
    out_put(o, host);
    if (domain.len == 0)
        return false;
    out_byte(o, '.');
    out_put(o, domain);
    return true;
}
