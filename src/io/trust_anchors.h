#ifndef TRUST_ANCHORS_H
#define TRUST_ANCHORS_H
/*
 * The root certificates that AWS endpoints chain to: Amazon Root CA 1 to 4 and Starfield Services
 * Root Certificate Authority - G2.
 *
 * Generated at build time by vendor/vendor.sh from the distribution's ca-certificates, each one
 * compared with the fingerprint in vendor/pins. Constant, valid for ever, shared by all
 * connections; AWS_CA_BUNDLE replaces them as a whole.
 *
 * Source: Amazon Trust Services repository, which asks clients to hold all five.
 */
#include <bearssl.h>
#include <stddef.h>

extern const br_x509_trust_anchor trust_anchors[];
extern const size_t trust_anchors_len;

#endif
