#ifndef QUEUE_H
#define QUEUE_H
/*
 * Records that wait for their acknowledgement, in a ring of fixed size.
 *
 * A record is written once, in its final form, and stays where it is until it is acknowledged or
 * dropped; a batch is a list of places in the ring, so sending and sending again copy nothing.
 * Room comes back from the oldest record on, in order. So that few pages are ever touched, the ring
 * starts over at its beginning whenever it runs empty, and also before its end when what it has used
 * seems to suffice. Should that turn out wrong, the records before the turn move to the end of the
 * ring, so that nothing of the capacity is lost. Records in a batch under way, whose places others
 * know, move only if the owner is told (`moved`).
 *
 * Each record carries data and, where it has one of its own, a partition key. Adding and ending
 * records keep `records`, `events` and `bytes` exact; who ends a record counts why.
 *
 * What is counted are events. A record knows how many it stands for; an event that is in several
 * records, its parts, is counted with the last of them that ends, or with the first that is lost.
 */
#include "protocol/span.h"

/* Source: Kinesis API reference, PutRecords: at most 500 records a request. */
#define QUEUE_BATCH_MAX 500

/* What a record takes of the ring beside its bytes, at most. */
#define QUEUE_RECORD_OVERHEAD 32

/* So much of the ring is used before it starts over early. */
#define QUEUE_QUIET_BYTES 524288

struct queue {
    char *ring;
    uint32_t cap;
    uint32_t head;    /* place of the oldest slot */
    uint32_t tail;    /* where the next slot goes */
    uint32_t end;     /* where the reader turns back to the beginning; cap when nothing wrapped */
    uint32_t touched; /* how far the ring was used since it last was empty */
    uint32_t quiet;   /* QUEUE_QUIET_BYTES; a test may want less */
    bool early;       /* it has turned back where there was room for more */
    bool pinned;      /* nothing moves now: set by whoever holds a place across queue_room */
    /* The places of records from `from` on are greater by so much now; NULL: see above. */
    void (*moved)(void *context, uint32_t from, uint32_t by);
    void *context;
    uint32_t slots;      /* slots between head and tail, ended ones included */
    uint32_t records;    /* records neither acknowledged nor dropped */
    uint64_t events;     /* that these stand for */
    uint32_t fresh;      /* of these, those in no batch yet */
    uint32_t failed;     /* those that are to be sent again */
    uint32_t aside;      /* those that are to be sent alone */
    uint32_t dead;       /* those that are for the dead letter */
    uint32_t in_doubt;   /* those that may be there */
    uint32_t fresh_at;   /* place of the oldest slot that may hold a fresh record */
    uint32_t fresh_skip; /* slots between head and fresh_at */
    uint64_t bytes;      /* data and partition keys of `records` */
    uint64_t fresh_bytes;
};

enum queue_state {
    QUEUE_FRESH,    /* in no batch yet */
    QUEUE_SENT,     /* in a batch whose result is not known */
    QUEUE_FAILED,   /* was in a batch and is to be sent again */
    QUEUE_ASIDE,    /* seems to be what its batch was refused for: to be sent again alone */
    QUEUE_DEAD,     /* not for the stream any more */
    QUEUE_IN_DOUBT, /* went where the dead ones go; nobody knows whether it has arrived */
    QUEUE_ENDED     /* acknowledged or dropped: its room comes back when it is the oldest */
};

/* What a record stands for. */
struct queue_origin {
    uint64_t sequence; /* of its event */
    uint16_t events;   /* that are counted with this record */
    uint16_t part;     /* which part of its event it is, from 1 on; 0: it is no part */
};

struct queue_record {
    struct span data;
    struct span partition_key; /* empty when the record has none of its own */
    struct queue_origin origin;
    unsigned attempts; /* batches that it was in */
    unsigned refusals; /* replies that refused it while they may have accepted others */
    enum queue_state state;
};

struct queue_batch {
    uint32_t len;
    uint32_t *places; /* the caller's; as many as the limits let records be taken */
};

/* How much a batch takes. */
struct queue_limits {
    uint32_t records;
    uint64_t bytes; /* sum of what size gives; one record is taken whatever its size */
    size_t (*size)(void *context, const struct queue_record *record);
    void *context;
};

/*
 * Sets all of the struct; quiet, moved and context are the owner's to change after it.
 *
 * ring  memory for the records, aligned to 8; it belongs to the queue from now on.
 * cap   its size, a multiple of 8 below 2 GiB.
 */
