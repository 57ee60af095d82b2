#include "io/tls_sha256.h"

#include <string.h>

#include "protocol/sha256.h"

/* see tls_sha256.h */

struct context {
    const br_hash_class *class;
    struct sha256 hash;
};

/* BearSSL keeps it where it has room for one of its own. */
_Static_assert(sizeof(struct context) <= sizeof(br_sha256_context), "fits");

/* In its library, for any hash, but not in its public headers. Adds to what is there, by exclusive or. */
void br_tls_phash(void *to, size_t len, const br_hash_class *class, const void *secret,
                  size_t secret_len, const char *label, size_t seeds_len,
                  const br_tls_prf_seed_chunk *seeds);

static struct sha256 *
hash_of(const br_hash_class **context)
{
    return &((struct context *)(void *)context)->hash;
}

static void
init(const br_hash_class **context)
{
    *context = &tls_sha256;
    sha256_start(hash_of(context));
}

static void
update(const br_hash_class **context, const void *bytes, size_t len)
{
    sha256_add(hash_of(context), bytes, len);
}

static const struct sha256 *
hash_to_read(const br_hash_class *const *context)
{
    return &((const struct context *)(const void *)context)->hash;
}

static void
out(const br_hash_class *const *context, void *digest)
{
    sha256_end(hash_to_read(context), digest);
}

/* Asked for after whole blocks only. */
static uint64_t
state(const br_hash_class *const *context, void *chain)
{
    const struct sha256 *hash = hash_to_read(context);

    memcpy(chain, hash->chain, sizeof hash->chain);
    return hash->len;
}

static void
set_state(const br_hash_class **context, const void *chain, uint64_t len)
{
    struct sha256 *hash = hash_of(context);

    *context = &tls_sha256;
    memcpy(hash->chain, chain, sizeof hash->chain);
    hash->len = len;
}

const br_hash_class tls_sha256 = {
    .context_size = sizeof(struct context),
    .desc = BR_HASHDESC_ID(br_sha256_ID) | BR_HASHDESC_OUT(SHA256_LEN) |
            BR_HASHDESC_STATE(SHA256_LEN) | BR_HASHDESC_LBLEN(6) | BR_HASHDESC_MD_PADDING |
            BR_HASHDESC_MD_PADDING_BE,
    .init = init,
    .update = update,
    .out = out,
    .state = state,
    .set_state = set_state,
};

void
tls_sha256_prf(void *to, size_t len, const void *secret, size_t secret_len, const char *label,
               size_t seeds_len, const br_tls_prf_seed_chunk *seeds)
{
    memset(to, 0, len);
    br_tls_phash(to, len, &tls_sha256, secret, secret_len, label, seeds_len, seeds);
}
