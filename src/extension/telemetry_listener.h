#ifndef TELEMETRY_LISTENER_H
#define TELEMETRY_LISTENER_H
/*
 * The HTTP server to which Lambda posts telemetry: JSON arrays of events.
 *
 * Whatever runs in the sandbox can reach the port. The subscription names a path that only the platform
 * knows; once it has been used (the platform does, but not every emulator of it), other paths are answered
 * 404.
 *
 * Bodies are streamed: events are handed out as they arrive, and no body is ever held as a whole.
 * When the queue has no room, reading stops until telemetry_listener_resume; the sender then waits.
 *
 * A POST that HTTP can read is answered 200 whatever its body is, since the platform would send the
 * same bytes again for ever. Other answers: 404 as above, and those of io/http_server.h.
 *
 * A POST that breaks off is sent again. The events that were taken from it are passed over if all of them
 * come again unchanged, on whatever connection and in whatever pieces (protocol/repeats); until that is
 * known the body is kept in one of the large buffers. The ledger counts what was passed over as repeated, and
 * what was taken from a POST that did not come again, or came again changed, as possible duplicates. A POST
 * whose sender had gone when it was answered is treated in the same way.
 */
#include "extension/telemetry_post.h"

/* A slash and random hexadecimal digits. */
#define LISTENER_PATH_LEN 33

struct telemetry_listener {
    struct telemetry_posts posts; /* its callbacks, to be set by the caller */
    struct http_server server;
    char path[LISTENER_PATH_LEN];

    /* private */
    struct http_exchange_owner owner;
    bool path_used;                 /* by a POST */
    struct loop_timer report_break; /* a POST broke off: calls `posted`, from the loop */
};

/* Memory that the listener takes from the storage. */
size_t telemetry_listener_bytes(void);

/* The caller has set its members of posts. Returns 0, or ERR_IO. */
int telemetry_listener_init(struct telemetry_listener *l, struct loop *loop, struct storage *s);

/*
 * Binds the port on all addresses and listens; if the port is taken, on a free one. l->server.port is the
 * actual port. Returns 0, or ERR_IO.
 */
int telemetry_listener_open(struct telemetry_listener *l, uint16_t port);

/* There is room again: continues reading. May call the callbacks. */
void telemetry_listener_resume(struct telemetry_listener *l);

/* Reads what has arrived on all connections, for at most ms milliseconds. */
void telemetry_listener_drain(struct telemetry_listener *l, uint32_t ms);

/* Whether reading has stopped for want of room. */
bool telemetry_listener_stopped(const struct telemetry_listener *l);

/*
 * No more telemetry comes: hands over events that were held until more of their POST came, and counts the events
 * of POSTs that did not come again.
 */
void telemetry_listener_end(struct telemetry_listener *l);

#endif
