/* see ceiling.h */
#include "ceiling.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "generator.h"
#include "net.h"
#include "signature.h"

/* --- the generator's --- */

struct discarder {
    int listener, cpu;
};

static void *
discard(void *context)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const struct discarder *d = context;
    struct http_in in;

    pin_to(d->cpu);
    int fd = net_accept(d->listener);
    http_in_init(&in, fd_read, &fd);
    while (http_read(&in))
        fd_write(fd, reply, sizeof(reply) - 1);
    close(fd);
    http_in_free(&in);
    return NULL;
}

double
ceiling_of_generator(struct load *load, size_t per_invocation, int cpu)
{
    static struct discarder d;
    struct generator g;
    uint16_t port;

    d = (struct discarder){net_listen(&port), cpu};
    start_thread(discard, &d);
    generator_init(&g, load, port, "/");
    int64_t began = now_ns();
    for (size_t at = 0; at < load->events_len; at += per_invocation) {
        size_t left = load->events_len - at;
        generator_invocation(&g, at, at, left < per_invocation ? left : per_invocation);
    }
    double seconds = (double)(now_ns() - began) / 1e9;
    generator_free(&g);
    return (double)load->events_len / seconds;
}

/* --- the sink's --- */

#define KEY "0f3a61c2"

struct request {
    char *text; /* head and body */
    size_t len, records;
};

static size_t
put(char *to, const char *bytes, size_t len)
{
    memcpy(to, bytes, len);
    return len;
}

/* Byte and text strings of up to 65,535 bytes. */
static size_t
put_cbor(char *to, unsigned type, const char *bytes, size_t len)
{
    to[0] = (char)(type << 5 | 25);
    to[1] = (char)(len >> 8);
    to[2] = (char)len;
    return 3 + put(to + 3, bytes, len);
}

static size_t
put_record(char *to, bool cbor, const char *record, size_t len)
{
    char *at = to;

    if (cbor) {
        *at++ = (char)0xbf;
        at += put_cbor(at, 3, "Data", 4);
        at += put_cbor(at, 2, record, len);
        at += put_cbor(at, 3, "PartitionKey", 12);
        at += put_cbor(at, 3, KEY, 8);
        *at++ = (char)0xff;
    } else {
        at += put(at, "{\"Data\":\"", 9);
        at += EVP_EncodeBlock((unsigned char *)at, (const unsigned char *)record, (int)len);
        at += put(at, "\",\"PartitionKey\":\"" KEY "\"},", 29);
    }
    return (size_t)(at - to);
}

static size_t
put_body(char *to, bool cbor, const struct load *load, size_t records)
{
    static const char json_begin[] = "{\"StreamName\":\"s1\",\"Records\":[";
    static const char cbor_begin[] = "\xbf\x6aStreamName\x62s1\x67Records\x9f";
    char *at = to, *record = malloc(load->size);

    if (!record)
        die("no memory");
    at += cbor ? put(at, cbor_begin, sizeof(cbor_begin) - 1)
               : put(at, json_begin, sizeof(json_begin) - 1);
    for (size_t i = 0; i < records; i++) {
        load_record(load, i, record);
        at += put_record(at, cbor, record, load->size);
    }
    at -= !cbor;
    at += cbor ? put(at, "\xff\xff", 2) : put(at, "]}", 2);
    free(record);
    return (size_t)(at - to);
}

static struct request
make_request(bool cbor, const struct load *load, uint16_t port)
{
    struct request r = {.records = load->events_len < 500 ? load->events_len : 500};
    size_t cap = r.records * (load->size * 2 + 100) + 4096;
    char *body = malloc(cap), hex[SIGNATURE_LEN + 1];

    r.text = malloc(cap);
    if (!body || !r.text)
        die("no memory");
    size_t body_len = put_body(body, cbor, load, r.records);
    int head_len = snprintf(
        r.text, 1024,
        "POST / HTTP/1.1\r\nHost: localhost:%u\r\nContent-Type: application/x-amz-%s-1.1\r\n"
        "X-Amz-Target: Kinesis_20131202.PutRecords\r\nX-Amz-Date: 20261120T100000Z\r\n"
        "Content-Length: %zu\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" ACCESS_KEY_ID
        "/20261120/us-east-1/kinesis/aws4_request, SignedHeaders=content-type;host;x-amz-date;"
        "x-amz-target, Signature=%064d\r\n\r\n",
        port, cbor ? "cbor" : "json", body_len, 0);
    if (!signature_of(r.text, body, body_len, hex))
        die("the request cannot be signed");
    memcpy(r.text + head_len - 4 - SIGNATURE_LEN, hex, SIGNATURE_LEN);
    r.len = (size_t)head_len + put(r.text + head_len, body, body_len);
    free(body);
    return r;
}

static ssize_t
tls_read(void *tls, char *buffer, size_t cap)
{
    return SSL_read(tls, buffer, cap > 1 << 30 ? 1 << 30 : (int)cap);
}

struct client {
    struct sink *sink;
    struct request request;
    size_t times;
    int cpu;
    int64_t began_ns;
};

static void *
repeat(void *context)
{
    struct client *c = context;
    struct http_in in;
    SSL *tls = SSL_new(SSL_CTX_new(TLS_client_method()));

    pin_to(c->cpu);
    SSL_set_fd(tls, net_connect(c->sink->port));
    if (SSL_connect(tls) != 1)
        die("the client's handshake failed");
    http_in_init(&in, tls_read, tls);
    c->began_ns = now_ns();
    for (size_t i = 0; i < c->times; i++)
        if (SSL_write(tls, c->request.text, (int)c->request.len) <= 0 || !http_read(&in))
            die("the sink went away");
    http_in_free(&in);
    return NULL;
}

double
ceiling_of_sink(struct sink *sink, struct load *load, bool cbor, int cpu)
{
    pthread_t thread;
    size_t bytes;

    load_events(load, 0, load->texts_len < load->events_len ? load->texts_len : load->events_len, 0,
                "2026-11-20T10:00:00.000Z", &bytes);
    struct client c = {.sink = sink, .request = make_request(cbor, load, sink->port), .cpu = cpu};
    c.times = (load->events_len + c.request.records - 1) / c.request.records;
    if (pthread_create(&thread, NULL, repeat, &c) != 0)
        die("no thread");
    pthread_join(thread, NULL);
    double seconds = (double)(now_ns() - c.began_ns) / 1e9;
    free(c.request.text);
    return (double)(c.times * c.request.records) / seconds;
}
