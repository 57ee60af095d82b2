#ifndef QUEUE_H
#define QUEUE_H
/*
 * Records that wait for their acknowledgement, in a ring of fixed size, and the batches that some of
 * them are in.
 *
 * A record is written once, in its final form, and stays where it is until it is acknowledged or
 * dropped; a batch is a list of records, so sending and sending again copy nothing. Nobody outside
 * knows where in the ring a record lies: it is named by its batch and its index in that, or it is the
 * oldest of all. Room comes back from the oldest record on, in order. So that few pages are ever
 * touched, the ring starts over at its beginning whenever it runs empty, and also before its end when
 * what it has used seems to suffice. Should that turn out wrong, the records before the turn move to
 * the end of the ring, so that nothing of the capacity is lost.
 *
 * Each record carries data and, where it has one of its own, a partition key; the others are sent with
 * common_key. Adding and ending records keep `records`, `events` and `bytes` exact; who ends a record
 * counts why.
 *
 * What is counted are events. A record knows how many it stands for; an event that is in several
 * records, its parts, is counted with the last of them that ends, or with the first that is lost.
 */
#include "protocol/limits.h"
#include "protocol/span.h"

/* What a record takes of the ring beside its bytes, at most. */
#define QUEUE_RECORD_OVERHEAD 32

/* So much of the ring is used before it starts over early. */
#define QUEUE_QUIET_BYTES 524288

enum queue_state {
    QUEUE_FRESH,    /* in no batch yet */
    QUEUE_SENT,     /* in a batch whose result is not known */
    QUEUE_FAILED,   /* was in a batch and is to be sent again */
    QUEUE_SUSPECT,  /* one of those that a whole batch was refused for */
    QUEUE_ASIDE,    /* seems to be what its batch was refused for: to be sent again alone */
    QUEUE_DEAD,     /* not for the stream any more */
    QUEUE_IN_DOUBT, /* went where the dead ones go; nobody knows whether it has arrived */
    QUEUE_ENDED,    /* acknowledged or dropped: its room comes back when it is the oldest */
    QUEUE_STATES
};

/* The batches that may be under way at the same time. */
enum queue_batch { QUEUE_STREAM, QUEUE_DEAD_LETTER };

struct queue_list {
    uint32_t *offsets;
    uint32_t cap, len;
    uint32_t events; /* of queue_batch_events */
};

struct queue {
    struct span common_key; /* partition key of records that have none of their own */
    uint32_t slots;         /* slots between head and tail, ended ones included */
    uint32_t records;       /* records neither acknowledged nor dropped */
    uint64_t events;        /* that these stand for */
    uint64_t bytes;         /* data and own partition keys of `records` */
    uint64_t fresh_bytes;
    uint32_t count[QUEUE_STATES]; /* slots in each state */

    /* private */
    struct queue_ring {
        char *bytes;
        uint32_t cap;
        uint32_t head; /* offset of the oldest slot */
        uint32_t tail; /* where the next slot goes */
        uint32_t end;  /* where the reader turns back to the beginning; cap when nothing wrapped */
        uint32_t newest;  /* offset of the slot that was added last */
        uint32_t touched; /* how far the ring was used since it last was empty */
        uint32_t quiet;   /* QUEUE_QUIET_BYTES; a test may want less */
        bool early;       /* it has turned back where there was room for more */
    } ring;
    uint32_t fresh_at;   /* offset of the oldest slot that may hold a fresh record */
    uint32_t fresh_skip; /* slots between head and fresh_at */
    struct queue_list batches[2];
};

/* What a record stands for. */
struct queue_origin {
    uint64_t sequence; /* of its event */
    uint16_t events;   /* that are counted with this record */
    uint16_t part;     /* which part of its event it is, from 1 on; 0: it is no part */
};

struct queue_record {
    struct span data;
    struct span partition_key; /* its own, or the one that is common to the rest */
    bool own_key;
    struct queue_origin origin;
    unsigned attempts; /* batches that it was in */
    unsigned refusals; /* replies that refused it while they may have accepted others */
    enum queue_state state;
};

/* Which records a batch is made of, each kind oldest first. */
enum queue_take_what {
    QUEUE_TAKE_FRESH,    /* fresh ones */
    QUEUE_TAKE_FAILED,   /* failed ones, then fresh ones */
    QUEUE_TAKE_SUSPECTS, /* QUEUE_SUSPECT */
    QUEUE_TAKE_ASIDE,    /* QUEUE_ASIDE */
    QUEUE_TAKE_DEAD,     /* QUEUE_DEAD */
    QUEUE_TAKE_IN_DOUBT  /* QUEUE_IN_DOUBT */
};

