#ifndef LAMBDA_PARTS_H
#define LAMBDA_PARTS_H
/*
 * What lambda.c (the ends of runs), lambda_invoke.c (invocations, and what is between them) and lambda_init.c
 * (init, the snapshot and its copies) share.
 */
#include "lambda.h"

enum phase { INIT, IDLE, INVOKING, ENDING };

struct lambda {
    /* of the life */
    uint32_t invocations, copies, init_failures;
    bool back_to_back, snapshot_taken, forgets_restore;
    enum lambda_next next;

    /* of the run */
    enum phase phase;
    bool copy;                     /* of the snapshot */
    bool runtime_ready;            /* of init */
    bool asked;                    /* `next`, for the first time */
    bool suppressed;               /* init is done again, since an invocation waits */
    bool resets;                   /* the run ends because of a reset */
    bool handed, done;             /* the present INVOKE; and `next` after it */
    bool forgiven;                 /* the program cannot know that it has to end */
    bool due;                      /* it is to end, and knows it */
    uint32_t of_run;               /* invocations */
    uint32_t running;              /* on Managed Instances */
    uint32_t tries;                /* to take the snapshot */
    uint32_t waits;                /* with a freeze */
    const char *reason;            /* of SHUTDOWN */
    uint64_t ends_us;              /* the deadline of SHUTDOWN */
    uint64_t frozen_us;            /* until then: when it was handed, or when init began */
    size_t invoke_bytes;           /* of the present INVOKE */
    struct invocation *invocation; /* the present one */
};
extern struct lambda lambda;

/* reason: spindown, timeout or failure. Nothing happens when it has begun already. */
void lambda_shut_down(const char *reason);

/* Whether the life, or this copy, has had all of its invocations. */
bool lambda_enough(void);

/* Both the function and the program may be done with the present invocation. */
void lambda_check_over(void);

/* Nothing is to be done until the next invocation. */
void lambda_rest(void);
void lambda_invoke(void *context);

/* The same on Managed Instances: the next begins, or all have ended. */
void lambda_managed(void *context);

/* What was announced does not happen. */
void lambda_cancel_invoke(void);
void lambda_cancel_init(void);

/* Init begins; the copy does, with a jump of its clocks. */
void lambda_init(void);
void lambda_copy(void);

#endif
