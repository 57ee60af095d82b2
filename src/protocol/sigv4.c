#include "protocol/sigv4.h"

#include "protocol/timestamp.h"

#include <string.h>

/* see sigv4.h */

#define DAY_LEN 8 /* YYYYMMDD at the beginning of a timestamp */

/* Everything but region and service takes 122 bytes. */
#define STRING_TO_SIGN_MAX (122 + SIGV4_SCOPE_MAX)

/* The canonical request goes to one of the two: to a buffer, for tests, or into its hash. */
struct sink {
    struct out *o;
    struct sha256 *hash;
};

static void
put(const struct sink *s, struct span bytes)
{
    if (s->o != NULL)
        out_put(s->o, bytes);
    else
        sha256_add(s->hash, bytes.p, bytes.len);
}

static void
put_collapsed(const struct sink *s, struct span value)
{
    struct span rest = span_trim(value);

    while (rest.len > 0) {
        size_t n = 0;

        while (n < rest.len && !span_blank(rest.p[n]))
            n++;
        put(s, (struct span){rest.p, n});
        rest = span_skip(rest, n);
        if (rest.len > 0)
            put(s, SPAN(" "));
        while (rest.len > 0 && span_blank(rest.p[0]))
            rest = span_skip(rest, 1);
    }
}

static void
put_path(const struct sink *s, const struct sigv4_request *request)
{
    struct span rest = request->path.len == 0 ? SPAN("/") : request->path;

    while (request->path_encoded_again && span_char(rest, '%') != NULL) {
        put(s, span_cut(rest, '%', &rest));
        put(s, SPAN("%25"));
    }
    put(s, rest);
}

static void
put_signed_fields(const struct sink *s, const struct sigv4_request *request)
{
    for (size_t i = 0; i < request->fields_len; i++) {
        if (i > 0)
            put(s, SPAN(";"));
        put(s, request->fields[i].name);
    }
}

static void
canonical(const struct sink *s, const struct sigv4_request *request)
{
    char hex[2 * SHA256_LEN];
    struct out digest = out_to(hex, sizeof hex);

    put(s, request->method);
    put(s, SPAN("\n"));
    put_path(s, request);
    put(s, SPAN("\n"));
    put(s, request->query);
    put(s, SPAN("\n"));
    for (size_t i = 0; i < request->fields_len; i++) {
        put(s, request->fields[i].name);
        put(s, SPAN(":"));
        put_collapsed(s, request->fields[i].value);
        put(s, SPAN("\n"));
    }
    put(s, SPAN("\n"));
    put_signed_fields(s, request);
    put(s, SPAN("\n"));
    out_hex(&digest, request->body_sha256, SHA256_LEN);
    put(s, out_span(&digest));
}

int
sigv4_canonical(struct out *o, const struct sigv4_request *request)
{
    canonical(&(struct sink){.o = o}, request);
    return out_end(o);
}

static struct span
day_of(const struct sigv4_scope *scope)
{
    return (struct span){scope->timestamp.p, DAY_LEN};
}

static void
put_scope(struct out *o, const struct sigv4_scope *scope)
{
    out_put(o, day_of(scope));
    out_byte(o, '/');
    out_put(o, scope->region);
    out_byte(o, '/');
    out_put(o, scope->service);
    out_put(o, SPAN("/aws4_request"));
}

int
sigv4_string_to_sign(struct out *o, const struct sigv4_scope *scope,
                     const uint8_t canonical_sha256[SHA256_LEN])
{
    out_put(o, SPAN("AWS4-HMAC-SHA256\n"));
    out_put(o, scope->timestamp);
    out_byte(o, '\n');
    put_scope(o, scope);
    out_byte(o, '\n');
    out_hex(o, canonical_sha256, SHA256_LEN);
    return out_end(o);
}

/* Adds a part after its length, so that no two sets of parts give the same bytes. */
static void
add_part(struct sha256 *hash, struct span part)
{
    uint64_t len = part.len;

    sha256_add(hash, &len, sizeof len);
    sha256_add(hash, part.p, part.len);
}

