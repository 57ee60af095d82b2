#ifndef PUT_RECORDS_REPLY_H
#define PUT_RECORDS_REPLY_H
/*
 * The reply to a Kinesis PutRecords request, in JSON or in CBOR; the reply itself shows in which, since
 * a gateway may answer a request in CBOR with JSON.
 * Source: Kinesis API reference, PutRecords.
 */
#include "protocol/span.h"

/*
 * Reads the reply to a request of records_len records and calls back once per record, in order.
 *
 * code     empty for an accepted record, else the reason, such as
 *          ProvisionedThroughputExceededException.
 * message  the service's text, may be empty. Both as they stand in the body, including JSON escapes
 *          (in CBOR as cbor_string returns them), and valid as long as the body.
 *
 * Returns how many failed; ERR_BAD when the body is not a PutRecords reply with exactly records_len
 * entries, each with an ErrorCode or a SequenceNumber: then no callback has been made. The entries
 * decide; FailedRecordCount only has to be a number.
 */
int put_records_reply(struct span body, size_t records_len,
                      void (*result)(void *context, size_t index, struct span code,
                                     struct span message),
                      void *context);

#endif
