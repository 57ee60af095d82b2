/* A file of lines, read as /etc/resolv.conf and as /etc/hosts; a host out of it is looked for. */
#include "fuzz.h"
#include "protocol/hosts.h"
#include "protocol/lines.h"
#include "protocol/resolv_conf.h"

#include <string.h>

struct read {
    struct resolv_conf conf;
    struct addresses found;
    unsigned hits;
};

/* In pieces of at most so many bytes; 0: of any size. */
static void
read_file(struct span in, size_t most, struct span host, struct read *r)
{
    struct lines lines = {0};
    char *room = fuzz_room(in.len);
    size_t cap = in.len;

    /* paddings are compared as well */
    memset(r, 0, sizeof *r);
    resolv_conf_init(&r->conf);
    while (in.len > 0) {
        size_t size = most > 0 ? most : 1 + fuzz_dice(64);
        struct span piece = fuzz_lay(room, cap, (struct span){in.p, size < in.len ? size : in.len});
        struct span line;

        in = span_skip(in, piece.len);
        while (lines_next(&lines, &piece, &line)) {
            FACT(line.len <= LINES_MAX_BYTES && span_find(line, SPAN("\n")) == NULL);
            line = fuzz_copy(line);
            resolv_conf_line(&r->conf, line);
            r->hits += hosts_line(line, host, &r->found);
        }
        FACT(piece.len == 0);
    }
    resolv_conf_end(&r->conf);
}

static void
check_conf(const struct resolv_conf *c)
{
    FACT(c->servers_len >= 1 && c->servers_len <= RESOLV_CONF_SERVERS_MAX);
    for (unsigned i = 0; i < c->servers_len; i++) {
        FACT(c->servers[i].address.len == 4 || c->servers[i].address.len == 16);
        FACT(memchr(c->servers[i].scope, '\0', sizeof c->servers[i].scope) != NULL);
    }
    FACT(c->timeout_s >= 1 && c->timeout_s <= 60);
    FACT(c->attempts >= 1 && c->attempts <= 10 && c->ndots <= 15);
    FACT(c->search_len <= RESOLV_CONF_SEARCH_MAX);
}

/* Each name begins with the host; the last one is the host. */
static void
check_names(const struct resolv_conf *c, struct span host)
{
    bool more = true;

    for (unsigned try = 0; more; try++) {
        size_t cap = host.len + 1 + RESOLV_CONF_SEARCH_MAX;
        struct out o = out_to(fuzz_room(cap), cap);

        FACT(try <= RESOLV_CONF_SEARCH_MAX);
        more = resolv_conf_name(c, host, try, &o);
        FACT(out_end(&o) == 0 && span_starts(out_span(&o), host));
        FACT(more ? o.p[host.len] == '.' && o.len > host.len + 1 : o.len == host.len);
    }
}

void
fuzz(struct span in)
{
    static struct read whole, parts;
    struct span rest = in;
    struct span host = fuzz_copy(lines_word(&rest));
    struct addresses local = {0};

    /* that of the tests' rows, or else the first word */
    if (host.len == 0 || span_find(in, SPAN("kinesis.test")) != NULL)
        host = SPAN("kinesis.test");
    read_file(in, in.len + 1, host, &whole);
    check_conf(&whole.conf);
    FACT(whole.found.v4_len + whole.found.v6_len <= whole.hits);
    FACT((whole.found.v4_len + whole.found.v6_len == 0) == (whole.hits == 0));
    for (size_t most = 0; most <= 1; most++) {
        read_file(in, most, host, &parts);
        FACT(memcmp(&whole, &parts, sizeof whole) == 0);
    }
    check_names(&whole.conf, host);
    FACT(hosts_local(host, &local) == (local.v4_len == 1 && local.v6_len == 1));
}
