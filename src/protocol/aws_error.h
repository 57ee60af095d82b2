#ifndef AWS_ERROR_H
#define AWS_ERROR_H
/*
 * The name and text of an error that an AWS service replied with. Source: Kinesis API reference,
 * "Common Errors"; AWS JSON 1.1 protocol, "Operation error serialization"; CBOR 1.1 has the same map.
 */
#include "protocol/span.h"

/*
 * code     such as ValidationException: letters, digits, full stops, hyphens and underscores; empty
 *          when the reply cannot be read.
 * message  as it stands in the reply, including JSON or XML escapes (in CBOR as cbor_string returns
 *          it); empty when there is none.
 *          It is the peer's text: control bytes have to be removed before it is logged.
 */
struct aws_error {
    struct span code;
    struct span message;
};

/*
 * Looks for the code in this order: member __type of a JSON or CBOR body (then member code), the
 * value of the header field x-amzn-ErrorType, element Code of an XML body, name of an XML body's
 * outermost element. Namespaces up to "#" and anything from ":" are left out. The format of the body is
 * recognised from the body itself, whatever the format of the request.
 *
 * type_header  value of x-amzn-ErrorType; empty when absent.
 *
 * Results point into the two inputs.
 */
void aws_error(struct span type_header, struct span body, struct aws_error *e);

/* The message up to its first escape or control byte. */
struct span aws_error_line(struct span message);

#endif