/* How much a batch takes. */
struct queue_limits {
    uint32_t records;
    uint64_t bytes; /* sum of what size gives; one record is taken whatever its size */
    size_t (*size)(void *context, const struct queue_record *record);
    void *context;
};

/*
 * Sets all of the struct; common_key is the owner's to set after it.
 *
 * ring  memory for the records, aligned to 8; it belongs to the queue from now on.
 * cap   its size, a multiple of 8 below 2 GiB.
 */
void queue_open(struct queue *q, char *ring, uint32_t cap);

/* Memory for as many records as a batch may have; before the first one is taken. */
void queue_batch_open(struct queue *q, enum queue_batch batch, uint32_t *offsets, uint32_t cap);

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
 */
void queue_add(struct queue *q, char *room, size_t key_len, size_t data_len,
               struct queue_origin origin);

/* The record that was added last, and has not been taken since, is for the dead letter. */
void queue_bury_newest(struct queue *q);

/* The oldest record; its spans are valid until queue_room. False when there is none. */
bool queue_oldest(const struct queue *q, struct queue_record *record);

/* It is dropped, as by queue_lose; only when it is in no batch. */
uint32_t queue_lose_oldest(struct queue *q);

/* The same as queue_batch_events, of all records. */
uint64_t queue_all_events(const struct queue *q);

/* Records that are in no batch. */
uint32_t queue_waiting(const struct queue *q);

/* All records that are suspects, or one of these and those aside, are to be sent again like others. */
void queue_clear_suspects(struct queue *q);
void queue_rejoin(struct queue *q);

/* All records that are in no batch are for the dead letter, or may be there. */
void queue_mark_all_dead(struct queue *q);

/*
 * The oldest record goes behind the youngest, so that the room of ended records behind it comes
 * back: where one record stays for long, it would end up as the only one that the ring has room
 * for.
 *
 * scratch  memory for the record, of cap bytes.
 *
 * Returns false when that is not worth its cost, a quarter of the ring at least, or cannot be: the
 * record is in a batch or was in none yet, or is larger than cap.
 */
bool queue_roll(struct queue *q, char *scratch, size_t cap);

/*
 * All that the ring does not need for records becomes one room, at the price of moving them all.
 * Nothing happens while a record is in a batch.
 */
void queue_compact(struct queue *q);

/* --- batches (queue_batch.c) --- */

/*
 * Collects the next batch and marks its records as sent. Returns how many it has. A batch has to be
 * dealt with whole, all its records out of it, before it is taken again.
 */
uint32_t queue_take(struct queue *q, enum queue_batch batch, const struct queue_limits *limits,
                    enum queue_take_what what);

/* How many records it had when it was taken: those have the indexes below. */
uint32_t queue_batch_len(const struct queue *q, enum queue_batch batch);

/* How many events, at most, are there twice when it is sent twice: a part of an event is as one. */
uint32_t queue_batch_events(const struct queue *q, enum queue_batch batch);

/* Whether the record with this index is in the batch, and has not been dealt with. */
bool queue_in_batch(const struct queue *q, enum queue_batch batch, uint32_t index);

/* A view of it; its spans are valid until it is out of the batch, or queue_room is called. */
struct queue_record queue_at(const struct queue *q, enum queue_batch batch, uint32_t index);

/* Of the same view the two spans alone. */
void queue_payload(const struct queue *q, enum queue_batch batch, uint32_t index,
                   struct span *partition_key, struct span *data);

/*
 * The record has come where it was to go, and leaves the queue. Returns how many events have with it:
 * none while another part of its event is in the queue.
 */
uint32_t queue_end(struct queue *q, enum queue_batch batch, uint32_t index);

/*
 * The record is dropped. Returns how many events are lost with it: none where its event was lost with
 * another part. What is left of its event is not counted any more.
 */
uint32_t queue_lose(struct queue *q, enum queue_batch batch, uint32_t index);

/* The record leaves the batch for this state, any but QUEUE_FRESH, QUEUE_SENT and QUEUE_ENDED. */
void queue_mark(struct queue *q, enum queue_batch batch, uint32_t index, enum queue_state state);

/* The same, and it was this record that was refused. */
void queue_refused(struct queue *q, enum queue_batch batch, uint32_t index, enum queue_state state);

/* All records that have not been dealt with leave the batch for this state. */
void queue_return(struct queue *q, enum queue_batch batch, enum queue_state state);

/* Other data for the record, at most as long as what it has. */
void queue_rewrite(struct queue *q, enum queue_batch batch, uint32_t index, struct span data);

/* In builds that check them, what stands above; else nothing. */
void queue_check(const struct queue *q);

#endif
