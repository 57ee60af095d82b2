#include "protocol/aws_names.h"

/* see aws_names.h */

bool
aws_names_region(struct span s)
{
    return s.len <= AWS_NAMES_REGION_MAX && span_made_of(s, "-");
}

bool
aws_names_stream_arn(struct span arn, struct span *region)
{
    struct span rest = arn;
    struct span prefix = span_cut(rest, ':', &rest);
    struct span partition = span_cut(rest, ':', &rest);
    struct span service = span_cut(rest, ':', &rest);
    struct span account;
    uint64_t number;

    *region = span_cut(rest, ':', &rest);
    account = span_cut(rest, ':', &rest);
    return arn.len <= 2048 && span_same(prefix, SPAN("arn")) && span_made_of(partition, "-") &&
           span_starts(partition, SPAN("aws")) && span_same(service, SPAN("kinesis")) &&
           aws_names_region(*region) && account.len == 12 &&
           span_number(account, 999999999999, &number) == 0 && span_starts(rest, SPAN("stream/")) &&
           rest.len <= 7 + 128 && span_made_of(span_skip(rest, 7), "_.-");
}

bool
aws_names_bucket(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return false;
    return s.len >= 3 && s.len <= 63 && span_made_of(s, ".-") &&
           span_made_of((struct span){s.p, 1}, "") && span_made_of(span_skip(s, s.len - 1), "");
}
