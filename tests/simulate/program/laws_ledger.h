#ifndef LAWS_LEDGER_H
#define LAWS_LEDGER_H
/*
 * The ledgers that the runs of the program have printed: laws_ledger.c reads them and compares them with the books;
 * laws_copies.c says what a copy of a snapshot has inherited.
 */
#include "lambda.h"

enum ledger_member {
    RECEIVED,
    DELIVERED,
    DEAD_LETTERED,
    DUPLICATES,
    REPEATED,
    TRUNCATED,
    SPLIT,
    OWN_LINES,
    DROPPED,
    OVERSIZE,
    CUT,
    UNREADABLE,
    REFUSED,
    OVERFLOW,
    SHUTDOWN,
    PLATFORM_RECORDS,
    BREAKER_OPENINGS,
    IN_LEVEL, /* of `filtered` */
    IN_PATTERN,
    IN_SAMPLE,
    IN_HELD,
    LEDGER_MEMBERS
};

struct ledger_run {
    bool there;      /* the ledger */
    bool init_there; /* the ledger of init, after which all is counted anew but what is queued */
    uint64_t members[LEDGER_MEMBERS], init[LEDGER_MEMBERS];
    uint64_t told, told_most; /* dropped by the platform, as it told for certain, and at most */
    uint64_t ends_us;         /* the deadline of SHUTDOWN, if there was time enough; 0: not */
    uint64_t handed_us;       /* SHUTDOWN, to the program */
    uint64_t over_us;         /* it has ended */
};

/* What a copy counts besides what it was given. All zero for others. */
struct ledger_inherited {
    uint64_t least, most; /* events of the snapshot */
    uint64_t told_most;   /* dropped by the platform, as the snapshot was told */
    uint32_t blanks;      /* of the snapshot, see books.h */
    uint32_t
        arrived; /* records of the snapshot, from this copy, in the stream and in the dead letter */
};

const struct ledger_run *ledger_of(uint32_t sandbox);

/* The run of which a snapshot was taken; UINT32_MAX if there is none. */
uint32_t ledger_snapshot(void);

/* laws_copies.c */
struct ledger_inherited copies_inherited(uint32_t sandbox);
void copies_check(void);

#endif
