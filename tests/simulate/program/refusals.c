#include "kinesis.h"

/* see kinesis.h; source: reference of Kinesis' errors; FIS and local servers */

const struct refusal refusals_failed[REFUSALS_FAILED] = {
    {"InternalFailure", 500, REFUSAL_OWN, true},
    {"InternalFailureException", 500, REFUSAL_OWN, true},
    {"InternalFailure", 500, REFUSAL_JSON, true},
    {"", 500, REFUSAL_PAGE, true},
    {"", 500, REFUSAL_EMPTY, true},
    {"ServiceUnavailable", 503, REFUSAL_OWN, true},
    {"ServiceUnavailableException", 503, REFUSAL_OWN, true},
    {"", 503, REFUSAL_PAGE, true},
    {"", 503, REFUSAL_EMPTY, true},
    {"", 502, REFUSAL_PAGE, true},
    {"", 504, REFUSAL_EMPTY, true},
};

const struct refusal refusals_throttled[REFUSALS_THROTTLED] = {
    {"ProvisionedThroughputExceededException", 400, REFUSAL_OWN, true},
    {"ThrottlingException", 400, REFUSAL_OWN, true},
    {"ThrottlingException", 400, REFUSAL_JSON, true},
    {"LimitExceededException", 400, REFUSAL_OWN, true},
    {"RequestLimitExceeded", 400, REFUSAL_OWN, true},
    {"KMSThrottlingException", 400, REFUSAL_OWN, true},
    {"TooManyRequestsException", 429, REFUSAL_OWN, true},
    {"", 429, REFUSAL_PAGE, true},
    {"SlowDown", 503, REFUSAL_XML, true},
};

const struct refusal refusals_denied[REFUSALS_DENIED] = {
    {"AccessDeniedException", 400, REFUSAL_OWN, false},
    {"ResourceNotFoundException", 400, REFUSAL_OWN, false},
    {"KMSDisabledException", 400, REFUSAL_OWN, false},
    {"KMSAccessDeniedException", 400, REFUSAL_OWN, false},
    {"KMSInvalidStateException", 400, REFUSAL_OWN, false},
    {"KMSNotFoundException", 400, REFUSAL_OWN, false},
};

const struct refusal refusals_form[REFUSALS_FORM] = {
    {"SerializationException", 400, REFUSAL_JSON, false},
    {"UnknownOperationException", 404, REFUSAL_JSON, false},
    {"", 500, REFUSAL_PAGE, false},
    {"", 415, REFUSAL_EMPTY, false},
    {"", 404, REFUSAL_PAGE, false},
};

const struct refusal refusals_keys[REFUSALS_KEYS] = {
    {"ValidationException", 400, REFUSAL_OWN, false},
    {"InvalidArgumentException", 400, REFUSAL_OWN, false},
    {"InvalidArgumentException", 400, REFUSAL_JSON, false},
    {"SerializationException", 400, REFUSAL_OWN, false},
    {"SerializationException", 400, REFUSAL_JSON, false},
    {"SomethingNew", 400, REFUSAL_OWN, false},
    {"", 400, REFUSAL_EMPTY, false},
};

const struct refusal refusals_any[REFUSALS_ANY] = {
    {"AccessDeniedException", 400, REFUSAL_OWN, false},
    {"ResourceNotFoundException", 400, REFUSAL_OWN, false},
    {"KMSDisabledException", 400, REFUSAL_OWN, false},
    {"KMSOptInRequired", 400, REFUSAL_OWN, false},
    {"ValidationException", 400, REFUSAL_OWN, false},
    {"InvalidArgumentException", 400, REFUSAL_OWN, false},
    {"ExpiredTokenException", 400, REFUSAL_OWN, false},
    {"ExpiredToken", 403, REFUSAL_XML, false},
    {"UnrecognizedClientException", 400, REFUSAL_OWN, false},
    {"InvalidClientTokenId", 403, REFUSAL_JSON, false},
    {"InvalidSignatureException", 400, REFUSAL_OWN, false},
    {"SignatureDoesNotMatch", 403, REFUSAL_XML, false},
    {"IncompleteSignatureException", 400, REFUSAL_OWN, false},
    {"MissingAuthenticationTokenException", 403, REFUSAL_XML, false},
    {"RequestTimeTooSkewed", 403, REFUSAL_XML, false},
    {"RequestExpired", 400, REFUSAL_OWN, false},
    {"SerializationException", 400, REFUSAL_OWN, false},
    {"UnknownOperationException", 404, REFUSAL_OWN, false},
    {"RequestTimeoutException", 400, REFUSAL_OWN, true},
    {"SomethingNew", 400, REFUSAL_OWN, false},
    {"", 400, REFUSAL_EMPTY, false},
    {"", 403, REFUSAL_PAGE, false},
    {"", 404, REFUSAL_PAGE, false},
    {"", 413, REFUSAL_PAGE, false},
};
