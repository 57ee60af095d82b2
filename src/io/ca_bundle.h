#ifndef CA_BUNDLE_H
#define CA_BUNDLE_H
/*
 * Trust anchors from a file of PEM certificates, as AWS_CA_BUNDLE names one.
 */
#include "io/tls.h"

/* A file beyond this is refused; the usual bundle of all public roots has some 200 KiB. */
#define CA_BUNDLE_MAX_BYTES 2097152

/* Certificates of a file that are not taken as anchors. */
struct ca_bundle_skipped {
    unsigned unreadable; /* damaged, or of a kind that BearSSL does not know */
    unsigned weak;       /* with an RSA key below TLS_RSA_MIN_BITS */
};

/*
 * Reads the file and keeps its certificates in memory of its own for the life of the process. Lines may
 * end in LF, CR LF or CR and have blanks around them; a byte order mark may come first.
 *
 * skipped  counts the certificates that are passed over.
 *
 * Returns the number of anchors, 1 or more; ERR_IO when the file cannot be read (see system_error());
 * ERR_BIG; or ERR_BAD when no certificate in it can be an anchor.
 */
int ca_bundle_read(const char *path, struct tls_anchors *anchors,
                   struct ca_bundle_skipped *skipped);

#endif
