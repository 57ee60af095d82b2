#ifndef LAWS_H
#define LAWS_H
/*
 * What holds in every life, whatever happens. The life reports; the first law that is broken ends it.
 * Why each of them is one stands in laws.c.
 */
#include "life.h"

/* A law is broken; the text tells which and by what. */
void laws_break(struct life *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

void laws_begin(struct life *w);

/* Something was reported to the machine but that time has passed. */
void laws_news(struct life *w);

/* It gave so many orders and waits now. */
void laws_waits(struct life *w, unsigned orders);

/* The bytes of a record are those of the event that it is counted for, whose number stands in it. */
void laws_intact(struct life *w, uint32_t event, uint32_t number, struct span data, char letter);

/* So many events were found in so many bytes of a record. */
void laws_counted(struct life *w, const struct queue_record *record, size_t len, uint32_t found);

/* The call to the stream: it is made, its end is going to be reported, was reported. */
void laws_sent(struct life *w, const struct delivery_order *order);
void laws_replies(struct life *w);
void laws_replied(struct life *w, enum delivery_worth told);

/* The end of a fetch of credentials was reported; if it failed, so has what they were wanted for. */
void laws_fetched(struct life *w, bool failed);

/* The call to the stream is given up, or none is to be made any more. */
void laws_given_up(struct life *w);

/* A record was refused by itself; a call of it alone was. */
void laws_refused(struct life *w, uint32_t event);
void laws_refused_alone(struct life *w, uint32_t event);

/* Lines for the log; credentials are to be fetched anew. */
void laws_noted(struct life *w, const struct delivery_order *order);
void laws_refreshed(struct life *w);

/*
 * Whether keys go along, as the order has it, and of which record it is what: the same each time. What a reply says of
 * them, before its end is reported. Whether a refusal of that class is one that records may be blamed for.
 */
void laws_keys_sent(struct life *w, const struct delivery_order *order);
void laws_key(struct life *w, struct known known, struct span key);
void laws_keys_replied(struct life *w);
bool laws_blames(const struct life *w, enum retry_class class);

/* What there is now goes without waiting for more; an event is going to be offered. */
void laws_flushed(struct life *w);
void laws_fresh(struct life *w);
void laws_came(struct life *w);

/* The call to the dead letter is made, ended; one of the records that it wrote. */
void laws_buries(struct life *w, const struct delivery_order *order);
void laws_bury_ended(struct life *w);
void laws_buried(struct life *w, struct known known);

/* An event is going to be offered; was taken; found no room. How long there may be none. */
void laws_offers(struct life *w);
void laws_offered(struct life *w);
void laws_full(struct life *w);
void laws_patience(struct life *w, uint32_t ms);

/* From here on more is logged than the shards take. */
void laws_burst(struct life *w);

/* A copy is going to be made of the machine; it has learnt that it is one. */
void laws_snapshot(struct life *w);
void laws_restored(struct life *w);

/* An invocation is held at least until then; is held no more. */
void laws_held(struct life *w, uint64_t until_ms);
void laws_released(struct life *w);

/* --- between laws.c, laws_batch.c, laws_calls.c and laws_end.c --- */

#define LAWS_QUOTA 500 /* retry.h */

void laws_calls_begin(struct life *w); /* nothing is known of the stream */
void laws_batch(struct life *w);

void laws_breaker(struct life *w);
void laws_ledger(struct life *w);
void laws_burst_goes_on(struct life *w);
void laws_burst_is_buried(struct life *w);
bool laws_guilty(const struct life *w, uint32_t event);
void laws_calls_wait(struct life *w);
void laws_room_came(struct life *w);

/* After each thing that happens. */
void laws_step(struct life *w);

/* No fault strikes any more. Returns whether all is delivered. */
bool laws_calm(struct life *w);

/* SHUTDOWN; what is left is going to be given up; the life is over. */
void laws_shut_down(struct life *w);
void laws_ends(struct life *w);
void laws_end(struct life *w);

#endif
