#ifndef BREAKER_H
#define BREAKER_H
/*
 * Circuit breaker: after repeated failures nothing is sent for a while, so that an invocation costs
 * about nothing while the stream cannot be reached, and a sick service is left alone.
 *
 *   closed --failures--> open --interval over, a probe fails--> open, for longer
 *                        open --interval over, a probe succeeds--> closed
 *
 * A probe is an ordinary call with few records. Intervals double from 1 s to 30 s, each drawn from
 * its upper half, so that sandboxes do not come back in step.
 */
#include "protocol/span.h"

#define BREAKER_LONGEST_MS 30000

/* How a call failed. */
enum breaker_failure {
    BREAKER_FAILED, /* an error came back */
    BREAKER_SILENT, /* a time-out: three in a row open it, since each costs as much as many errors */
    BREAKER_HOPELESS, /* trying again soon cannot help */
    BREAKER_EXHAUSTED /* the retry quota is used up */
};

struct breaker {
    unsigned failures;  /* in a row */
    unsigned silent;    /* time-outs among them, in a row */
    unsigned intervals; /* since it opened; 0: closed */
    uint64_t probe_at_ms;
};

/* Whether calls are withheld; true while a probe is under way, too. */
bool breaker_open(const struct breaker *b);

/* When open: the moment, by the wall clock, from which one probe may be sent. */
uint64_t breaker_probe_at_ms(const struct breaker *b);

/*
 * A call has failed.
 *
 * failures_max  this many failures in a row open it; three time-outs in a row always do.
 * now_ms        wall clock, which goes on while the sandbox is frozen.
 * dice          caller's random number.
 *
 * Returns true when it has just opened.
 */
bool breaker_fail(struct breaker *b, enum breaker_failure failure, unsigned failures_max,
                  uint64_t now_ms, uint32_t dice);

/* A call has succeeded: closed. */
void breaker_succeed(struct breaker *b);

#endif
