#ifndef AWS_NAMES_H
#define AWS_NAMES_H
/*
 * Whether a text is a name as AWS forms them, as far as that makes it safe in host names, paths and
 * requests; whether there is such a thing, the service says.
 */
#include "protocol/span.h"

/* Names of regions are half as long; the limit keeps within bounds the host names that are made of them. */
#define AWS_NAMES_REGION_MAX 40

bool aws_names_region(struct span s);

/* arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME; region receives its part. */
bool aws_names_stream_arn(struct span arn, struct span *region);

/* Source: S3 user guide, "General purpose bucket naming rules". */
bool aws_names_bucket(struct span s);

#endif
