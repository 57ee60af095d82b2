#ifndef EXTENSION_CHECK_PARTS_H
#define EXTENSION_CHECK_PARTS_H
/*
 * The parts of --check: each takes some of the steps.
 */
#include "extension/check.h"
#include "extension/dead_letter.h"
#include "extension/kinesis.h"
#include "protocol/diagnosis.h"

/* The large members come last: what is far from the beginning takes more code to reach. */
struct check {
    struct loop *loop;
    struct settings *settings;
    bool json, write;

    /* of the step under way, and of all */
    bool warned; /* something was logged */
    bool failed;
    enum check_step next;
    uint64_t begun_ms;
    struct out message, remedy;

    /* of what is waited for */
    bool done, late;

    /* of the calls of a step */
    bool taken;        /* a record has been written */
    bool first, again; /* this is the first call; it is to be made again */
    struct diagnosis_target target;

    struct loop_timer timer;
    struct aws_environment environment;
    struct kinesis kinesis;
    struct dead_letter letter;
    struct credentials credentials;
};

/*
 * The step has ended: its line is printed, with the message and, if it failed, the remedy. The next one begins: its time
 * runs, message and remedy are empty.
 */
void check_end(struct check *c, enum check_step step, enum check_status status);

/* The same, with this text behind the message. */
void check_tell(struct check *c, enum check_step step, enum check_status status, const char *text);

/* Runs the loop until done is set, so many milliseconds have passed, or the step may take no longer. Returns done. */
bool check_wait(struct check *c, uint32_t ms);

/* Each the step of its name; check_stream those from clock to key. */
void check_name(struct check *c);
void check_tcp(struct check *c);
void check_proxy(struct check *c);
void check_tls(struct check *c);
void check_stream(struct check *c);
void check_dead_letter(struct check *c);

#endif
