#include "protocol/resolv_conf.h"

#include "check.h"
#include "guard.h"
#include "protocol/lines.h"
#include "seed.h"

/* A file, and how it would be written down in the plainest way. */
static const struct {
    struct span file;
    const char *want;
} files[] = {
    {TEXT(""), "7f000001 t5 a2 n1"},
    {TEXT("nameserver 169.254.78.1\n"), "a9fe4e01 t5 a2 n1"},
    {TEXT("nameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver fd00::2\nnameserver 10.0.0.5\n"),
     "0a000002 0a000003 fd000000000000000000000000000002 t5 a2 n1"},
    {TEXT("  nameserver\t10.0.0.2\r\n"), "0a000002 t5 a2 n1"},
    {TEXT("nameserver 10.0.0.2 # the nearest\n"), "0a000002 t5 a2 n1"},
    {TEXT("nameserver fe80::1%eth0\nnameserver fe80::2%3\n"),
     "fe800000000000000000000000000001%eth0 fe800000000000000000000000000002%3 t5 a2 n1"},
    {TEXT("nameserver fe80::1%a-name-too-long-for-one\n"), "7f000001 t5 a2 n1"},
    {TEXT("nameserver fe80::1%1234567890123456\n"), "7f000001 t5 a2 n1"},
    {TEXT("nameserver fe80::1%123456789012345\n"),
     "fe800000000000000000000000000001%123456789012345 t5 a2 n1"},
    {TEXT("nameserver\nnameserver here\nnameserver 10.0.0.256\n#nameserver 10.0.0.2\n"
          "nameservers 10.0.0.2\n; nameserver 10.0.0.2\n"),
     "7f000001 t5 a2 n1"},
    /* a line that is not usable takes no place */
    {TEXT("nameserver x\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n"),
     "0a000002 0a000003 0a000004 t5 a2 n1"},

    {TEXT("options timeout:1 attempts:3 ndots:2 rotate edns0\n"), "7f000001 t1 a3 n2"},
    {TEXT("options timeout:1\noptions attempts:5\n"), "7f000001 t1 a5 n1"},
    {TEXT("options timeout:0 attempts:0 ndots:0\n"), "7f000001 t1 a1 n0"},
    {TEXT("options timeout:61 attempts:11 ndots:16\n"), "7f000001 t60 a10 n15"},
    {TEXT("options timeout:4294967296 attempts:x ndots:\n"), "7f000001 t5 a2 n1"},
    {TEXT("options timeout attempts:-1 xndots:3\n"), "7f000001 t5 a2 n1"},
    {TEXT("timeout:1\n"), "7f000001 t5 a2 n1"},

    {TEXT("search a.example b.example\n"), "7f000001 t5 a2 n1 <a.example b.example>"},
    {TEXT("search a.example\ndomain c.example\n"), "7f000001 t5 a2 n1 <c.example>"},
    {TEXT("search a.example\nsearch\n"), "7f000001 t5 a2 n1"},
    {TEXT("searching a.example\n"), "7f000001 t5 a2 n1"},
};

static void
describe(const struct resolv_conf *c, struct out *o)
{
    for (unsigned i = 0; i < c->servers_len; i++) {
        out_hex(o, c->servers[i].address.bytes, c->servers[i].address.len);
        if (c->servers[i].scope[0] != '\0') {
            out_byte(o, '%');
            out_put(o, span_of(c->servers[i].scope));
        }
        out_byte(o, ' ');
    }
    out_byte(o, 't');
    out_number(o, c->timeout_s);
    out_put(o, SPAN(" a"));
    out_number(o, c->attempts);
    out_put(o, SPAN(" n"));
    out_number(o, c->ndots);
    if (c->search_len > 0) {
        out_put(o, SPAN(" <"));
        out_put(o, span_trim((struct span){c->search, c->search_len}));
        out_byte(o, '>');
    }
}

static void
check_file(struct span file, size_t step, const char *want)
{
    struct resolv_conf *c = (struct resolv_conf *)guard_buffer(sizeof *c);
    const char *row = file.p;
    struct lines lines = {0};
    char text[200];
    struct out o = out_to(text, sizeof text);

    resolv_conf_init(c);
    while (file.len > 0) {
        struct span piece = guard_copy((struct span){file.p, step < file.len ? step : file.len});
        struct span line;

        file = span_skip(file, piece.len);
        while (lines_next(&lines, &piece, &line))
            resolv_conf_line(c, line);
    }
    resolv_conf_end(c);
    describe(c, &o);
    CHECK_INT(row, out_end(&o), 0);
    CHECK_SPAN(row, out_span(&o), span_of(want));
}

static void
file(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(files); i++) {
        seed("resolv_conf", files[i].file);
        check_file(files[i].file, files[i].file.len, files[i].want);
        check_file(files[i].file, 1, files[i].want);
    }
}

/* Domains that do not fit are left out together, and what was there before stays. */
static void
long_search(void **state)
{
    (void)state;
    for (size_t len = RESOLV_CONF_SEARCH_MAX; len <= RESOLV_CONF_SEARCH_MAX + 1; len++) {
        struct resolv_conf c;
        char text[400];
        struct out o = out_to(text, sizeof text);

        resolv_conf_init(&c);
        resolv_conf_line(&c, SPAN("search before"));
        out_put(&o, SPAN("search"));
        while (o.len < len + 6)
            out_put(&o, SPAN(" "));
        o.len = 7;
        out_put(&o, SPAN("domain"));
        o.len = len + 6;
        resolv_conf_line(&c, guard_copy(out_span(&o)));
        assert_int_equal(c.search_len, len <= RESOLV_CONF_SEARCH_MAX ? len : strlen(" before"));
    }
}

/* Which names are asked for. */
static const struct {
    const char *host;
    unsigned ndots;
    const char *search;
    const char *want; /* a space behind each */
} hosts[] = {
    {"kinesis.eu-west-1.amazonaws.com", 1, "", "kinesis.eu-west-1.amazonaws.com "},
    {"kinesis.eu-west-1.amazonaws.com", 1, "a.example", "kinesis.eu-west-1.amazonaws.com "},
    {"localstack", 1, "", "localstack "},
    {"localstack", 1, "a.example", "localstack.a.example localstack "},
    {"localstack", 0, "a.example", "localstack "},
    {"localstack", 1, " a.example\tb  ", "localstack.a.example localstack.b localstack "},
    {"localstack.", 1, "a.example", "localstack. "},
    {"a.b", 2, "c", "a.b.c a.b "},
    {"a.b.c", 2, "c", "a.b.c "},
    {"a.b", 5, "c", "a.b.c a.b "},
    {"a.b.", 5, "c", "a.b. "},
};

static void
name(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(hosts); i++) {
        struct resolv_conf c;
        char text[200];
        struct out o = out_to(text, sizeof text);
        bool more = true;

        resolv_conf_init(&c);
        c.ndots = hosts[i].ndots;
        c.search_len = out_keep(c.search, sizeof c.search, 0, span_of(hosts[i].search));
        for (unsigned try = 0; more && try < 9; try++) {
            more = resolv_conf_name(&c, guard_copy(span_of(hosts[i].host)), try, &o);
            out_byte(&o, ' ');
        }
        CHECK(hosts[i].host, !more);
        CHECK_SPAN(hosts[i].host, out_span(&o), span_of(hosts[i].want));
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(file),
        cmocka_unit_test(long_search),
        cmocka_unit_test(name),
    };

    return RUN(argc, argv, tests);
}
