#ifndef LIVES_H
#define LIVES_H
/*
 * What is lived in one of the two simulators (life.h: the delivery machine alone; program/world.h: the whole
 * program), for the one driver of both, simulate.c. A life follows from its seed.
 */
#include <stdbool.h>
#include <stdint.h>

/* What a life came to. */
struct lives_result {
    const char *broken; /* the law, a colon, and how; NULL: all held */
    uint64_t hash;      /* of all that was decided or sent */
    uint32_t events, calls, faults;
    uint32_t copies; /* of a snapshot of the program that went on by themselves */
    uint64_t simulated_ms;
    bool tls; /* some of it was spoken over TLS, which takes most of the life's processor time */
};

/* Less of what a seed draws: how a life that breaks a law is made smaller. All zero: the life as it is. */
struct lives_less {
    uint64_t without; /* the faults that do not exist, a bit for each */
    uint32_t halved;  /* so many times: the events of an invocation */
};

/* How many faults there are; 64 at most. */
extern const unsigned lives_faults;

/* Lives it. Tells each event and decision on standard output if aloud. Not reentrant. */
void lives_live(uint64_t seed, const struct lives_less *less, bool aloud,
                struct lives_result *result);

#endif
