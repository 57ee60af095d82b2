#include "protocol/diagnosis.h"

#include "protocol/format.h"
#include "protocol/retry.h"

/* see diagnosis.h */

const char *
diagnosis_step(enum check_step step)
{
    static const char names[CHECK_STEPS][12] = {
        "settings",  "credentials", "name",   "tcp", "proxy",      "tls",    "clock",
        "signature", "permission",  "stream", "key", "deadLetter", "result",
    };

    return names[step];
}

const char *
diagnosis_status(enum check_status status)
{
    static const char names[][11] = {"ok", "failed", "warning", "notChecked"};

    return names[status];
}

/* Those that no code tells come first. */
enum { SILENCE, TAKEN, BUSY, FAILURE, FOREIGN, CODES };

/* Where causes are alike, so are the words, which a zip then has once. */
static const struct diagnosis rows[] = {
    [SILENCE] = {CHECK_FAILED, CHECK_SIGNATURE, .remedy = "find out what is on the way"},
    [TAKEN] = {CHECK_OK, CHECK_STREAM, .cause = "written"},
    [BUSY] = {CHECK_WARNING, CHECK_STREAM, true, true, .cause = "throttled, so nothing is known"},
    [FAILURE] = {CHECK_FAILED, CHECK_SIGNATURE, true, .cause = "the service fails",
                 .remedy = "try again later"},
    [FOREIGN] = {CHECK_FAILED, CHECK_SIGNATURE, .cause = "the reply is not the service's",
                 .remedy = "find out what is on the way"},
    [CODES] = {CHECK_OK, CHECK_STREAM, .codes = "DryRunOperationException ",
               .cause = "nothing is written"},
    {CHECK_FAILED, CHECK_CLOCK, false, false,
     "RequestExpired RequestInTheFuture RequestTimeTooSkewed ", "the time is refused",
     "set the clock of this machine"},
    {CHECK_FAILED, CHECK_SIGNATURE, false, true, "ExpiredToken* ", "the session token has expired",
     "take AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from one new session"},
    {CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "UnrecognizedClientException InvalidClientTokenId InvalidAccessKeyId InvalidToken ",
     "the access key is not known",
     "take AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from one new session"},
    {CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "InvalidSignatureException SignatureDoesNotMatch IncompleteSignature* ",
     "the signature is wrong",
     "take AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from one new session"},
    {CHECK_FAILED, CHECK_SIGNATURE, false, false, "MissingAuthenticationToken* ",
     "the signature did not arrive", "find out what is on the way"},
    {CHECK_FAILED, CHECK_PERMISSION, false, true, "AccessDenied* ", "not allowed",
     "add to the policy that is named, or the role's, and let none deny it: "},
    {CHECK_FAILED, CHECK_STREAM, false, true, "ResourceNotFoundException ",
     "there is no such stream",
     "create it, or correct KINESIS_STREAM_NAME, KINESIS_STREAM_ARN or AWS_REGION"},
    {CHECK_FAILED, CHECK_STREAM, false, true, "NoSuchBucket ", "there is no such bucket",
     "create it, or correct TELEMETRY_DEAD_LETTER"},
    {CHECK_FAILED, CHECK_KEY, false, true, "KMS* ", "the KMS key cannot be used",
     "enable it, allow kms:GenerateDataKey, or encrypt with another"},
    {CHECK_FAILED, CHECK_STREAM, false, false, "* ", "refused",
     "look the code up, or try --check=write"},
};

const struct diagnosis *
diagnosis_of(unsigned status, struct span code)
{
    enum retry_class class = retry_class(code, status);
    size_t i = CODES;

    if (status == 0)
        return &rows[SILENCE];
    if (status / 100 == 2)
        return &rows[TAKEN];
    if (class <= RETRY_THROTTLED)
        return &rows[class == RETRY_THROTTLED ? BUSY : FAILURE];
    if (code.len == 0)
        return &rows[FOREIGN];
    while (!retry_lists(rows[i].codes, code))
        i++;
    return &rows[i];
}

/* The word behind this text, perhaps in quotation marks; `otherwise` if there is none. */
static struct span
word_behind(struct span message, struct span before, struct span otherwise)
{
    const char *at = span_find(message, before);
    struct span word;

    if (at == NULL)
        return otherwise;
    word = span_cut(span_skip(message, (size_t)(at - message.p) + before.len), ' ', &message);
    if (word.len > 1 && *word.p == '"')
        word = (struct span){word.p + 1, word.len - 2};
    return word.len == 0 ? otherwise : word;
}

void
diagnosis_remedy(struct out *o, const struct diagnosis *d, struct span message,
                 const struct diagnosis_target *target)
{
    struct span action = word_behind(message, SPAN("to perform: "), target->action);
    struct span resource = word_behind(message, SPAN("on resource: "), target->resource);

    out_put(o, span_of(d->remedy));
    if (d->step == CHECK_PERMISSION)
        (void)format_text(o, "{\"Effect\":\"Allow\",\"Action\":\"%.*s\",\"Resource\":\"%.*s\"}",
                          (int)action.len, action.p, (int)resource.len, resource.p);
}
