#ifndef WIRE_H
#define WIRE_H
/*
 * The form that requests to Kinesis are written in: CBOR, which sends data as it is, or JSON, which
 * sends it in base64, a third longer.
 *
 * Kinesis takes both. Some servers that speak its protocol know JSON alone: they refuse the content
 * type, each in its own way. So as long as no request in CBOR has succeeded, such a refusal makes
 * JSON the form for good, and the same request is to be made again in it.
 * Source: reply of the protocol's implementations to a content type that they do not know; the codes
 * are of Kinesis API reference, "Common Errors".
 */
#include "protocol/span.h"

enum wire_form { WIRE_CBOR, WIRE_JSON };

struct wire {
    enum wire_form form;
    bool proven; /* a request in CBOR has succeeded: it is the form for good */
};

/* Content-Type of requests. */
struct span wire_content_type(enum wire_form form);

/*
 * The form that batches are measured by. Until CBOR is proven that is JSON, the larger one of any
 * record, so that the batch that is refused in CBOR can go out in JSON as it is and be within the
 * limits too.
 */
enum wire_form wire_measure(const struct wire *w);

/* A request has succeeded: a reply has told what became of its records. */
void wire_accepted(struct wire *w);

/*
 * A request was answered by an error.
 *
 * status  of the reply, not 2xx.
 * code    of the error; empty when none can be read.
 *
 * Returns true when that may be because of CBOR: the form is JSON from now on, and the request is
 * to be made again at once. It tells so once at most.
 */
bool wire_refused(struct wire *w, unsigned status, struct span code);

#endif
