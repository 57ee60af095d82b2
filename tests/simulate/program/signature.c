#include <stdio.h>

#include "bearssl.h"
#include "services.h"

/* see services.h; source: AWS General Reference, "Signature Version 4 signing process" */

enum { HASH = 32, HEX = 64, SMALL = 2048 };

/* What the Authorization field has. */
struct claim {
    struct span key, day, region, service, fields, signature;
};

static void __attribute__((noreturn))
refuse(const struct signature_wanted *w, const char *what, struct span where)
{
    world_break("%s: signature: %s: %.*s", w->service, what,
                (int)(where.len < 300 ? where.len : 300), where.p);
}

/* What comes before the text, which is taken off together with it. */
static struct span
before(struct span *rest, const char *text, const struct signature_wanted *w)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + len <= rest->len; i++)
        if (memcmp(rest->p + i, text, len) == 0) {
            struct span s = {rest->p, i};

            *rest = (struct span){rest->p + i + len, rest->len - i - len};
            return s;
        }
    refuse(w, "Authorization", *rest);
}

static void
read_claim(struct span field, const struct signature_wanted *w, struct claim *c)
{
    struct span rest = field;

    if (before(&rest, "AWS4-HMAC-SHA256 Credential=", w).len != 0)
        refuse(w, "Authorization", field);
    c->key = before(&rest, "/", w);
    c->day = before(&rest, "/", w);
    c->region = before(&rest, "/", w);
    c->service = before(&rest, "/", w);
    if (before(&rest, "aws4_request, SignedHeaders=", w).len != 0)
        refuse(w, "Authorization", field);
    c->fields = before(&rest, ", Signature=", w);
    c->signature = rest;
    if (rest.len != HEX)
        refuse(w, "Authorization", field);
}

/* --- hashes --------------------------------------------------------------------------------------- */

static void
hex(const unsigned char *hash, char to[HEX + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < HASH; i++) {
        to[2 * i] = digits[hash[i] >> 4];
        to[2 * i + 1] = digits[hash[i] & 15];
    }
    to[HEX] = '\0';
}

static void
sha256_hex(struct span s, char to[HEX + 1])
{
    br_sha256_context hash;
    unsigned char out[HASH];

    br_sha256_init(&hash);
    br_sha256_update(&hash, s.p, s.len);
    br_sha256_out(&hash, out);
    hex(out, to);
}

static void
hmac(const void *key, size_t key_len, struct span s, unsigned char out[HASH])
{
    br_hmac_key_context k;
    br_hmac_context h;

    br_hmac_key_init(&k, &br_sha256_vtable, key, key_len);
    br_hmac_init(&h, &k, 0);
    br_hmac_update(&h, s.p, s.len);
    br_hmac_out(&h, out);
}

/* What a key is made from, and the key: those of the last calls, one of each service. */
static struct {
    char from[120];
    unsigned char key[HASH];
} recent[2];

static void
signing_key(const struct claim *c, const char *secret, unsigned char key[HASH])
{
    bool s3 = c->service.len == 2;
    char from[sizeof recent->from] = "", first[80];
    int len = snprintf(first, sizeof first, "AWS4%s", secret);

    snprintf(from, sizeof from, "%s %.*s %.*s", secret, (int)c->day.len, c->day.p,
             (int)c->region.len, c->region.p);
    if (strcmp(recent[s3].from, from) != 0) {
        hmac(first, (size_t)len, c->day, key);
        hmac(key, HASH, c->region, key);
        hmac(key, HASH, c->service, key);
        hmac(key, HASH, text_span("aws4_request"), recent[s3].key);
        memcpy(recent[s3].from, from, sizeof from);
    }
    memcpy(key, recent[s3].key, HASH);
}

/* --- the request ---------------------------------------------------------------------------------- */

/* Paths are encoded twice but for S3; what is encoded already begins with a per cent sign. */
static void
put_path(struct text *t, const struct http_message *m, const struct signature_wanted *w)
{
    bool s3 = strcmp(w->service, "s3") == 0;

    for (size_t i = 0; i < m->target.len; i++) {
        char c = m->target.p[i];

        if (c == '?')
            refuse(w, "a query", m->target);
        if (c == '%' && !s3)
            text_put(t, "%%25");
        else
            text_bytes(t, &c, 1);
    }
}

static void
put_value(struct text *t, struct span value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] != ' ' || i == 0 || value.p[i - 1] != ' ')
            text_bytes(t, value.p + i, 1);
}

static bool
listed(struct span list, struct span name)
{
    while (list.len > 0) {
        const char *end = memchr(list.p, ';', list.len);
        struct span one = {list.p, end == NULL ? list.len : (size_t)(end - list.p)};

        if (span_is(one, name))
            return true;
        list =
            end == NULL ? (struct span){NULL, 0} : (struct span){end + 1, list.len - one.len - 1};
    }
    return false;
}

/* Host and all of x-amz-* must be signed. */
static void
check_listed(const struct http_message *m, const struct claim *c, const struct signature_wanted *w)
{
    if (!listed(c->fields, text_span("host")))
        refuse(w, "host is not signed", c->fields);
    for (unsigned i = 0; i < m->fields_len; i++) {
        char name[64];
        struct span n = m->fields[i].name;

        if (n.len < 6 || n.len >= sizeof name)
            continue;
        for (size_t k = 0; k < n.len; k++)
            name[k] = (char)(n.p[k] >= 'A' && n.p[k] <= 'Z' ? n.p[k] + 32 : n.p[k]);
        if (memcmp(name, "x-amz-", 6) == 0 && !listed(c->fields, (struct span){name, n.len}))
            refuse(w, "a field is not signed", n);
    }
}

