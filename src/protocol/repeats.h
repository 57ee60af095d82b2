#ifndef REPEATS_H
#define REPEATS_H
/*
 * Whether a POST begins with the events that were taken from an earlier one that broke off, so that they
 * can be passed over. Only hashes of the events' bytes are kept.
 *
 * A tally is kept of each POST that is read. If the POST breaks off, or its answer may not have been heard,
 * repeats_keep remembers the tally, and a POST that may be the same one again is compared with it, event by
 * event. A tally has marks along the way: once a mark is reached everything before it is known to be the
 * same, so that only what follows it has to be held back.
 */
#include "protocol/span.h"

/* POSTs that are remembered; the platform has one or two in flight. */
#define REPEATS_MAX 8

/* Bytes of events between two marks, and how many there are at most. */
#define REPEATS_MARK_BYTES 262144
#define REPEATS_MARKS 32

/* The events that a POST began with. All zeros before the first. */
struct tally {
    uint64_t hash, first; /* of all, and of the first alone */
    uint64_t bytes;
    uint32_t items;
    uint32_t counted; /* how many of them the ledger counts */
    uint32_t marks;
    struct {
        uint64_t hash;
        uint32_t counted;
    } mark[REPEATS_MARKS];
};

struct repeats {
    uint64_t seed; /* any number; the caller sets nothing else */
    uint32_t len;
    uint32_t ids;
    struct {
        uint32_t id;
        uint32_t passed; /* events that the ledger counts, passed over already, up to a mark */
        struct tally tally;
    } kept[REPEATS_MAX]; /* the oldest first */
};

/* Adds an event, or an empty span for what was lost in its place. */
void repeats_add(const struct repeats *r, struct tally *t, struct span item, bool counted);

/* What a tally's `first` is after this event. */
uint64_t repeats_first(const struct repeats *r, struct span item);

/*
 * A POST with this tally broke off. Returns how many events may be in the stream twice because an older POST
 * had to be forgotten to make room.
 */
uint32_t repeats_keep(struct repeats *r, const struct tally *t);

/* All are forgotten. Returns how many of their events may be in the stream twice. */
uint64_t repeats_end(struct repeats *r);

enum repeats_is {
    REPEATS_MAYBE,
    REPEATS_MARK, /* all up to here is the same; what follows is open */
    REPEATS_ALL, /* this was the last of them: the older POST is forgotten, and its tally is now in *t */
    REPEATS_NOT /* what came after the last mark is to be taken */
};

/*
 * Adds an event of a POST that may have come before. id: the POST that it is compared with, 0 at first.
 * Unless the result is REPEATS_MAYBE, *counted receives how many of the events up to here, or up to the last
 * mark, the ledger has counted already; these must not be counted again.
 */
enum repeats_is repeats_compare(struct repeats *r, struct tally *t, struct span item, uint32_t *id,
                                uint32_t *counted);

/* The comparison ends without a result, which is to be taken as REPEATS_NOT. Returns *counted. */
uint32_t repeats_stop(struct repeats *r, const struct tally *t, uint32_t id);

#endif
