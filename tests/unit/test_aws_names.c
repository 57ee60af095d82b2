#include "protocol/aws_names.h"

#include "check.h"
#include "guard.h"

#define ARN(region, account, name) "arn:aws:kinesis:" region ":" account ":stream/" name
#define TEN "abcdefghij"
#define FIFTY TEN TEN TEN TEN TEN
#define ACCOUNT "123456789012"

static const struct {
    const char *text;
    bool want;
} regions[] =
    {
        {"us-east-1", true},     {"us-gov-west-1", true},      {"eusc-de-east-1", true},
        {TEN TEN TEN TEN, true}, {TEN TEN TEN TEN "a", false}, {"", false},
        {"us_east", false},      {"us.east", false},           {"us-east-1/", false},
        {"us east", false},
},
  buckets[] = {
      {"abc", true},
      {"my-bucket.logs-1", true},
      {"0ab", true},
      {FIFTY TEN "abc", true},
      {FIFTY TEN "abcd", false},
      {"ab", false},
      {"", false},
      {"Abc", false},
      {"aBc", false},
      {"a_b", false},
      {"-ab", false},
      {"ab-", false},
      {".ab", false},
      {"ab.", false},
      {"a/b", false},
};

static const struct {
    const char *text;
    const char *region; /* NULL: no such ARN */
} arns[] = {
    {ARN("eu-west-1", ACCOUNT, "a"), "eu-west-1"},
    {ARN("eu-west-1", ACCOUNT, "a_b.c-d"), "eu-west-1"},
    {ARN("eu-west-1", "000000000000", "a"), "eu-west-1"},
    {"arn:aws-us-gov:kinesis:us-gov-west-1:" ACCOUNT ":stream/a", "us-gov-west-1"},
    {ARN("eu-west-1", ACCOUNT, FIFTY FIFTY TEN TEN "12345678"), "eu-west-1"},
    {ARN("eu-west-1", ACCOUNT, FIFTY FIFTY TEN TEN "123456789"), NULL},
    {ARN("eu-west-1", ACCOUNT, ""), NULL},
    {ARN("eu-west-1", ACCOUNT, "a/b"), NULL},
    {ARN("eu-west-1", ACCOUNT, "a:b"), NULL},
    {ARN("eu-west-1", "12345678901", "a"), NULL},
    {ARN("eu-west-1", "1234567890123", "a"), NULL},
    {ARN("eu-west-1", "12345678901x", "a"), NULL},
    {ARN("", ACCOUNT, "a"), NULL},
    {ARN("eu_west", ACCOUNT, "a"), NULL},
    {"arn:other:kinesis:eu-west-1:" ACCOUNT ":stream/a", NULL},
    {"arn:aws:firehose:eu-west-1:" ACCOUNT ":stream/a", NULL},
    {"arn:aws:kinesis:eu-west-1:" ACCOUNT ":streams/a", NULL},
    {"urn:aws:kinesis:eu-west-1:" ACCOUNT ":stream/a", NULL},
    {"a", NULL},
    {"", NULL},
};

static void
names(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(regions); i++)
        CHECK_INT(regions[i].text, aws_names_region(guard_copy(span_of(regions[i].text))),
                  regions[i].want);
    for (size_t i = 0; i < LEN(buckets); i++)
        CHECK_INT(buckets[i].text, aws_names_bucket(guard_copy(span_of(buckets[i].text))),
                  buckets[i].want);
}

/* Whole, and cut short anywhere. */
static void
stream_arns(void **state)
{
    struct span region;

    (void)state;
    for (size_t i = 0; i < LEN(arns); i++) {
        struct span arn = span_of(arns[i].text);

        CHECK_INT(arn.p, aws_names_stream_arn(guard_copy(arn), &region), arns[i].region != NULL);
        if (arns[i].region != NULL)
            CHECK_SPAN(arn.p, region, span_of(arns[i].region));
        for (size_t n = 0; n < arn.len; n++)
            (void)aws_names_stream_arn(guard_copy((struct span){arn.p, n}), &region);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(stream_arns),
    };

    return RUN(argc, argv, tests);
}