static void
put_fields(struct text *t, const struct http_message *m, const struct claim *c,
           const struct signature_wanted *w)
{
    struct span rest = c->fields, last = {"", 0};

    while (rest.len > 0) {
        const char *end = memchr(rest.p, ';', rest.len);
        struct span name = {rest.p, end == NULL ? rest.len : (size_t)(end - rest.p)};
        char text[64];
        struct span value;

        rest =
            end == NULL ? (struct span){NULL, 0} : (struct span){end + 1, rest.len - name.len - 1};
        if (name.len >= sizeof text || name.len == 0)
            refuse(w, "SignedHeaders", c->fields);
        memcpy(text, name.p, name.len);
        text[name.len] = '\0';
        if (last.len > 0 && strncmp(last.p, text, last.len) > 0)
            refuse(w, "SignedHeaders are not sorted", c->fields);
        last = name;
        value = http_value(m, text);
        if (value.p == NULL)
            refuse(w, "a field that is not there is signed", name);
        text_put(t, "%s:", text);
        put_value(t, value);
        text_put(t, "\n");
    }
}

static void
check_hash(const struct http_message *m, const struct claim *c, const struct signature_wanted *w,
           const char *secret)
{
    static char canonical[16384];
    struct text t = {canonical, 0, sizeof canonical};
    char body[HEX + 1], request[HEX + 1], made[HEX + 1], to_sign[400];
    struct span told = http_value(m, "x-amz-content-sha256");
    struct span date = http_value(m, "x-amz-date");
    unsigned char key[HASH], signature[HASH];
    int len;

    sha256_hex(m->body, body);
    if (told.p != NULL && !span_is(told, text_span(body)))
        refuse(w, "x-amz-content-sha256", told);
    if (told.p == NULL && strcmp(w->service, "s3") == 0)
        refuse(w, "no x-amz-content-sha256", m->target);
    text_put(&t, "%.*s\n", (int)m->method.len, m->method.p);
    put_path(&t, m, w);
    text_put(&t, "\n\n");
    put_fields(&t, m, c, w);
    text_put(&t, "\n%.*s\n%s", (int)c->fields.len, c->fields.p, body);
    sha256_hex((struct span){t.p, t.len}, request);
    len =
        snprintf(to_sign, sizeof to_sign, "AWS4-HMAC-SHA256\n%.*s\n%.*s/%.*s/%.*s/aws4_request\n%s",
                 (int)date.len, date.p, (int)c->day.len, c->day.p, (int)c->region.len, c->region.p,
                 (int)c->service.len, c->service.p, request);
    signing_key(c, secret, key);
    hmac(key, HASH, (struct span){to_sign, (size_t)len}, signature);
    hex(signature, made);
    if (!span_is(c->signature, text_span(made)))
        refuse(w, "it is wrong", c->signature);
}

static uint64_t
check_scope(const struct http_message *m, const struct claim *c, const struct signature_wanted *w)
{
    struct span date = http_value(m, "x-amz-date");
    uint64_t signed_ms = moment_read(date);

    if (signed_ms == 0)
        refuse(w, "X-Amz-Date", date);
    if (!span_is(c->day, (struct span){date.p, 8}))
        refuse(w, "its day is not that of X-Amz-Date", c->day);
    if (!span_is(c->region, w->region))
        refuse(w, "its region", c->region);
    if (!span_is(c->service, text_span(w->service)))
        refuse(w, "its service", c->service);
    return signed_ms;
}

enum signature_verdict
signature_check(const struct http_message *message, const struct signature_wanted *wanted)
{
    struct span field = http_value(message, "authorization");
    struct claim claim;
    struct keys *keys;
    uint64_t signed_ms;

    read_claim(field, wanted, &claim);
    keys = credentials_of(claim.key);
    if (keys == NULL)
        refuse(wanted, "keys that nobody gave", claim.key);
    if (!span_is(http_value(message, "x-amz-security-token"), keys->token))
        refuse(wanted, "the token is not that of the key", claim.key);
    check_listed(message, &claim, wanted);
    signed_ms = check_scope(message, &claim, wanted);
    /* to hash them is most of what the world costs; what is signed wrongly is so more than once */
    if (message->body.len < SMALL || dice_below(&world.service, 4) == 0)
        check_hash(message, &claim, wanted, keys->secret);
    /* each copy of a snapshot fetches keys of its own */
    if (keys->fetched && keys->sandbox != world.sandbox)
        refuse(wanted, "keys that were fetched before the restoration", claim.key);
    if (kernel_wall_ms() >= keys->until_ms)
        return keys->until_ms < keys->said_ms ? SIGNATURE_UNKNOWN : SIGNATURE_EXPIRED;
    if (signed_ms + wanted->skew_ms < wanted->now_ms ||
        signed_ms > wanted->now_ms + wanted->skew_ms)
        return SIGNATURE_SKEWED;
    return SIGNATURE_GOOD;
}
