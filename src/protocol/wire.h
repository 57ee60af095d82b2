#ifndef WIRE_H
#define WIRE_H
/*
 * The form that requests to Kinesis are written in: CBOR, which sends data as it is, or JSON, which
 * sends it in base64, a third longer.
 *
 * Kinesis takes both. Some servers that speak its protocol know JSON alone, each refuses the other
 * form in its own way: by an error that says so, by one that is none of Kinesis' (the page of a web
 * server that did not expect binary data), or by a reply that nobody can read. So as long as CBOR is
 * not proven, each of these leads to JSON, and the same request is to be made again in it at once.
 *
 * - A reply that tells what became of each record proves the form that the request was in. An error
 *   with one of Kinesis' codes does not: whoever looks at signatures has not read the body.
 * - What says that the content type is not known makes JSON the form for good.
 * - All else may be the fault of something in between, such as a load balancer without a server. JSON
 *   is then on trial: it is the form for good once it is proven, and if it meets the same, CBOR is tried
 *   again with the next request. A gateway's 502, 503 and 504 are believed the second time only, so
 *   that a moment without a server costs CBOR not for ever.
 * - Once CBOR is proven, errors are about other things. Of replies that cannot be read the second one
 *   leads to JSON all the same: there is a server that cuts those in CBOR from some size on.
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
 * The form that batches are measured by. Until CBOR is proven that is JSON, the larger one of any
 * record, so that the batch that is refused in CBOR can go out in JSON as it is and be within the
 * limits too.
 */
enum wire_form wire_measure(const struct wire *w);

/*
 * A request has succeeded: a reply has told what became of its records. Returns the status of the
 * reply because of which JSON is the form for good from now on, 2xx when that one could not be read;
 * 0 when nothing has been decided.
 */
unsigned wire_accepted(struct wire *w);

/*
 * A request was answered by an error, or by a reply that cannot be read.
 *
 * status  of the reply; 2xx when it cannot be read.
 * code    of the error; empty when none can be read.
 *
 * Returns true when that may be because of CBOR: the form is JSON now, and the request is to be made
 * again at once. Never for a request in JSON.
 */
bool wire_refused(struct wire *w, unsigned status, struct span code);

#endif
