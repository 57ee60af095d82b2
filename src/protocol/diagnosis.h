#ifndef DIAGNOSIS_H
#define DIAGNOSIS_H
/*
 * The steps that a delivery takes, as --check goes through them, and what a service's reply says about them: at which
 * one the call failed, why, and what helps.
 *
 * Source: Kinesis API reference, PutRecords and "Common Errors"; S3 API reference, "Error responses"; Kinesis
 * developer guide, DryRun; IAM user guide, "Troubleshoot access denied error messages".
 */
#include "protocol/out.h"

/* In the order in which they are taken. */
enum check_step {
    CHECK_SETTINGS,
    CHECK_CREDENTIALS,
    CHECK_NAME,
    CHECK_TCP,
    CHECK_PROXY,
    CHECK_TLS,
    CHECK_CLOCK,
    CHECK_SIGNATURE,
    CHECK_PERMISSION,
    CHECK_STREAM,
    CHECK_KEY, /* of KMS */
    CHECK_DEAD_LETTER,
    CHECK_RESULT,
    CHECK_STEPS
};

enum check_status { CHECK_OK, CHECK_FAILED, CHECK_WARNING, CHECK_NOT_CHECKED };

/* The words for these, which machines read too. */
const char *diagnosis_step(enum check_step step);
const char *diagnosis_status(enum check_status status);

/* What a reply means. The texts are part of it: pointers would take as much room again. */
struct diagnosis {
    uint8_t status; /* CHECK_OK: nothing is wrong. CHECK_WARNING: throttled, which says nothing */
    uint8_t step;   /* where it ended; if it failed those before have gone well */
    bool again;     /* the same call may go better a second later */
    bool fit;       /* the service's message helps, and holds nothing that was signed */
    char codes[84]; /* of the replies that it is about, as of retry_lists */
    char cause[36]; /* may be empty */
    char remedy[89];
};

/*
 * The meaning of a reply; valid as long as the process.
 *
 * status  of the reply; 0: there was none.
 * code    of an error; empty when the reply has none.
 */
const struct diagnosis *diagnosis_of(unsigned status, struct span code);

/* What was asked for, in the words of a policy. */
struct diagnosis_target {
    struct span action, resource;
};

/*
 * Appends what helps. Where a policy does not allow the call, that is the statement that is missing, of what the
 * service's message says was asked for, or else of the target.
 */
void diagnosis_remedy(struct out *o, const struct diagnosis *d, struct span message,
                      const struct diagnosis_target *target);

#endif
