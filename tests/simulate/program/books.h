#ifndef BOOKS_H
#define BOOKS_H
/*
 * The world's own books of all telemetry of a life: what was logged, what of it was sent to the program, and what
 * has arrived at the other end. Nothing of it is read from the program.
 */
#include "kernel.h"

enum books_where { BOOKS_STREAM, BOOKS_DEAD_LETTER };

/* One line or platform event. */
struct book {
    uint8_t type;     /* enum event_type of protocol/event.h */
    bool wanted;      /* its type is to be forwarded */
    bool given;       /* it was in a POST that was answered 200 */
    bool cut;         /* its end is missing, so it cannot arrive */
    bool alarms;      /* it says that telemetry was lost */
    bool nameless;    /* its text does not contain its number */
    bool letter;      /* another extension's, and looks like a dead letter */
    bool quiet;       /* it may be filtered */
    bool blank;       /* others look the same, so that nobody can tell which of them arrived */
    uint32_t sandbox; /* which run of the program it was given to */
    uint32_t sends;   /* in how many POSTs it was whole, answered or not */
    uint32_t again;   /* of these, those that may not be known to be the same again */
    char request[40]; /* the invocation that logged it; empty: none, or nobody can tell */
    /* when it was produced; first sent whole; when its POST was answered 200 */
    uint64_t made_us, sent_us, given_us;
    uint32_t in_stream, in_dead_letter, truncated;
    uint32_t post,
        place; /* the POST that it was in, and how many before it there were to be forwarded */
    bool posted, loose; /* it was in one; which was not taken at once and whole */
    uint64_t base;      /* its number in the stream, less its place */
    uint32_t origin;    /* the sandbox of that, counted from 1; 0: none came */

    /* what TELEMETRY_RECORD_FORMAT makes of it, as places in its text */
    uint32_t record, record_len;
    uint32_t message, message_len; /* of the record's member of this name; 0: none */
    bool newline;                  /* the record is a text that ends in the escape of one */

    /* private */
    size_t text, len;
    bool refused; /* for its size, and no part of it has come */
};

/* Bound of a life's events. */
#define BOOKS_MAX 40000

void books_begin(void);

/*
 * Enters an event with this text, which is copied; returns its number. Unless it is nameless the text contains
 * the number that books_len was before, as books_id writes it.
 */
uint32_t books_enter(const struct book *book, struct span text);
struct book *books_at(uint32_t number);
uint32_t books_len(void);

/* Its text; valid until the next is entered. */
struct span books_text(uint32_t number);

/* It is in this POST; *place: of those to be forwarded. */
void books_posted(uint32_t number, uint32_t post, uint32_t *place);

/* Their POST was answered 200; it broke off or was refused, and may come again. */
void books_given(const uint32_t *numbers, uint32_t n);
void books_repeated(const uint32_t *numbers, uint32_t n);

/* "#<number>#", in 12 bytes at most: what a text is recognised by, whatever format it is sent in. */
size_t books_id(uint32_t number, char *to);

/*
 * A record has arrived. Looks for the number in it; breaks a law when there is none or it is not that of
 * an event, or when the data is not what TELEMETRY_RECORD_FORMAT makes of the event.
 */
void books_arrived(enum books_where where, struct span data, struct span partition_key);

/* books_unfold.c: a life begins. */
void books_begin_unfold(void);

/* books_unfold.c: the same of a record as it was sent, of one event or several. */
void books_record(enum books_where where, struct span data, struct span partition_key);

/* The stream has refused a record for its size. */
void books_refused(struct span data);

/* Of all texts of the life. */
size_t books_bytes(void);

/* When one has last arrived in the stream. */
uint64_t books_arrived_us(void);

/*
 * At the end of a life: parts of records that were split make up these records; numbers of enriched ones leave out what
 * did not arrive, and nothing else.
 */
void books_check(void);

/* Of the events that were given to this run of the program. */
struct books_sums {
    uint32_t given;     /* wanted, whole, in a POST that was answered 200 */
    uint32_t maybe;     /* wanted, whole, in a POST whose fate is unknown, and in no other */
    uint32_t again;     /* sends of an event that may not be known to be the same again */
    uint32_t blanks;    /* of all these sends; what follows is about the others */
    uint32_t in_stream; /* how many are there */
    uint32_t in_letter; /* how many are in the dead letter and not in the stream */
    uint32_t letters;   /* records in the dead letter */
    uint32_t extra;     /* records in the stream more than events */
    uint32_t cut;       /* events that were cut in two */
    uint32_t missing;   /* given, and nowhere */
    uint32_t quiet;     /* of what may be filtered, as many */
    uint32_t last_missing;
    uint32_t seqs;          /* numbers that came, of enriched records */
    uint32_t seq_most;      /* 1 more than the largest of them */
    uint32_t truncated;     /* records that were cut down */
    uint32_t own;           /* the program's own lines, in a POST that was answered 200 */
    uint32_t letters_extra; /* in the dead letter more than once */
    uint32_t large; /* sends of events so large that the queue may have no room for their parts */
    /* room for the parts of all that were refused and had to be split at the same time, at most */
    uint64_t parts_bytes;
};

struct books_sums books_sum(uint32_t sandbox);

/* Events of this run that were given after this moment, or may not have been. */
uint32_t books_late(uint32_t sandbox, uint64_t from_us);

/* Records that arrived while this run of the program lasted, of events that were given to an earlier one. */
uint32_t books_old(uint32_t sandbox);

/* --- laws_seq.c: the numbers of enriched records --------------------------------------------------------- */

void seq_begin(void);

/* A record of this event has come, to which these members were added. */
void seq_came(uint32_t event, struct span members);

/* Which event has the number of an enriched record, if one has come with it. */
bool seq_find(const struct book *book, struct span data, uint32_t *number);

/* Whether the sandbox that an enriched record names may be that of the run which the event was given to. */
bool seq_may_be(const struct book *book, struct span data);

/* At the end of a life; before that its sums for a run of the program. */
void seq_check(void);
void seq_sum(uint32_t sandbox, struct books_sums *sums);

/* --- between books.c and books_format.c --------------------------------------------------------------- */

/* Whether the data is what the format makes of the event. */
bool books_match(const struct book *book, struct span data);

/* The same for one that was cut down to what the service takes. */
bool books_match_truncated(const struct book *book, struct span data);

/*
 * Takes a JSON string off the front up to its closing quotation mark, its escapes resolved. Returns false if there is
 * no such mark, or an escape that is none.
 */
bool books_unescape(struct span *s, char *to, size_t *len);

/* A part of a record that was split; breaks a law when it is none. */
void books_part(enum books_where where, struct span data);
void books_begin_parts(void);
void books_check_parts(void);

/* What an enriched record says of its origin. Returns whether it is all that src/README.md names. */
struct books_origin {
    struct span sandbox, request; /* request: empty if there is none */
    uint64_t seq;
};
bool books_origin(struct span members, struct books_origin *origin);

#endif
