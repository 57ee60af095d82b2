#ifndef TELEMETRY_POST_H
#define TELEMETRY_POST_H
/*
 * The body of a POST as events: JSON arrays are split as they arrive, and each event is handed out.
 *
 * An event that is larger than the buffer of its connection is collected in one of a few large ones. If none is
 * left, the connection of a POST whose sender seems dead is closed to free one, or else this connection is. If a
 * sender may not have heard its answer, the contents of its POST are remembered, so that they are recognised
 * when it comes again; see telemetry_comparison.h.
 */
#include "io/http_server.h"
#include "protocol/ledger.h"
#include "protocol/limits.h"
#include "protocol/repeats.h"
#include "protocol/splitter.h"

/*
 * The largest event. The Telemetry API cuts a record above its largest maxBytes (1 MiB) in two, so an
 * event is at most that long, plus its envelope.
 */
#define LISTENER_EVENT_MAX_BYTES EVENT_MAX_BYTES

/* Unfinished events that are larger than the connection's buffer, at the same time. */
#define LISTENER_LARGE_EVENTS 3

struct telemetry_posts;

/* What is being read on one connection. */
struct telemetry_post {
    struct telemetry_posts *all;
    struct http_server_connection *connection;
    struct splitter splitter;
    struct tally *tally;
    bool reading;     /* it has begun, and neither ended nor been lost */
    bool comparing;   /* it may have come before: nothing is handed out yet */
    bool replaying;   /* it has not come before, and what was kept is being handed out */
    int large;        /* index of the large buffer that holds an event, or -1 */
    int kept;         /* index of the one that keeps the body while it is compared, or -1 */
    uint32_t against; /* id of the POST that it is compared with */
};

/* The part of a body that is kept while it is compared; it begins between two events. */
struct telemetry_kept {
    size_t len;
    struct splitter splitter; /* as of that point */
    struct tally tally;
};

struct telemetry_posts {
    /* One event, and its marks if they are known. Returns 1; 0 if the ledger does not count it; ERR_FULL:
     * the same event is then handed over again later. */
    int (*event)(void *context, struct span event, const struct json_marks *marks);
    /* An event that could not be handed over. */
    void (*lost)(void *context, enum ledger_drop reason);
    /* An event is larger than LISTENER_EVENT_MAX_BYTES. Returns whether its beginning is to be handed over
     * as an event. */
    bool (*cut)(void *context);
    /* A POST has been read to its end and answered, or is broken off for good. */
    void (*posted)(void *context);
    /* A POST is damaged, cut, broken off or answered with anything but 200. */
    void (*disturbed)(void *context);
    void *context;
    struct ledger *ledger; /* where repetitions are counted */

    /* private */
    struct http_server *server;
    struct repeats repeats;
    struct json_marks marks; /* of the event that is handed over */
    char *large[LISTENER_LARGE_EVENTS];
    bool large_used[LISTENER_LARGE_EVENTS];
    struct telemetry_kept kept[LISTENER_LARGE_EVENTS];
    uint64_t told_ms; /* when it was last logged that there are too few of these */
    /* the event that had no room, and what follows it in the piece that was read */
    struct span stopped_event, stopped_rest;
    struct tally *tallies; /* one for each of these */
    struct telemetry_post posts[HTTP_SERVER_CONNECTIONS];
};

/* Memory that is taken from the storage. */
size_t telemetry_posts_bytes(void);

/* The caller has set callbacks and context, and initialised the server. Returns 0, or ERR_IO. */
int telemetry_posts_init(struct telemetry_posts *all, struct http_server *server,
                         struct storage *s);

/* A body begins on the connection with this index. comparing: it may have come before. */
void telemetry_post_begin(struct telemetry_posts *all, unsigned which, bool comparing);

/*
 * Hands out the events in a piece of the body.
 *
 * Returns 0; ERR_FULL when there is no room for one: it and the rest of the piece are kept for
 * telemetry_post_hand_over_again; ERR_IO when the connection had to be closed: without an answer its sender
 * sends again.
 */
int telemetry_post_split(struct telemetry_post *p, struct span piece);

/* One event that the splitter has just found, and what follows in the piece. Returns 0 or ERR_FULL, as above. */
int telemetry_post_hand_over(struct telemetry_post *p, struct span event, struct span rest);

/* The event for which there was no room. Returns 0, and then all->stopped_rest is to be split; or ERR_FULL. */
int telemetry_post_hand_over_again(struct telemetry_post *p);

/* Counts a damaged event as lost. */
void telemetry_post_damage(struct telemetry_post *p);

/* The body has ended, and all its events are handed out. */
void telemetry_post_end(struct telemetry_post *p);

/* It has been answered. heard: the sender was there. */
void telemetry_post_answered(struct telemetry_post *p, bool heard);

/* The body will not end. */
void telemetry_post_lost(struct telemetry_post *p);

/* The index of a large buffer; -1 when none is free. */
int telemetry_posts_take_buffer(struct telemetry_posts *all);

/* A large buffer for the splitter's carry. Returns false when none is free. */
bool telemetry_post_take_large(struct telemetry_post *p);

/* The body is not compared any more, and what was kept of it is not needed. */
void telemetry_post_free_kept(struct telemetry_post *p);

#endif
