#include "protocol/endpoint.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define FIFTY "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abc"
#define HUNDRED FIFTY FIFTY

static const struct {
    const char *url;
    int want;
    uint16_t port;
    bool tls;
    const char *host, *path;
} urls[] = {
    {"http://a", 0, 80, false, "a", "/"},
    {"https://a", 0, 443, true, "a", "/"},
    {"https://kinesis.us-east-1.amazonaws.com", 0, 443, true, "kinesis.us-east-1.amazonaws.com",
     "/"},
    {"http://a/", 0, 80, false, "a", "/"},
    {"http://a//", 0, 80, false, "a", "/"},
    {"http://a/p", 0, 80, false, "a", "/p"},
    {"http://a/p/", 0, 80, false, "a", "/p"},
    {"http://a/p/q//", 0, 80, false, "a", "/p/q"},
    {"http://a//p", 0, 80, false, "a", "//p"},
    {"http://a/%7e~_-.", 0, 80, false, "a", "/%7e~_-."},
    {"http://a:1", 0, 1, false, "a", "/"},
    {"https://a:65535/", 0, 65535, true, "a", "/"},
    {"http://a:0080", 0, 80, false, "a", "/"},
    {"https://a:", 0, 443, true, "a", "/"},
    {"http://a:/p", 0, 80, false, "a", "/p"},
    {"http://host_name.local-domain:4567", 0, 4567, false, "host_name.local-domain", "/"},
    {"http://127.0.0.1:4567", 0, 4567, false, "127.0.0.1", "/"},
    {"http://[::1]", 0, 80, false, "::1", "/"},
    {"https://[::1]", 0, 443, true, "::1", "/"},
    {"http://[::1]:4567", 0, 4567, false, "::1", "/"},
    {"http://[2001:db8::1]:4567/p/", 0, 4567, false, "2001:db8::1", "/p"},
    {"http://[::ffff:127.0.0.1]:", 0, 80, false, "::ffff:127.0.0.1", "/"},

    {"", ERR_BAD, 0, false, NULL, NULL},
    {"a", ERR_BAD, 0, false, NULL, NULL},
    {"a:4567", ERR_BAD, 0, false, NULL, NULL},
    {"//a", ERR_BAD, 0, false, NULL, NULL},
    {"ftp://a", ERR_BAD, 0, false, NULL, NULL},
    {"http:/a", ERR_BAD, 0, false, NULL, NULL},
    {"http:a", ERR_BAD, 0, false, NULL, NULL},
    {" http://a", ERR_BAD, 0, false, NULL, NULL},
    {"http://a ", ERR_BAD, 0, false, NULL, NULL},
    {"http://", ERR_BAD, 0, false, NULL, NULL},
    {"https://", ERR_BAD, 0, false, NULL, NULL},
    {"http:///p", ERR_BAD, 0, false, NULL, NULL},
    {"http://:80", ERR_BAD, 0, false, NULL, NULL},
    {"http://a b", ERR_BAD, 0, false, NULL, NULL},
    {"http://\xc3\xa4", ERR_BAD, 0, false, NULL, NULL},
    {"http://u@a", ERR_BAD, 0, false, NULL, NULL},
    {"http://u:p@a", ERR_BAD, 0, false, NULL, NULL},
    {"http://a:0", ERR_BAD, 0, false, NULL, NULL},
    {"http://a:65536", ERR_BAD, 0, false, NULL, NULL},
    {"http://a:x", ERR_BAD, 0, false, NULL, NULL},
    {"http://a:-1", ERR_BAD, 0, false, NULL, NULL},
    {"http://a:1:2", ERR_BAD, 0, false, NULL, NULL},
    {"http://a?q", ERR_BAD, 0, false, NULL, NULL},
    {"http://a/?q", ERR_BAD, 0, false, NULL, NULL},
    {"http://a/#f", ERR_BAD, 0, false, NULL, NULL},
    {"http://a/p q", ERR_BAD, 0, false, NULL, NULL},
    {"http://a/\r\nx", ERR_BAD, 0, false, NULL, NULL},
    {"http://::1", ERR_BAD, 0, false, NULL, NULL},
    {"http://[::1", ERR_BAD, 0, false, NULL, NULL},
    {"http://[::1]x", ERR_BAD, 0, false, NULL, NULL},
    {"http://[::1]4567", ERR_BAD, 0, false, NULL, NULL},
    {"http://[::1]:0", ERR_BAD, 0, false, NULL, NULL},
    {"http://[::1]:65536", ERR_BAD, 0, false, NULL, NULL},
    {"http://[]", ERR_BAD, 0, false, NULL, NULL},
    {"http://[fe80::1%25eth0]", ERR_BAD, 0, false, NULL, NULL},
    {"http://a[::1]", ERR_BAD, 0, false, NULL, NULL},
};

