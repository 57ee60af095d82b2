#ifndef SUSPECT_H
#define SUSPECT_H
/*
 * Finds the record that a whole call was refused for.
 *
 * The service may name it, and the limit that it exceeds: then it is made smaller (TELEMETRY_OVERSIZE)
 * or set aside. Else it is searched for: the records of the call become suspects, and half of them go
 * next. If they are refused, it is among these, and the others are sent like any; if they are accepted,
 * the others go at once: that the record is among them is not concluded, since it may have been the size
 * of the whole, or a fault that has passed. Each refusal halves the suspects, so that of 500 the
 * one is alone after 9 refused calls, whatever else is accepted meanwhile. Refused alone it is set aside.
 *
 * A record that was set aside is tried alone, after others have been accepted since: if it is refused
 * once more then, it is convicted, and leaves the way to the stream. Where there are no others it has
 * AWS_MAX_ATTEMPTS tries, and twice as many if no record of its call was accepted either. When a second
 * record ends up alone although nothing was accepted since the first, it is not the records' fault:
 * a failure like others, and nobody is convicted.
 *
 * Lines of several events that are alone and too large (413) go into two records at once, since nothing is lost by that;
 * those that come later, compressed ones as well, go into smaller records from the beginning (aggregate_limit).
 *
 * Touches the queue, and the ledger for what it drops; never a back-off or the breaker. A record costs
 * at most 9 + AWS_MAX_ATTEMPTS refused calls, or twice AWS_MAX_ATTEMPTS where it was sent by itself
 * from the beginning; at the last chance, where nobody waits for its room, as many as there is time for.
 */
#include "protocol/intake.h"

struct suspect {
    bool evidence;   /* a record was accepted since the last one was set aside */
    bool exonerated; /* a record of the call that began the last search was accepted */
    bool halved;     /* one half of the suspects was not at fault; the other goes as a whole */
    bool cramped;    /* a record was set aside since its pieces had no room; the owner resets it */
};

/* A call that was refused for what one of its records is. The batch is still the queue's. */
struct suspect_call {
    enum queue_take_what what; /* as it was taken */
    unsigned status;           /* of the reply: with 413 the size alone is at fault */
    struct span message;
    bool last_chance;
};

enum suspect_verdict {
    SUSPECT_AGAIN, /* mended, set aside, convicted or narrowed down: the rest may go at once */
    SUSPECT_NOT_THE_RECORD /* a failure like others */
};

/* Deals with the records of the batch; none is left in it. */
enum suspect_verdict suspect_refused(struct suspect *s, struct intake *in,
                                     const struct suspect_call *call);

/*
 * A reply has told what became of each record of a batch that was taken so; `accepted`: of one of them
 * at least, that it was accepted. Whatever else became of them, none was what a call was refused for.
 */
void suspect_answered(struct suspect *s, struct queue *q, enum queue_take_what what, bool accepted);

/* A batch that was taken so failed as a whole, for another reason: its records are what they were. */
void suspect_unanswered(struct queue *q, enum queue_take_what what);

/*
 * How many records are to be sent next by themselves, since they are suspects or set aside, and what to
 * take; 0: none of them, the others go.
 */
uint32_t suspect_next(const struct suspect *s, const struct queue *q, enum queue_take_what *what);

#endif
