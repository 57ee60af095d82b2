#ifndef TLS_AES_ARM64_H
#define TLS_AES_ARM64_H
/*
 * The two parts of AES-GCM by the CPU's own instructions, which BearSSL has for x86-64 but not for
 * arm64, in the shapes that BearSSL's record layer takes. Only where system_cpu() says so.
 * Time does not depend on keys or data. Source: FIPS 197; NIST SP 800-38D.
 */
#if defined __aarch64__ && (!defined __clang__ || defined __ARM_FEATURE_AES)
#define TLS_AES_ARM64 1

#include <bearssl.h>

/* AES-128, -192 and -256 in counter mode; its context fits into br_aes_gen_ctr_keys. */
extern const br_block_ctr_class tls_aes_arm64_ctr;

/* A br_ghash. */
void tls_aes_arm64_ghash(void *y, const void *h, const void *data, size_t len);

#else
#define TLS_AES_ARM64 0
#endif
#endif