void queue_open(struct queue *q, char *ring, uint32_t cap);

/*
 * Room for one record of at most len bytes, partition key included. Returns where to write, first
 * the key and then the data, or NULL: now when queue_fits is true, for good otherwise.
 * The room is taken by queue_add; until then another call of queue_room forgets it.
 */
char *queue_room(struct queue *q, size_t len);

/*
 * Room for the next of several records that share what queue_room gave: it was asked for the bytes of
 * all of them together, QUEUE_RECORD_OVERHEAD more for each, the first was added there, and none was
 * asked for since. Another queue_room might turn to where there is room for this one, and not for the
 * rest.
 */
char *queue_room_behind(const struct queue *q);

/* Whether a record of len bytes fits into the empty queue. */
bool queue_fits(const struct queue *q, size_t len);

/*
 * Adds the record that was written at the place that queue_room gave; key_len is at most 255. Of the
 * parts of one event one has its count, the others 0.
 * Returns its place.
 */
uint32_t queue_add(struct queue *q, char *room, size_t key_len, size_t data_len,
                   struct queue_origin origin);

/*
 * Collects the next batch and marks its records as sent: failed records first when with_failed,
 * oldest first, then fresh ones.
 */
void queue_take(struct queue *q, const struct queue_limits *limits, bool with_failed,
                struct queue_batch *batch);

/* Collects the oldest records of one state but fresh and failed, and marks them as sent. */
void queue_take_only(struct queue *q, const struct queue_limits *limits, enum queue_state state,
                     struct queue_batch *batch);

/* For `moved`: brings a batch up to date. Places that are none, UINT32_MAX, stay as they are. */
void queue_batch_moved(struct queue_batch *batch, uint32_t from, uint32_t by);

/* The partition key that a record is sent with: its own, or the one that is common to the rest. */
struct span queue_key(const struct queue_record *record, struct span common_key);

/*
 * A view of the record at a place; its spans, and the place itself, are valid until the record has
 * ended, and outside of a batch under way only until queue_room.
 */
struct queue_record queue_at(const struct queue *q, uint32_t place);

/* Of the same view the two spans alone. */
void queue_payload(const struct queue *q, uint32_t place, struct span *key, struct span *data);

/*
 * The record at this place has come where it was to go. Returns how many events have with it: none
 * while another part of its event is in the queue.
 */
uint32_t queue_end(struct queue *q, uint32_t place);

/*
 * The record at this place is dropped. Returns how many events are lost with it: none where its event
 * was lost with another part. What is left of its event is not counted any more.
 */
uint32_t queue_lose(struct queue *q, uint32_t place);

/* The record at this place was sent and has to be sent again. */
void queue_again(struct queue *q, uint32_t place);

/* The same, and it was this record that was refused. */
void queue_refused(struct queue *q, uint32_t place);

/* The record at this place, in whichever state, goes over to QUEUE_ASIDE, QUEUE_DEAD or
 * QUEUE_IN_DOUBT. */
void queue_mark(struct queue *q, uint32_t place, enum queue_state state);

/* Other data for the record at this place, at most as long as what it has. */
void queue_rewrite(struct queue *q, uint32_t place, struct span data);

/* All records that are QUEUE_ASIDE are to be sent again like others. */
void queue_rejoin(struct queue *q);

/* All records that are in no batch under way are for the dead letter, or may be there. */
void queue_mark_all_dead(struct queue *q);

/*
 * The oldest record goes behind the youngest, so that the room of ended records behind it comes
 * back: where one record stays for long, it would end up as the only one that the ring has room
 * for. Its place changes.
 *
 * scratch  memory for the record, of cap bytes.
 *
 * Returns false when that is not worth its cost, a quarter of the ring at least, or cannot be: the
 * record is in a batch under way or in none yet, or larger than cap.
 */
bool queue_roll(struct queue *q, char *scratch, size_t cap);

/*
 * All that the ring does not need for records becomes one room, at the price of moving them all;
 * places change. Nothing happens while a record is in a batch.
 */
void queue_compact(struct queue *q);

/* Records that wait, those in no batch under way. */
uint32_t queue_waiting(const struct queue *q);

/* Place of the oldest record that has not ended; false when there is none. */
bool queue_oldest(const struct queue *q, uint32_t *place);

#endif
