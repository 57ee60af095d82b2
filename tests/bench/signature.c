/* see signature.h */
#include "signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "net.h"

/* A text that grows; what does not fit is a failure. */
struct buffer {
    char text[8192];
    size_t len;
};

static void
add(struct buffer *b, const char *text, size_t len)
{
    if (len > sizeof(b->text) - b->len)
        die("a signed header is too long");
    memcpy(b->text + b->len, text, len);
    b->len += len;
}

static void
add_hash(struct buffer *b, const char *bytes, size_t len)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    char hex[3];

    SHA256((const uint8_t *)bytes, len, hash);
    for (size_t i = 0; i < sizeof(hash); i++) {
        snprintf(hex, sizeof(hex), "%02x", hash[i]);
        add(b, hex, 2);
    }
}

static void
hmac(uint8_t key[SHA256_DIGEST_LENGTH], size_t key_len, const char *text, size_t len)
{
    uint8_t out[SHA256_DIGEST_LENGTH];

    HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text, len, out, NULL);
    memcpy(key, out, sizeof(out));
}

/* The value after name= in Authorization; *len up to the next comma or the end. */
static const char *
part(const char *authorization, size_t all, const char *name, size_t *len)
{
    const char *at = memmem(authorization, all, name, strlen(name));

    if (!at)
        return NULL;
    at += strlen(name);
    *len = strcspn(at, ",\r");
    return at;
}

/* The signed headers, each with its value. False when one is not there. */
static bool
add_headers(struct buffer *b, const char *head, const char *names, size_t len)
{
    char name[64];

    for (const char *at = names; at < names + len;) {
        size_t name_len = strcspn(at, ";,\r"), value_len;

        if (name_len == 0 || name_len >= sizeof(name))
            return false;
        memcpy(name, at, name_len);
        name[name_len] = '\0';
        const char *value = http_field(head, name, &value_len);
        if (!value)
            return false;
        add(b, name, name_len);
        add(b, ":", 1);
        add(b, value, value_len);
        add(b, "\n", 1);
        at += name_len + 1;
    }
    return true;
}

/* scope: DATE/REGION/kinesis/aws4_request */
static void
sign(const char *scope, size_t scope_len, const struct buffer *text, char hex[SIGNATURE_LEN + 1])
{
    uint8_t key[64] = "AWS4" SECRET_ACCESS_KEY;
    size_t key_len = strlen((char *)key);

    for (const char *at = scope; at < scope + scope_len;) {
        size_t len = strcspn(at, "/,");

        hmac(key, key_len, at, len);
        key_len = SHA256_DIGEST_LENGTH;
        at += len + 1;
    }
    hmac(key, key_len, text->text, text->len);
    for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++)
        snprintf(hex + 2 * i, 3, "%02x", key[i]);
}

bool
signature_of(const char *head, const char *body, size_t body_len, char hex[SIGNATURE_LEN + 1])
{
    static const char ending[] = "/kinesis/aws4_request";
    struct buffer request = {.len = 0}, text = {.len = 0};
    size_t all, scope_len, names_len, date_len;
    const char *authorization = http_field(head, "Authorization", &all);
    const char *date = http_field(head, "X-Amz-Date", &date_len);

    if (!authorization || !date)
        return false;
    const char *scope = part(authorization, all, "Credential=" ACCESS_KEY_ID "/", &scope_len);
    const char *names = part(authorization, all, "SignedHeaders=", &names_len);
    if (!scope || !names || scope_len < sizeof(ending) ||
        memcmp(scope + scope_len - sizeof(ending) + 1, ending, sizeof(ending) - 1) != 0)
        return false;
    add(&request, "POST\n/\n\n", 8);
    if (!add_headers(&request, head, names, names_len))
        return false;
    add(&request, "\n", 1);
    add(&request, names, names_len);
    add(&request, "\n", 1);
    add_hash(&request, body, body_len);
    add(&text, "AWS4-HMAC-SHA256\n", 17);
    add(&text, date, date_len);
    add(&text, "\n", 1);
    add(&text, scope, scope_len);
    add(&text, "\n", 1);
    add_hash(&text, request.text, request.len);
    sign(scope, scope_len, &text, hex);
    return true;
}

bool
signature_holds(const char *head, const char *body, size_t body_len)
{
    char hex[SIGNATURE_LEN + 1];
    size_t all, len;
    const char *authorization = http_field(head, "Authorization", &all);
    const char *given = authorization ? part(authorization, all, "Signature=", &len) : NULL;

    return given && len == SIGNATURE_LEN && signature_of(head, body, body_len, hex) &&
           memcmp(given, hex, SIGNATURE_LEN) == 0;
}
