#ifndef TLS_CURVES_H
#define TLS_CURVES_H
/*
 * The elliptic curves of TLS: P-256, which every endpoint of AWS has, in BearSSL's code for it
 * alone, and P-384 and P-521, which certificates may have, in its general code. Curve25519 is left
 * out: its code would make the program larger and serve no endpoint that lacks P-256.
 */
#include <bearssl.h>

extern const br_ec_impl tls_curves;

#endif
