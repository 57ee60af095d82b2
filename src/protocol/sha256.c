#include "protocol/sha256.h"

#include <bearssl_hmac.h>

/* see sha256.h */

void
sha256_start(struct sha256 *hash)
{
    br_sha256_init(&hash->state);
}

void
sha256_add(struct sha256 *hash, const void *bytes, size_t len)
{
    /* BearSSL adds to the pointer even when there is nothing to read */
    if (len > 0)
        br_sha256_update(&hash->state, bytes, len);
}

void
sha256_end(const struct sha256 *hash, uint8_t digest[SHA256_LEN])
{
    br_sha256_out(&hash->state, digest);
}

void
sha256_hmac(const void *key, size_t key_len, struct span message, uint8_t mac[SHA256_LEN])
{
    br_hmac_key_context padded;
    br_hmac_context hmac;

    br_hmac_key_init(&padded, &br_sha256_vtable, key_len == 0 ? "" : key, key_len);
    br_hmac_init(&hmac, &padded, 0);
    if (message.len > 0)
        br_hmac_update(&hmac, message.p, message.len);
    br_hmac_out(&hmac, mac);
}
