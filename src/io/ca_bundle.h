#ifndef CA_BUNDLE_H
#define CA_BUNDLE_H
/*
 * Trust anchors from a file of PEM certificates, as AWS_CA_BUNDLE names one.
 */
#include "io/tls.h"

/* A file beyond this is refused; the usual bundle of all public roots has some 200 KiB. */
#define CA_BUNDLE_MAX_BYTES 2097152

/*
 * Reads the file and keeps its certificates in memory of its own for the life of the process.
 * Certificates that cannot be decoded are passed over.
 *
 * Returns the number of anchors, 1 or more; ERR_IO when the file cannot be read (errno tells),
 * ERR_BIG, or ERR_BAD when it holds no certificate.
 */
int ca_bundle_read(const char *path, struct tls_anchors *anchors);

#endif
