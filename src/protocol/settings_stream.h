#ifndef SETTINGS_STREAM_H
#define SETTINGS_STREAM_H
/*
 * The stream and its region: AWS_REGION, AWS_DEFAULT_REGION, KINESIS_STREAM_NAME, KINESIS_STREAM_ARN.
 */
#include "protocol/settings.h"

void settings_stream_read(struct settings *s, const struct settings_source *source);

#endif
