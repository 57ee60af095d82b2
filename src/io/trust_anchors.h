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

/*
 * When browsers stop trusting the last of these, in seconds since 1970 and as a date: by Mozilla's rule on the day on which
 * a root's key is 15 years old. That of Starfield Services goes before, on 2027-04-15. AWS has to have other roots by
 * then. Changes with vendor/pins, and tests/e2e/roots.test.mjs tells if it does not.
 * Source: Mozilla Root Store Policy, section 7.4, and its transition schedule.
 */
#define TRUST_ANCHORS_UNTIL_S 1905984000
#define TRUST_ANCHORS_UNTIL "2030-05-26"

extern const br_x509_trust_anchor trust_anchors[];
extern const size_t trust_anchors_len;

#endif