static void
url(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(urls); i++) {
        struct endpoint e;

        seed("endpoint", span_of(urls[i].url));
        memset(&e, 0xff, sizeof e);
        CHECK_INT(urls[i].url, endpoint_url(guard_copy(span_of(urls[i].url)), &e), urls[i].want);
        if (urls[i].want != 0)
            continue;
        CHECK_SPAN(urls[i].url, e.host, span_of(urls[i].host));
        CHECK_INT(urls[i].url, e.port, urls[i].port);
        CHECK_INT(urls[i].url, e.tls, urls[i].tls);
        CHECK_INT(urls[i].url, e.custom, true);
        CHECK_SPAN(urls[i].url, e.path, span_of(urls[i].path));
    }
}

/* Cut short anywhere: read or refused, never past its end. */
static void
url_cut(void **state)
{
    static const char long_host[] = "http://" HUNDRED HUNDRED FIFTY "abc";
    struct endpoint e;

    (void)state;
    for (size_t i = 0; i < LEN(urls); i++)
        for (size_t n = 0; n < strlen(urls[i].url); n++) {
            int got = endpoint_url(guard_copy((struct span){urls[i].url, n}), &e);

            CHECK(urls[i].url, got == 0 || got == ERR_BAD);
        }
    assert_int_equal(endpoint_url(SPAN("http://a\0b"), &e), ERR_BAD);
    assert_int_equal(endpoint_url(SPAN("http://a/\0"), &e), ERR_BAD);
    assert_int_equal(endpoint_url(SPAN(long_host), &e), 0);
    assert_int_equal(e.host.len, 253);
    assert_int_equal(endpoint_url(SPAN("http://" HUNDRED HUNDRED FIFTY "abcd"), &e), ERR_BAD);
}

/* Plain, dual-stack, FIPS, both. */
static const struct {
    const char *region;
    const char *hosts[4];
} hosts[] = {
    {"us-east-1",
     {"kinesis.us-east-1.amazonaws.com", "kinesis.us-east-1.api.aws",
      "kinesis-fips.us-east-1.amazonaws.com", "kinesis-fips.us-east-1.api.aws"}},
    {"eu-central-2",
     {"kinesis.eu-central-2.amazonaws.com", "kinesis.eu-central-2.api.aws",
      "kinesis-fips.eu-central-2.amazonaws.com", "kinesis-fips.eu-central-2.api.aws"}},
    {"mx-central-1",
     {"kinesis.mx-central-1.amazonaws.com", "kinesis.mx-central-1.api.aws",
      "kinesis-fips.mx-central-1.amazonaws.com", "kinesis-fips.mx-central-1.api.aws"}},
    {"cn-north-1",
     {"kinesis.cn-north-1.amazonaws.com.cn", "kinesis.cn-north-1.api.amazonwebservices.com.cn",
      "kinesis-fips.cn-north-1.amazonaws.com.cn",
      "kinesis-fips.cn-north-1.api.amazonwebservices.com.cn"}},
    /* in us-gov the plain name is the FIPS endpoint */
    {"us-gov-west-1",
     {"kinesis.us-gov-west-1.amazonaws.com", "kinesis.us-gov-west-1.api.aws",
      "kinesis.us-gov-west-1.amazonaws.com", "kinesis-fips.us-gov-west-1.api.aws"}},
    {"us-iso-east-1",
     {"kinesis.us-iso-east-1.c2s.ic.gov", "kinesis.us-iso-east-1.api.aws.ic.gov",
      "kinesis-fips.us-iso-east-1.c2s.ic.gov", "kinesis-fips.us-iso-east-1.api.aws.ic.gov"}},
    {"us-isob-east-1",
     {"kinesis.us-isob-east-1.sc2s.sgov.gov", "kinesis.us-isob-east-1.api.aws.scloud",
      "kinesis-fips.us-isob-east-1.sc2s.sgov.gov", "kinesis-fips.us-isob-east-1.api.aws.scloud"}},
    {"eu-isoe-west-1",
     {"kinesis.eu-isoe-west-1.cloud.adc-e.uk", "kinesis.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
      "kinesis-fips.eu-isoe-west-1.cloud.adc-e.uk",
      "kinesis-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk"}},
    {"us-isof-south-1",
     {"kinesis.us-isof-south-1.csp.hci.ic.gov", "kinesis.us-isof-south-1.api.aws.hci.ic.gov",
      "kinesis-fips.us-isof-south-1.csp.hci.ic.gov",
      "kinesis-fips.us-isof-south-1.api.aws.hci.ic.gov"}},
    {"eusc-de-east-1",
     {"kinesis.eusc-de-east-1.amazonaws.eu", "kinesis.eusc-de-east-1.api.amazonwebservices.eu",
      "kinesis-fips.eusc-de-east-1.amazonaws.eu",
      "kinesis-fips.eusc-de-east-1.api.amazonwebservices.eu"}},
};

