/*
 * Each folder under vectors/sigv4 is a case, written by sigv4_vectors.mjs, which see. Runs in
 * tests/unit.
 */
#include "protocol/sigv4.h"

#include "check.h"
#include "guard.h"
#include "protocol/json.h"

#include <dirent.h>
#include <stdio.h>

#define CASES 14
#define FIELDS 16

/* One case; all spans point into its own memory. */
struct vector {
    const char *name;
    char text[65536];
    struct out values;
    struct json request;
    struct span body, canonical, string_to_sign, signing_key, signature, authorization;
    struct sigv4_credentials credentials;
    struct sigv4_scope scope;
    struct sigv4_field fields[FIELDS];
    struct sigv4_request signed_request;
    uint8_t body_sha256[SHA256_LEN];
};

static struct span
read_file(struct vector *v, const char *file)
{
    char path[512];
    FILE *f;
    size_t got;

    (void)snprintf(path, sizeof path, "vectors/sigv4/%s/%s", v->name, file);
    f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s: cannot be read", path);
    got = fread(v->values.p + v->values.len, 1, v->values.cap - v->values.len, f);
    (void)fclose(f);
    v->values.len += got;
    return (struct span){v->values.p + v->values.len - got, got};
}

static struct span
value(struct vector *v, int token)
{
    size_t start = v->values.len;

    CHECK_INT(v->name, json_text(&v->request, token, &v->values), 0);
    return (struct span){v->values.p + start, v->values.len - start};
}

static struct span
member(struct vector *v, const char *name)
{
    return value(v, json_member(&v->request, 0, span_of(name)));
}

static void
sha256(struct span bytes, uint8_t digest[SHA256_LEN])
{
    struct sha256 hash;

    sha256_start(&hash);
    sha256_add(&hash, bytes.p, bytes.len);
    sha256_end(&hash, digest);
}

static void
read_request(struct vector *v)
{
    int fields, pair;
    size_t n = 0;

    CHECK_INT(v->name, json_parse(&v->request, read_file(v, "request.json")), 0);
    v->credentials.access_key = member(v, "accessKey");
    v->credentials.secret_key = member(v, "secretKey");
    v->scope.timestamp = member(v, "stamp");
    v->scope.region = member(v, "region");
    v->scope.service = member(v, "service");
    fields = json_member(&v->request, 0, SPAN("fields"));
    for (; (pair = json_element(&v->request, fields, (int)n)) > 0; n++) {
        assert_in_range(n, 0, FIELDS - 1);
        v->fields[n].name = value(v, json_element(&v->request, pair, 0));
        v->fields[n].value = value(v, json_element(&v->request, pair, 1));
    }
    assert_in_range(n, 2, FIELDS);
    v->signed_request = (struct sigv4_request){
        .method = member(v, "method"),
        .path = member(v, "path"),
        .query = member(v, "query"),
        .fields = v->fields,
        .fields_len = n,
        .body_sha256 = v->body_sha256,
    };
    sha256(v->body, v->body_sha256);
}

static void
read_vector(struct vector *v, const char *name)
{
    v->name = name;
    v->values = out_to(v->text, sizeof v->text);
    v->body = read_file(v, "body");
    v->canonical = read_file(v, "canonical");
    v->string_to_sign = read_file(v, "string_to_sign");
    v->signing_key = read_file(v, "signing_key");
    v->signature = read_file(v, "signature");
    v->authorization = read_file(v, "authorization");
    read_request(v);
}

/* Runs a check on every case; all must be there. */
static void
each(void (*check)(struct vector *v))
{
    static struct vector v;
    DIR *folder = opendir("vectors/sigv4");
    struct dirent *entry;
    int cases = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        read_vector(&v, entry->d_name);
        check(&v);
        cases++;
    }
    (void)closedir(folder);
    assert_int_equal(cases, CASES);
}

/* Into exactly enough room, and into one byte less. */
static void
check_canonical(struct vector *v)
{
    struct out o = out_to(guard_buffer(v->canonical.len), v->canonical.len);

    CHECK_INT(v->name, sigv4_canonical(&o, &v->signed_request), 0);
    CHECK_SPAN(v->name, out_span(&o), v->canonical);
    o = out_to(o.p, o.cap - 1);
    CHECK_INT(v->name, sigv4_canonical(&o, &v->signed_request), ERR_FULL);
}

static void
check_string_to_sign(struct vector *v)
{
    struct out o = out_to(guard_buffer(v->string_to_sign.len), v->string_to_sign.len);
    uint8_t digest[SHA256_LEN];

    sha256(v->canonical, digest);
    CHECK_INT(v->name, sigv4_string_to_sign(&o, &v->scope, digest), 0);
    CHECK_SPAN(v->name, out_span(&o), v->string_to_sign);
    o = out_to(o.p, o.cap - 1);
    CHECK_INT(v->name, sigv4_string_to_sign(&o, &v->scope, digest), ERR_FULL);
}

static void
check_signature(struct vector *v)
{
    struct sigv4_key key = {0};
    char *hex = guard_buffer(SIGV4_SIGNATURE_LEN);
    struct out o = out_to(hex, SIGV4_SIGNATURE_LEN);

    sigv4_key_for(&key, v->credentials.secret_key, &v->scope);
    out_hex(&o, key.key, sizeof key.key);
    CHECK_SPAN(v->name, out_span(&o), v->signing_key);
    sigv4_signature(&key, v->string_to_sign, hex);
    CHECK_SPAN(v->name, out_span(&o), v->signature);
}

