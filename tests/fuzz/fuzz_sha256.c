/* A digest is that of BearSSL, however the bytes come, whichever code takes them, and from a copy too. */
#include "fuzz.h"
#include "io/cpu.h"
#include "protocol/sha256.h"

#include <bearssl_hash.h>
#include <bearssl_hmac.h>
#include <string.h>

static void
check_digest(struct span in, const uint8_t got[SHA256_LEN])
{
    br_sha256_context reference;
    uint8_t want[SHA256_LEN];

    br_sha256_init(&reference);
    br_sha256_update(&reference, in.p, in.len);
    br_sha256_out(&reference, want);
    FACT(memcmp(got, want, sizeof want) == 0);
}

/* Cut anywhere; the digest of what is there is asked for at any time. */
static void
check_cuts(struct span in)
{
    struct span rest = in;
    struct sha256 hash;
    uint8_t got[SHA256_LEN];

    sha256_start(&hash);
    while (rest.len > 0) {
        struct span part = fuzz_take(&rest, fuzz_dice(4) == 0 ? fuzz_dice(4096) : fuzz_dice(130));
        struct sha256 copy = hash;

        hash = copy;
        sha256_use(sha256_fastest(fuzz_dice(3) == 0 && cpu_has_sha256(),
                                  fuzz_dice(2) == 0 && cpu_has_avx2()));
        sha256_add(&hash, part.p, part.len);
        if (fuzz_dice(8) != 0)
            continue;
        sha256_end(&hash, got);
        check_digest((struct span){in.p, in.len - rest.len}, got);
    }
    sha256_end(&hash, got);
    check_digest(in, got);
}

static void
check_mac(struct span in)
{
    br_hmac_key_context padded;
    br_hmac_context reference;
    struct span key = fuzz_take(&in, fuzz_dice(200));
    uint8_t got[SHA256_LEN], want[SHA256_LEN];

    sha256_hmac(key.p, key.len, in, got);
    br_hmac_key_init(&padded, &br_sha256_vtable, key.p, key.len);
    br_hmac_init(&reference, &padded, 0);
    br_hmac_update(&reference, in.p, in.len);
    br_hmac_out(&reference, want);
    FACT(memcmp(got, want, sizeof want) == 0);
}

void
fuzz(struct span in)
{
    check_cuts(in);
    check_mac(in);
}