static void
kinesis_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(hosts) * 4; i++) {
        const char *region = hosts[i / 4].region;
        struct span want = span_of(hosts[i / 4].hosts[i % 4]);

        seed("endpoint", span_of(region));
        for (size_t cap = 0; cap <= want.len; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);
            bool fips = i % 4 > 1, dual_stack = i % 2 == 1;

            CHECK_INT(region, endpoint_kinesis_host(&o, span_of(region), fips, dual_stack),
                      cap < want.len ? ERR_FULL : 0);
            if (cap == want.len)
                CHECK_SPAN(region, out_span(&o), want);
        }
    }
}

/* Plain, dual-stack, FIPS, both. */
static const struct {
    const char *bucket, *region;
    const char *hosts[4];
} s3_hosts[] = {
    {"",
     "us-east-1",
     {"s3.us-east-1.amazonaws.com", "s3.dualstack.us-east-1.amazonaws.com",
      "s3-fips.us-east-1.amazonaws.com", "s3-fips.dualstack.us-east-1.amazonaws.com"}},
    {"logs-1",
     "eu-central-2",
     {"logs-1.s3.eu-central-2.amazonaws.com", "logs-1.s3.dualstack.eu-central-2.amazonaws.com",
      "logs-1.s3-fips.eu-central-2.amazonaws.com",
      "logs-1.s3-fips.dualstack.eu-central-2.amazonaws.com"}},
    {"b",
     "cn-north-1",
     {"b.s3.cn-north-1.amazonaws.com.cn", "b.s3.dualstack.cn-north-1.amazonaws.com.cn",
      "b.s3-fips.cn-north-1.amazonaws.com.cn", "b.s3-fips.dualstack.cn-north-1.amazonaws.com.cn"}},
    {"",
     "us-gov-west-1",
     {"s3.us-gov-west-1.amazonaws.com", "s3.dualstack.us-gov-west-1.amazonaws.com",
      "s3-fips.us-gov-west-1.amazonaws.com", "s3-fips.dualstack.us-gov-west-1.amazonaws.com"}},
    {"",
     "us-iso-east-1",
     {"s3.us-iso-east-1.c2s.ic.gov", "s3.dualstack.us-iso-east-1.c2s.ic.gov",
      "s3-fips.us-iso-east-1.c2s.ic.gov", "s3-fips.dualstack.us-iso-east-1.c2s.ic.gov"}},
    {"",
     "eusc-de-east-1",
     {"s3.eusc-de-east-1.amazonaws.eu", "s3.dualstack.eusc-de-east-1.amazonaws.eu",
      "s3-fips.eusc-de-east-1.amazonaws.eu", "s3-fips.dualstack.eusc-de-east-1.amazonaws.eu"}},
};

