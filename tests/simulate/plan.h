#ifndef PLAN_H
#define PLAN_H
/*
 * What a life is like: the settings that hold in it, which faults exist at all and how often. Drawn at
 * its beginning ("swarm testing" of Groce and others: a life that has some faults and not others finds
 * more than one that has a little of all).
 *
 * To add a fault: name it here and in plan_fault_name, draw it in plan.c, do it where its side is
 * played (service.c what happens to calls, records.c to records, platform.c to the sandbox, letter.c to
 * dead letters), and count it by life_fault when it strikes.
 */
#include "dice.h"
#include "lives.h"
#include "protocol/settings.h"

enum fault {
    /* of a whole call to the stream */
    FAULT_INTERNAL,     /* 500, 502, 504: it may have been carried out */
    FAULT_UNAVAILABLE,  /* 503, or a code that stands for it: it was not */
    FAULT_THROTTLED,    /* the account or the stream has enough */
    FAULT_REFUSED,      /* a 4xx that only a change from outside helps against */
    FAULT_FOR_RECORDS,  /* 400 and 413 that look as if a record were at fault, and none is */
    FAULT_RESET,        /* the connection breaks while the reply is waited for */
    FAULT_CONNECT,      /* no connection, told at once */
    FAULT_CONNECT_SLOW, /* no connection within its time */
    FAULT_SILENT,       /* no reply within its time */
    FAULT_GARBAGE,      /* a reply that nobody can read */
    FAULT_EXPIRED,      /* the credentials are refused */
    FAULT_SKEW,         /* the time of the signature is refused */
    FAULT_STALE,        /* a connection that was kept is dead: the client makes the call again */
    FAULT_FORM, /* CBOR is refused: the client makes the call again in JSON, and stays with it */
    FAULT_SLOW, /* the reply takes its time, but not too much */
    /* of some records of a call */
    FAULT_SOME_THROTTLED,
    FAULT_SOME_INTERNAL,
    FAULT_SOME_OTHER, /* with any code there is, or none that is known */
    /* of records as such */
    FAULT_POISON, /* a call that has one is refused, and nobody says which one it is */
    FAULT_NAMED,  /* the same, and the reply names it */
    FAULT_SICK,   /* refused each time, by itself */
    FAULT_LARGE,  /* the stream takes less than the record has; the reply names it and the limit */
    FAULT_BODY,   /* something in between takes less than the body has: 413 */
    /* of the stream, the sandbox and what is around it */
    FAULT_OUTAGE, /* for a while each call ends in one and the same way */
    FAULT_SHARDS, /* the stream takes no more than its shards do */
    FAULT_JUMP,   /* the wall clock is set */
    FAULT_FREEZE,
    FAULT_RESTORE,     /* the sandbox turns out to be a copy (SnapStart) */
    FAULT_CREDENTIALS, /* there are none at first, or no more: they are late, or cannot be had */
    FAULT_DAMAGE,      /* events are lost on their way from the platform */
    /* of the dead letter */
    FAULT_LETTER,      /* is not written, or only a part of it */
    FAULT_LETTER_LOST, /* nobody knows whether it was written */
    FAULT_LETTER_SLOW,
    FAULTS
};

struct plan {
    struct settings settings;
    uint32_t per_mille[FAULTS]; /* how often each strikes where it can; 0: it does not exist */
    unsigned invocations;       /* at least */
    unsigned events;            /* of one invocation, about */
    unsigned burst;             /* events of the last invocation; 0: like any other */
    unsigned event_bytes;       /* about */
    unsigned shards;
    uint32_t latency_ms;   /* of the stream, about */
    uint32_t stream_limit; /* bytes of a record */
    uint32_t body_limit;   /* of a request, bytes of all its records */
    uint32_t fetch_ms;     /* for credentials */
    bool fetches;          /* credentials can be fetched anew */
    bool wants_keys;       /* the stream's record distribution is not AUTO */
    bool stands_in_freeze; /* the monotonic clock */
    bool peaceful;         /* at the end all faults cease, and all has to be delivered */
    bool throttled_alone;  /* nothing is wrong but that the shards are too few */
    bool poisoned_alone;   /* nothing but that a few records poison their batches */
    bool framed;           /* nothing but that calls are refused as if for a record */
    uint32_t shutdown_ms;  /* SHUTDOWN's deadline */
    uint64_t seed;         /* of the machine */
};

/* Draws all of it. */
/* As `less` says, it is made smaller afterwards. */
void plan_draw(struct plan *p, struct dice *dice, const struct lives_less *less);

const char *plan_fault_name(enum fault fault);

#endif
