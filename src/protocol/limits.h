#ifndef LIMITS_H
#define LIMITS_H
/*
 * Sizes that several rooms agree on.
 */

/*
 * The largest event. The Telemetry API cuts a record above its largest maxBytes (1 MiB) in two, so an event
 * is at most that long, plus its envelope.
 */
#define EVENT_MAX_BYTES (1048576 + 65536)

/* Source: Kinesis quotas: data and partition key of one record, unless the stream allows more. */
#define RECORD_MAX_BYTES 1048576

/* Source: Kinesis API reference, PutRecords: at most 500 records a request. */
#define BATCH_MAX_RECORDS 500

#endif
