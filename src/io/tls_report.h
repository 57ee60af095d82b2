#ifndef TLS_REPORT_H
#define TLS_REPORT_H
/*
 * What --check tells of a TLS handshake.
 */
#include "io/tls.h"

/*
 * Appends the cipher suite, until when the server's certificate is valid, and which root the chain ends at and until
 * when that is.
 *
 * t     its full handshake has succeeded.
 * leaf  the certificate, as tls_keep_leaf has it.
 */
void tls_report(const struct tls *t, struct span leaf, struct out *o);

#endif