static void
s3_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(s3_hosts) * 4; i++) {
        struct span bucket = span_of(s3_hosts[i / 4].bucket);
        struct span region = span_of(s3_hosts[i / 4].region);
        struct span want = span_of(s3_hosts[i / 4].hosts[i % 4]);

        seed("endpoint", region);
        for (size_t cap = 0; cap <= want.len; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);
            bool fips = i % 4 > 1, dual_stack = i % 2 == 1;

            CHECK_INT(region.p, endpoint_s3_host(&o, bucket, region, fips, dual_stack),
                      cap < want.len ? ERR_FULL : 0);
            if (cap == want.len)
                CHECK_SPAN(region.p, out_span(&o), want);
        }
    }
}

static const struct {
    const char *url;
    int want;
    uint16_t port;
    const char *host, *path;
} credentials_urls[] = {
    {"http://127.0.0.1:9001/2021-04-23/credentials", 0, 9001, "127.0.0.1",
     "/2021-04-23/credentials"},
    {"http://169.254.100.1:9001/2021-04-23/credentials", 0, 9001, "169.254.100.1",
     "/2021-04-23/credentials"},
    {"http://169.254.170.2/v2/x", 0, 80, "169.254.170.2", "/v2/x"},
    {"http://127.255.255.255", 0, 80, "127.255.255.255", "/"},
    {"http://localhost:1", 0, 1, "localhost", "/"},
    {"http://LocalHost/", 0, 80, "LocalHost", "/"},
    {"http://[::1]:9001/c", 0, 9001, "::1", "/c"},
    /* as they stand */
    {"http://127.0.0.1/c/", 0, 80, "127.0.0.1", "/c/"},
    {"http://127.0.0.1//", 0, 80, "127.0.0.1", "//"},
    {"http://127.0.0.1/c?role=a&x=/b/?", 0, 80, "127.0.0.1", "/c?role=a&x=/b/?"},
    {"http://127.0.0.1/c/?", 0, 80, "127.0.0.1", "/c/?"},

    {"", ERR_BAD, 0, NULL, NULL},
    {"/v2/credentials", ERR_BAD, 0, NULL, NULL},
    {"https://127.0.0.1/c", ERR_BAD, 0, NULL, NULL},
    {"https://a/c", ERR_BAD, 0, NULL, NULL},
    {"http://10.0.0.1/c", ERR_BAD, 0, NULL, NULL},
    {"http://a/c", ERR_BAD, 0, NULL, NULL},
    {"http://localhost.example/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1.example/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.example/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.256/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1./c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0..1/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1.1/c", ERR_BAD, 0, NULL, NULL},
    /* octal to some: 87.0.0.1 */
    {"http://0127.0.0.1/c", ERR_BAD, 0, NULL, NULL},
    {"http://169.0254.0.1/c", ERR_BAD, 0, NULL, NULL},
    /* a host name to all */
    {"http://127.0.0.09/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.00/c", ERR_BAD, 0, NULL, NULL},
    {"http://169.254.08.1/c", ERR_BAD, 0, NULL, NULL},
    {"http://1270.0.0.1/c", ERR_BAD, 0, NULL, NULL},
    {"http://169.253.0.1/c", ERR_BAD, 0, NULL, NULL},
    {"http://169.255.0.1/c", ERR_BAD, 0, NULL, NULL},
    {"http://[::2]/c", ERR_BAD, 0, NULL, NULL},
    {"http://[::ffff:127.0.0.1]/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1@example/c", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1?x", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1/c#f", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1/c?x#f", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1/c?x y", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1/c?x\r\ny", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1/c d", ERR_BAD, 0, NULL, NULL},
    {"http://127.0.0.1:0/c", ERR_BAD, 0, NULL, NULL},
};

static void
credentials_url(void **state)
{
    struct endpoint e;

    (void)state;
    for (size_t i = 0; i < LEN(credentials_urls); i++) {
        struct span url = span_of(credentials_urls[i].url);

        seed("endpoint", url);
        CHECK_INT(url.p, endpoint_credentials_url(guard_copy(url), &e), credentials_urls[i].want);
        if (credentials_urls[i].want == 0) {
            CHECK_SPAN(url.p, e.host, span_of(credentials_urls[i].host));
            CHECK_INT(url.p, e.port, credentials_urls[i].port);
            CHECK_INT(url.p, e.tls, false);
            CHECK_SPAN(url.p, e.path, span_of(credentials_urls[i].path));
        }
        for (size_t n = 0; n < url.len; n++) {
            int got = endpoint_credentials_url(guard_copy((struct span){url.p, n}), &e);

            CHECK(url.p, got == 0 || got == ERR_BAD);
        }
    }
}

static const struct {
    const char *url, *authority;
} authorities[] = {
    {"http://a", "a"},
    {"http://a:80/p", "a"},
    {"https://a", "a"},
    {"https://a:443", "a"},
    {"http://a:443", "a:443"},
    {"https://a:80", "a:80"},
    {"http://127.0.0.1:9001/c", "127.0.0.1:9001"},
    {"http://[::1]", "[::1]"},
    {"https://[2001:db8::1]:4567", "[2001:db8::1]:4567"},
};

static void
authority(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(authorities); i++) {
        struct span want = span_of(authorities[i].authority);
        struct endpoint e;

        seed("endpoint", span_of(authorities[i].url));
        CHECK_INT(authorities[i].url, endpoint_url(span_of(authorities[i].url), &e), 0);
        for (size_t cap = 0; cap <= want.len; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            CHECK_INT(authorities[i].url, endpoint_authority(&o, &e),
                      cap < want.len ? ERR_FULL : 0);
            if (cap == want.len)
                CHECK_SPAN(authorities[i].url, out_span(&o), want);
        }
    }
}

