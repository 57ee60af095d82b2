#ifndef SINK_H
#define SINK_H
/*
 * What stands for Kinesis: takes PutRecords over TLS 1.2, counts, and answers that all was accepted.
 *
 * A thread serves each connection. A record holds an event, or several, each with a newline behind it; in CBOR it may
 * be compressed. Every event's id is looked up among those of the load; of every SINK_CHECK_EVERY-th request, beginning
 * with the first, the signature is computed anew and every event compared with what was logged.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load.h"

#define SINK_CHECK_EVERY 16
#define SINK_CONNECTIONS 64

/* What has arrived. bytes_in, bytes_out: payload of TCP, the handshakes included. */
struct sink_counts {
    uint64_t connections, handshakes, requests, json, cbor, checked;
    uint64_t records, unique, duplicates, data_bytes, key_bytes, bytes_in,
        bytes_out;    /* records: events */
    uint64_t entries; /* records of the stream */
    uint64_t units_1k, units_5k,
        units_25k;             /* their data and keys, each rounded up to so many KiB */
    uint64_t foreign;          /* events that nobody logged, or not so */
    uint64_t wrong_signatures; /* of those checked */
    uint64_t unreadable;       /* requests */
    int64_t last_ns;           /* when the latest answer had been written */
};

struct sink {
    uint16_t port;
    const struct load *load;

    /* private */
    int listener;
    void *tls;
    unsigned delay_ms;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sink_counts counts;
    uint64_t *seen; /* a bit for each id */
};

/*
 * certificate, key  paths of PEM files, the certificate with its chain.
 */
void sink_start(struct sink *s, const struct load *load, const char *certificate, const char *key,
                unsigned delay_ms);

struct sink_counts sink_counts(struct sink *s);

/* Until so many ids, or handshakes, have been seen, for that time at most. Whether they have. */
bool sink_await_ids(struct sink *s, uint64_t ids, unsigned ms);
bool sink_await_handshake(struct sink *s, unsigned ms);

#endif
