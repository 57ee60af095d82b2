#ifndef RESOLVER_H
#define RESOLVER_H
/*
 * Addresses of a host name, found without blocking the loop.
 *
 * Names in /etc/hosts, "localhost" and address literals are resolved at once. For any other name all
 * name servers of /etc/resolv.conf are asked at the same time for both kinds of addresses, and the
 * first one that knows is believed; over UDP, and over TCP when a reply is too long for that. Both files
 * are read again for each look-up, and sockets are open only during one: at most one for each server,
 * and one for TCP.
 *
 * It differs from the system's own resolver because callers have little time:
 *   - a lost packet is repeated after 200 ms, then at intervals that double up to those of the file;
 *   - the look-up ends as soon as all servers have failed, refused or are unreachable;
 *   - once there is an address of one kind that the system has a route to, the other kind is awaited
 *     for at most 100 ms more;
 *   - after a freeze the look-up starts again: what was asked before may never be answered.
 *
 * One name is looked up at a time.
 */
#include "io/loop.h"
#include "io/route.h"
#include "protocol/dns.h"
#include "protocol/resolv_conf.h"

/* Bytes of a reply over TCP that are read; they contain addresses enough. */
#define RESOLVER_STREAM_MAX 1024

/* Why there is no address. After the first three another name may be tried; the last one wins. */
enum resolver_trouble {
    RESOLVER_BAD_NAME,
    RESOLVER_NO_NAME,
    RESOLVER_NO_ADDRESS,
    RESOLVER_UNREACHABLE,
    RESOLVER_FAILED,
    RESOLVER_SILENT
};

struct resolver {
    /* /etc/hosts, /etc/resolv.conf and 53, which tests may change between look-ups */
    const char *hosts_path, *conf_path;
    uint16_t server_port;

    char host[254];
    uint16_t port;
    unsigned len; /* the first to be tried comes first */
    struct system_address addresses[ROUTE_ADDRESSES_MAX];

    /* private */
    struct loop *loop;
    void (*done)(void *context);
    void *context;
    struct loop_timer timer;
    unsigned thaws;
    uint32_t wait_ms, wait_max_ms, left_ms; /* until asked again; its maximum; until given up */
    unsigned try;                           /* see resolv_conf_name */
    bool more;                              /* there are other names to try */
    enum resolver_trouble trouble;
    char name[256];
    size_t name_len;
    struct resolver_question {
        uint16_t id;
        bool answered;
        enum resolver_trouble trouble;
        unsigned failed, repeated; /* a bit for each server */
    } questions[2];
    struct addresses found;
    unsigned servers_len;
    struct resolver_server {
        struct resolver *resolver;
        struct loop_watch watch;
        struct system_address address;
    } servers[RESOLV_CONF_SERVERS_MAX];
    struct resolver_stream {
        struct loop_watch watch;
        struct resolver_server *server;
        bool sent, useful;
        size_t len;
        char in[RESOLVER_STREAM_MAX];
    } stream;
};

/*
 * Once, at start-up. done is called when a look-up has ended, with resolver->len addresses found.
 */
void resolver_open(struct resolver *r, struct loop *loop, void (*done)(void *context),
                   void *context);

/*
 * Looks up a host.
 *
 * Returns 0 when the look-up has ended at once, with its results as in done, which is not called;
 * ERR_MORE when done will be called.
 */
int resolver_start(struct resolver *r, struct span host, uint16_t port);

/* Ends the current look-up; done will not be called. */
void resolver_cancel(struct resolver *r);

/* Why no address was found, for a log line. */
const char *resolver_error(const struct resolver *r);

#endif
