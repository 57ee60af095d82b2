#ifndef AWS_NAMES_H
#define AWS_NAMES_H
/*
 * Whether a text has the form of a name in AWS, which makes it safe in host names, paths and requests. Whether
 * such a thing exists is for the service to say.
 */
#include "protocol/span.h"

/* Twice as long as any region's name; bounds the host names that are made of it. */
#define AWS_NAMES_REGION_MAX 40

bool aws_names_region(struct span s);

/* arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME; region receives the REGION. */
bool aws_names_stream_arn(struct span arn, struct span *region);

/* Source: S3 user guide, "General purpose bucket naming rules". */
bool aws_names_bucket(struct span s);

#endif