/* One key for all of them, so that it is brought up to date from each case to the next. */
static void
check_authorization(struct vector *v)
{
    static struct sigv4_key key;
    struct out o = out_to(guard_buffer(v->authorization.len), v->authorization.len);

    CHECK_INT(v->name,
              sigv4_authorization(&o, &v->credentials, &v->scope, &v->signed_request, &key), 0);
    CHECK_SPAN(v->name, out_span(&o), v->authorization);
    o = out_to(o.p, o.cap - 1);
    CHECK_INT(v->name,
              sigv4_authorization(&o, &v->credentials, &v->scope, &v->signed_request, &key),
              ERR_FULL);
}

static void
canonical(void **state)
{
    (void)state;
    each(check_canonical);
}

static void
string_to_sign(void **state)
{
    (void)state;
    each(check_string_to_sign);
}

static void
signature(void **state)
{
    (void)state;
    each(check_signature);
}

static void
authorization(void **state)
{
    (void)state;
    each(check_authorization);
}

/* Steps of one case that another implementation, botocore, agreed with. */
static void
second_opinion(void **state)
{
    static struct vector v;
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN];
    struct out o = out_to(hex, sizeof hex);

    (void)state;
    read_vector(&v, "kinesis_token");
    sha256(v.canonical, digest);
    out_hex(&o, digest, sizeof digest);
    CHECK_SPAN("canonical", out_span(&o),
               SPAN("d1f9d1338734a1b028a56b945bb4cf4ec360e0d1e02fc26d5847a4fd7cf2e3f6"));
    CHECK_SPAN("key", v.signing_key,
               SPAN("1a8ef0fa45f4fb9b8ca6c755f0b81c00b521d0e7b9564a363d2511b8f4d4bc54"));
    CHECK_SPAN("signature", v.signature,
               SPAN("c99db84ac9249843a5da4fce364818263b7baddef24f49b10e428f9b96cc85ad"));
}

/* An empty path is signed as "/". */
static void
empty_path(void **state)
{
    static struct vector v;
    char text[1024];
    struct out o = out_to(text, sizeof text);

    (void)state;
    read_vector(&v, "kinesis_token");
    v.signed_request.path = (struct span){NULL, 0};
    assert_int_equal(sigv4_canonical(&o, &v.signed_request), 0);
    CHECK_SPAN("canonical", out_span(&o), v.canonical);
}

#define SECRET "wJalrXUtnFEMI"

/* Whether a key made for the first row fits this one. */
static const struct {
    const char *name, *secret, *timestamp, *region, *service;
    bool same;
} changes[] = {
    {"again", SECRET, "20150830T123600Z", "us-east-1", "kinesis", true},
    {"same day", SECRET, "20150830T235959Z", "us-east-1", "kinesis", true},
    {"next day", SECRET, "20150831T000000Z", "us-east-1", "kinesis", false},
    {"other region", SECRET, "20150830T123600Z", "us-east-2", "kinesis", false},
    {"other service", SECRET, "20150830T123600Z", "us-east-1", "sqs", false},
    {"other secret", SECRET "a", "20150830T123600Z", "us-east-1", "kinesis", false},
    {"no secret", "", "20150830T123600Z", "us-east-1", "kinesis", false},
    {"other border", SECRET, "20150830T123600Z", "us-east-1k", "inesis", false},
};

static void
key_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(changes); i++) {
        struct sigv4_scope first = {span_of(changes[0].timestamp), span_of(changes[0].region),
                                    span_of(changes[0].service)};
        struct sigv4_scope then = {guard_copy(span_of(changes[i].timestamp)),
                                   span_of(changes[i].region), span_of(changes[i].service)};
        struct sigv4_key key = {0}, anew = {0};

        sigv4_key_for(&key, SPAN(SECRET), &first);
        /* marks the key, so that one derived anew is told from one left alone */
        key.key[0] ^= 1;
        sigv4_key_for(&key, span_of(changes[i].secret), &then);
        sigv4_key_for(&anew, span_of(changes[i].secret), &then);
        CHECK_INT(changes[i].name, memcmp(key.key, anew.key, sizeof key.key) != 0, changes[i].same);
        CHECK(changes[i].name, memmem(&key, sizeof key, SECRET, sizeof SECRET - 1) == NULL);
    }
}

static void
scope_too_long(void **state)
{
    static struct vector v;
    static const char region[SIGV4_SCOPE_MAX + 1] = "r";
    char text[1024];
    struct sigv4_key key = {0};

    (void)state;
    read_vector(&v, "kinesis_token");
    for (size_t more = 0; more < 2; more++) {
        struct out o = out_to(text, sizeof text);

        v.scope.region = (struct span){region, SIGV4_SCOPE_MAX - v.scope.service.len + more};
        assert_int_equal(sigv4_authorization(&o, &v.credentials, &v.scope, &v.signed_request, &key),
                         more == 0 ? 0 : ERR_FULL);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical),      cmocka_unit_test(string_to_sign),
        cmocka_unit_test(signature),      cmocka_unit_test(authorization),
        cmocka_unit_test(second_opinion), cmocka_unit_test(empty_path),
        cmocka_unit_test(key_for),        cmocka_unit_test(scope_too_long),
    };

    return RUN(argc, argv, tests);
}
