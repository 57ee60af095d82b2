#ifndef TELEMETRY_LISTENER_H
#define TELEMETRY_LISTENER_H
/*
 * The HTTP server to which Lambda posts telemetry: JSON arrays of events.
 *
 * Whatever runs in the sandbox can reach the port. The subscription names a path that nobody else is
 * told; once it has been used, as the platform does but not every emulator of it, other paths are
 * answered 404.
 *
 * Bodies are streamed: the events are handed out as they arrive, no body is ever held as a whole.
 * When the queue has no room, reading stops until telemetry_listener_resume; the sender then waits.
 *
 * A POST that HTTP can read is answered 200 whatever its body is, since the platform would send the
 * same bytes again for ever. Other answers: 400 for what is not valid HTTP/1.0 or 1.1, its
 * framing included, 404 as above, 405 for another method,
 * 408 for a request that stops in its midst, 431 for a head beyond 8 KiB. A body may have any
 * length.
 *
 * A POST that breaks off is sent again. The events that were taken from it are passed over if all of them
 * come again as they were, on whatever connection and in whatever pieces (protocol/repeats): until that is
 * known the body is kept in one of the large buffers. The ledger counts what was passed over as repeated, and
 * what was taken from a POST that did not come again, or not the same, as possible duplicates. So it does
 * with a POST whose sender had gone when it was answered.
 */
#include "io/loop.h"
#include "io/storage.h"
#include "protocol/http.h"
#include "protocol/ledger.h"
#include "protocol/repeats.h"
#include "protocol/splitter.h"

/*
 * Connections at the same time. The platform uses one or two; the rest is room for whatever else in
 * the sandbox talks to the port. When all are taken, the one that was silent for longest goes.
 */
#define LISTENER_CONNECTIONS 128

/* A slash and random hexadecimal digits. */
#define LISTENER_PATH_LEN 33

/* A head, or an unfinished event, of one connection. */
#define LISTENER_SCRATCH_BYTES 8192

/*
 * The largest event. A record above the API's largest maxBytes (1 MiB) comes cut in two, so an
 * event is at most that and its envelope.
 */
#define LISTENER_EVENT_MAX_BYTES (1048576 + 65536)

/* Unfinished events that are larger than the scratch, at the same time. */
#define LISTENER_LARGE_EVENTS 3

/* What one read takes. */
#define LISTENER_READ_BYTES 65536

struct listener_connection {
    struct loop_watch watch;
    struct telemetry_listener *listener;
    enum { LISTENER_FREE, LISTENER_HEAD, LISTENER_BODY, LISTENER_CLOSING } state;
    bool keep_alive;
    bool comparing; /* the POST may be one that comes again: nothing is handed out yet */
    bool replaying; /* it is none, and what was kept is handed out */
    uint64_t heard_ms;
    struct http_body body;
    struct splitter splitter;
    char *scratch;
    size_t scratch_len; /* of a head */
    int large;          /* index of the large buffer that is in use, or -1 */
    int kept;           /* the same, of the one that keeps the body while it is compared */
    uint32_t against;   /* what it is compared with */
    struct tally *tally;
};

/* The body from a place between two events on, while it is compared. */
struct listener_kept {
    size_t len;
    struct splitter splitter; /* as it was there */
    struct tally tally;
};

struct telemetry_listener {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer sweep; /* closes connections that stopped in the midst of a request */
    uint16_t port;
    char path[LISTENER_PATH_LEN];
    /* One event, and its marks if they are known. Returns 1, or 0 when the ledger does not count it, or
     * ERR_FULL: then the same event is handed over again later. */
    int (*event)(void *context, struct span event, const struct json_marks *marks);
    /* An event that could not be handed over. */
    void (*lost)(void *context, enum ledger_drop reason);
    /* An event is larger than LISTENER_EVENT_MAX_BYTES: whether its beginning is to be handed over
     * as an event of its own. */
    bool (*cut)(void *context);
    /* A POST has been read to its end and answered, or is broken off for good. */
    void (*posted)(void *context);
    /* A POST is damaged, cut, broken off or answered with anything but 200. */
    void (*disturbed)(void *context);
    void *context;
    struct ledger *ledger; /* where repetitions are counted */
    uint64_t heard_ms;     /* when a byte of a POST was last read */

    /* private */
    bool path_used; /* by a POST */
    unsigned thaws; /* of the loop, as far as it is accounted for */
    unsigned open;  /* connections */
    struct repeats repeats;
    struct listener_kept kept[LISTENER_LARGE_EVENTS];
    char *read_buffer;
    struct json_marks marks; /* of the event that is handed over */
    char *large[LISTENER_LARGE_EVENTS];
    bool large_used[LISTENER_LARGE_EVENTS];
    bool broken_off;  /* a POST was, and it has not been told */
    uint64_t told_ms; /* when it was last told that there are too few of these */
    /* where reading stopped: this connection owns the read buffer until it goes on */
    struct listener_connection *stopped;
    struct span stopped_event, stopped_piece, stopped_input;
    struct listener_connection connections[LISTENER_CONNECTIONS];
};

/* Memory that the listener takes from the storage. */
size_t telemetry_listener_bytes(void);

/* Callbacks and context are set by the caller before. Returns 0, or ERR_IO. */
int telemetry_listener_init(struct telemetry_listener *l, struct loop *loop, struct storage *s);

/*
 * Binds the port on all addresses and listens; a port that is taken is replaced by a free one.
 * l->port tells which it is. Returns 0, or ERR_IO.
 */
int telemetry_listener_open(struct telemetry_listener *l, uint16_t port);

/* Room has come: goes on reading. May call the callbacks. */
void telemetry_listener_resume(struct telemetry_listener *l);

/* Reads what has come by now on all connections, for so long at most. */
void telemetry_listener_drain(struct telemetry_listener *l, uint32_t ms);

/* Whether reading has stopped for want of room. */
bool telemetry_listener_stopped(const struct telemetry_listener *l);

/*
 * Nothing comes any more: events that were held until more of their POST came are handed over, and what was not
 * passed over is counted.
 */
void telemetry_listener_end(struct telemetry_listener *l);

#endif
