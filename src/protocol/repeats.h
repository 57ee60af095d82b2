#ifndef REPEATS_H
#define REPEATS_H
/*
 * Whether a POST begins with the events that were taken from an earlier one that broke off, so that they
 * may be passed over. Nothing but hashes of the events' bytes is kept.
 *
 * Of each POST that is read a tally is kept. When it breaks off, or its answer may not have been heard,
 * repeats_keep remembers the tally; the POST that comes again is compared with it, event by event. So that
 * little has to be held back while the answer is open, a tally has marks on its way: up to a mark the
 * beginning is the same for certain.
 */
#include "protocol/span.h"

/* POSTs that are remembered; the platform has one or two on their way. */
#define REPEATS_MAX 8

/* Bytes of events between two marks, and how many there are at most. */
#define REPEATS_MARK_BYTES 262144
#define REPEATS_MARKS 32

/* The events that a POST began with. All zeros before the first. */
struct tally {
    uint64_t hash, first; /* of all, and of the first alone */
    uint64_t bytes;
    uint32_t items;
    uint32_t counted; /* of these the ones that the ledger knows */
    uint32_t marks;
    struct {
        uint64_t hash;
        uint32_t counted;
    } mark[REPEATS_MARKS];
};

struct repeats {
    uint64_t seed; /* any number; else nothing needs to be set */
    uint32_t len;
    uint32_t ids;
    struct {
        uint32_t id;
        uint32_t
            passed; /* of the events that the ledger knows: passed over already, up to a mark */
        struct tally tally;
    } kept[REPEATS_MAX]; /* the oldest first */
};

/* Adds an event, or an empty span for what was lost in its place. */
void repeats_add(const struct repeats *r, struct tally *t, struct span item, bool counted);

/* What a tally's `first` is after this event. */
uint64_t repeats_first(const struct repeats *r, struct span item);

/*
 * A POST with this tally broke off. Returns how many events of an older one may now be in the stream twice,
 * since it is forgotten for want of room.
 */
uint32_t repeats_keep(struct repeats *r, const struct tally *t);

/* All are forgotten. Returns how many of their events may be in the stream twice. */
uint64_t repeats_end(struct repeats *r);

enum repeats_is {
    REPEATS_MAYBE,
    REPEATS_MARK, /* all up to here is the same; what follows is open */
    REPEATS_ALL, /* these were all: now it is forgotten, and the tally is that of the POST that broke off */
    REPEATS_NOT /* what came behind the last mark is to be taken */
};

/*
 * Adds an event of a POST that may be one that comes again. id: which it is compared with, 0 at first.
 * *counted receives, unless the answer is REPEATS_MAYBE, how many events the ledger knew up to here, or up
 * to the last mark; for these nothing else is to be counted any more.
 */
enum repeats_is repeats_compare(struct repeats *r, struct tally *t, struct span item, uint32_t *id,
                                uint32_t *counted);

/* The comparison is over without an answer: REPEATS_NOT. Returns *counted. */
uint32_t repeats_stop(struct repeats *r, const struct tally *t, uint32_t id);

#endif
