#ifndef WIRE_H
#define WIRE_H
/*
 * The form that requests to Kinesis are written in: CBOR, which sends data as it is, or JSON, which
 * sends it in base64, a third longer.
 *
 * Kinesis takes both. Some servers that speak its protocol know only JSON, and refuse CBOR in different
 * ways: by an error that says so, by an error without one of Kinesis' codes (the page of a web server that
 * did not expect binary data), or by a reply that cannot be read. So until CBOR is proven, each of these
 * leads to JSON, and the same request has to be made again in JSON at once.
 *
 * - A reply that states the outcome of each record proves the form of the request. An error with one
 *   of Kinesis' codes does not: a server that rejects a signature has not read the body.
 * - An error that says that the content type is unknown settles on JSON permanently.
 * - Anything else may come from something in between, such as a load balancer without a server. JSON is
 *   then on trial: it becomes permanent once it is proven; if it meets the same, CBOR is tried again with
 *   the next request. A gateway's 502, 503 and 504 are believed only the second time, so that a moment
 *   without a server does not rule out CBOR for ever.
 * - Once CBOR is proven, errors have other causes. But the second reply that cannot be read still leads to
 *   JSON, because one server cuts replies in CBOR beyond a certain size.
 *
 * Source: replies of the protocol's implementations; the codes are of Kinesis API reference, "Common
 * Errors".
 */
#include "protocol/span.h"

enum wire_form { WIRE_CBOR, WIRE_JSON };

struct wire {
    enum wire_form form;
    bool proven; /* a request in CBOR has succeeded */

    /* private */
    unsigned trial; /* status of the reply that put JSON on trial; 0: it is not */
    bool unread;    /* CBOR is proven, but a reply could not be read */
    bool doubted;   /* a gateway's error has been doubted */
};

/* Content-Type of requests. */
struct span wire_content_type(enum wire_form form);

/*
 * The form by which the size of a batch is measured. Until CBOR is proven that is JSON, in which every
 * record is at least as large, so that a batch that is refused in CBOR is within the limits in JSON too.
 */
enum wire_form wire_measure(const struct wire *w);

/*
 * A request has succeeded: its reply stated the outcome of each record. If that makes JSON permanent,
 * returns the status of the reply that had led to JSON, 2xx if that one could not be read; else 0.
 */
unsigned wire_accepted(struct wire *w);

/*
 * A request was answered with an error, or with a reply that cannot be read.
 *
 * status  of the reply; 2xx when it cannot be read.
 * code    of the error; empty when none can be read.
 *
 * Returns true if CBOR may be the reason: the form is then JSON, and the request has to be made again at
 * once. Never for a request in JSON.
 */
bool wire_refused(struct wire *w, unsigned status, struct span code);

#endif