/*
 * The HMAC of the day under "AWS4" followed by the secret. A key longer than HMAC's block is hashed first, as
 * HMAC itself would do, so that a secret of any length needs no more room than that.
 */
static void
day_key(struct span secret_key, struct span day, uint8_t mac[SHA256_LEN])
{
    char block[SHA256_BLOCK_LEN];
    uint8_t digest[SHA256_LEN];
    struct out o = out_to(block, sizeof block);
    struct sha256 hash;

    out_put(&o, SPAN("AWS4"));
    out_put(&o, secret_key);
    if (out_end(&o) == 0) {
        sha256_hmac(block, o.len, day, mac);
        return;
    }
    sha256_start(&hash);
    sha256_add(&hash, "AWS4", 4);
    sha256_add(&hash, secret_key.p, secret_key.len);
    sha256_end(&hash, digest);
    sha256_hmac(digest, sizeof digest, day, mac);
}

void
sigv4_key_for(struct sigv4_key *key, struct span secret_key, const struct sigv4_scope *scope)
{
    uint8_t made_from[SHA256_LEN];
    struct sha256 hash;

    sha256_start(&hash);
    add_part(&hash, secret_key);
    add_part(&hash, day_of(scope));
    add_part(&hash, scope->region);
    add_part(&hash, scope->service);
    sha256_end(&hash, made_from);
    if (memcmp(made_from, key->made_from, sizeof made_from) == 0)
        return;
    day_key(secret_key, day_of(scope), key->key);
    sha256_hmac(key->key, SHA256_LEN, scope->region, key->key);
    sha256_hmac(key->key, SHA256_LEN, scope->service, key->key);
    sha256_hmac(key->key, SHA256_LEN, SPAN("aws4_request"), key->key);
    memcpy(key->made_from, made_from, sizeof made_from);
}

void
sigv4_signature(const struct sigv4_key *key, struct span string_to_sign,
                char hex[SIGV4_SIGNATURE_LEN])
{
    uint8_t mac[SHA256_LEN];
    struct out o = out_to(hex, SIGV4_SIGNATURE_LEN);

    sha256_hmac(key->key, SHA256_LEN, string_to_sign, mac);
    out_hex(&o, mac, sizeof mac);
}

/* The signature over the request; ERR_FULL when the scope is too long for its scratch. */
static int
sign(const struct sigv4_scope *scope, const struct sigv4_request *request,
     const struct sigv4_key *key, char hex[SIGV4_SIGNATURE_LEN])
{
    char scratch[STRING_TO_SIGN_MAX];
    uint8_t digest[SHA256_LEN];
    struct out o = out_to(scratch, sizeof scratch);
    struct sha256 hash;

    sha256_start(&hash);
    canonical(&(struct sink){.hash = &hash}, request);
    sha256_end(&hash, digest);
    if (sigv4_string_to_sign(&o, scope, digest) < 0)
        return ERR_FULL;
    sigv4_signature(key, out_span(&o), hex);
    return 0;
}

int
sigv4_authorization(struct out *o, const struct sigv4_credentials *c,
                    const struct sigv4_scope *scope, const struct sigv4_request *request,
                    struct sigv4_key *key)
{
    char signature[SIGV4_SIGNATURE_LEN];

    sigv4_key_for(key, c->secret_key, scope);
    if (sign(scope, request, key, signature) < 0)
        return ERR_FULL;
    out_put(o, SPAN("AWS4-HMAC-SHA256 Credential="));
    out_put(o, c->access_key);
    out_byte(o, '/');
    put_scope(o, scope);
    out_put(o, SPAN(", SignedHeaders="));
    put_signed_fields(&(struct sink){.o = o}, request);
    out_put(o, SPAN(", Signature="));
    out_put(o, (struct span){signature, sizeof signature});
    return out_end(o);
}
