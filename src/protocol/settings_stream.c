#include "protocol/settings_stream.h"

/* see settings_stream.h */

static void
read_region(struct settings *s, const struct settings_source *source)
{
    const char *name = "AWS_REGION";

    s->region = settings_source_get(source, name);
    if (s->region.len == 0 && settings_source_get(source, "AWS_DEFAULT_REGION").len > 0) {
        name = "AWS_DEFAULT_REGION";
        s->region = settings_source_get(source, name);
    }
    if (!aws_names_region(s->region)) {
        settings_source_refuse(source, name, s->region.len == 0 ? SPAN("") : s->region,
                               "the name of a region, as us-east-1", "us-east-1");
        s->region = SPAN("us-east-1");
    }
    s->function_region = s->region;
}

static void
read_stream(struct settings *s, const struct settings_source *source)
{
    struct span region;

    s->stream_name = settings_source_get(source, "KINESIS_STREAM_NAME");
    if (s->stream_name.len > 0 &&
        (s->stream_name.len > 128 || !span_made_of(s->stream_name, "_.-"))) {
        settings_source_refuse(source, "KINESIS_STREAM_NAME", s->stream_name,
                               "1 to 128 letters, digits, '_', '.' or '-'",
                               "telemetry-kinesis-stream");
        s->stream_name.len = 0;
    }
    if (s->stream_name.len == 0)
        s->stream_name = SPAN("telemetry-kinesis-stream");
    s->stream_arn = settings_source_get(source, "KINESIS_STREAM_ARN");
    if (s->stream_arn.len == 0)
        return;
    if (!aws_names_stream_arn(s->stream_arn, &region)) {
        settings_source_refuse(source, "KINESIS_STREAM_ARN", s->stream_arn,
                               "arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME",
                               "KINESIS_STREAM_NAME");
        s->stream_arn.len = 0;
        return;
    }
    s->stream_name.len = 0;
    /* only the stream's own region can take its records */
    s->region = region;
}

void
settings_stream_read(struct settings *s, const struct settings_source *source)
{
    read_region(s, source);
    read_stream(s, source);
}
