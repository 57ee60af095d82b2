/*
 * The signer. The input is lines: method, path, query, then fields. What is shown to a test is what
 * is signed, a value's blanks count once, and the room is either enough or refused.
 */
#include "fuzz.h"
#include "protocol/sigv4.h"

#include <string.h>

enum { FIELDS_MAX = 8 };

static struct span
line(struct span *in)
{
    return fuzz_copy(span_cut(*in, '\n', in));
}

static struct span
canonical(const struct sigv4_request *request, size_t cap)
{
    struct out o = out_to(fuzz_room(cap), cap), cut;
    size_t less;

    FACT(sigv4_canonical(&o, request) == 0 && o.len > 0);
    less = fuzz_dice((uint32_t)o.len);
    cut = out_to(fuzz_room(less), less);
    FACT(sigv4_canonical(&cut, request) == ERR_FULL);
    FACT(span_starts(out_span(&o), out_span(&cut)));
    return out_span(&o);
}

/* Step by step, from the canonical request that was written out. */
static void
step_by_step(const struct sigv4_credentials *c, const struct sigv4_scope *scope, struct span text,
             char hex[SIGV4_SIGNATURE_LEN])
{
    struct sigv4_key key = {0};
    char string[512];
    struct out o = out_to(string, sizeof string);
    uint8_t digest[SHA256_LEN];
    struct sha256 hash;

    sha256_start(&hash);
    while (text.len > 0) {
        struct span piece = fuzz_take(&text, 1 + fuzz_dice(100));

        sha256_add(&hash, piece.p, piece.len);
    }
    sha256_end(&hash, digest);
    FACT(sigv4_string_to_sign(&o, scope, digest) == 0);
    sigv4_key_for(&key, c->secret_key, scope);
    sigv4_signature(&key, out_span(&o), hex);
}

void
fuzz(struct span in)
{
    static const uint8_t body_sha256[SHA256_LEN];
    static struct sigv4_key key;
    struct sigv4_field fields[FIELDS_MAX];
    struct sigv4_request request = {.fields = fields, .body_sha256 = body_sha256};
    struct sigv4_scope scope = {SPAN("20150830T123600Z"), SPAN("us-east-1"), SPAN("kinesis")};
    struct sigv4_credentials c = {.access_key = SPAN("AKID")};
    size_t cap = in.len * 2 + 256;
    struct out o = out_to(fuzz_room(cap), cap);
    char hex[SIGV4_SIGNATURE_LEN];

    c.secret_key = line(&in);
    request.method = line(&in);
    request.path = line(&in);
    request.query = line(&in);
    while (in.len > 0 && request.fields_len < FIELDS_MAX) {
        struct span value = line(&in);

        fields[request.fields_len++] = (struct sigv4_field){span_cut(value, ':', &value), value};
    }
    step_by_step(&c, &scope, canonical(&request, cap), hex);
    FACT(sigv4_authorization(&o, &c, &scope, &request, &key) == 0);
    FACT(o.len > sizeof hex && memcmp(o.p + o.len - sizeof hex, hex, sizeof hex) == 0);
}