static const struct {
    const char *text;
    int want;
    uint16_t port;
    const char *host;
} host_ports[] = {
    {"127.0.0.1:9001", 0, 9001, "127.0.0.1"},
    {"169.254.100.1:9001", 0, 9001, "169.254.100.1"},
    {"localhost:1", 0, 1, "localhost"},
    {"host_name.local-domain:65535", 0, 65535, "host_name.local-domain"},
    {"a:0080", 0, 80, "a"},
    {"[::1]:9001", 0, 9001, "::1"},
    {"::1:9001", 0, 9001, "::1"},
    {"[2001:db8::1]:80", 0, 80, "2001:db8::1"},

    {"", ERR_BAD, 0, NULL},
    {"a", ERR_BAD, 0, NULL},
    {"9001", ERR_BAD, 0, NULL},
    {"a:", ERR_BAD, 0, NULL},
    {":9001", ERR_BAD, 0, NULL},
    {"a:0", ERR_BAD, 0, NULL},
    {"a:65536", ERR_BAD, 0, NULL},
    {"a:-1", ERR_BAD, 0, NULL},
    {"a:+1", ERR_BAD, 0, NULL},
    {"a:1x", ERR_BAD, 0, NULL},
    {"a:1 ", ERR_BAD, 0, NULL},
    {" a:1", ERR_BAD, 0, NULL},
    {"a b:1", ERR_BAD, 0, NULL},
    {"[]:1", ERR_BAD, 0, NULL},
    {"[::1:1", ERR_BAD, 0, NULL},
    {"::1]:1", ERR_BAD, 0, NULL},
    {"[::1]", ERR_BAD, 0, NULL},
    {"[::1]9001", ERR_BAD, 0, NULL},
    {"http://a:9001", ERR_BAD, 0, NULL},
    {"a:9001/", ERR_BAD, 0, NULL},
    {"u@a:9001", ERR_BAD, 0, NULL},
};

static void
host_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(host_ports); i++) {
        struct span text = span_of(host_ports[i].text);
        struct span host;
        uint16_t port;

        seed("endpoint", text);
        CHECK_INT(text.p, endpoint_host_port(guard_copy(text), &host, &port), host_ports[i].want);
        if (host_ports[i].want == 0) {
            CHECK_SPAN(text.p, host, span_of(host_ports[i].host));
            CHECK_INT(text.p, port, host_ports[i].port);
        }
        for (size_t n = 0; n < text.len; n++) {
            int got = endpoint_host_port(guard_copy((struct span){text.p, n}), &host, &port);

            CHECK(text.p, got == 0 || got == ERR_BAD);
        }
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(url),
        cmocka_unit_test(url_cut),
        cmocka_unit_test(kinesis_host),
        cmocka_unit_test(s3_host),
        cmocka_unit_test(credentials_url),
        cmocka_unit_test(authority),
        cmocka_unit_test(host_port),
    };

    return RUN(argc, argv, tests);
}
