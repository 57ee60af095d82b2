/* see sink.h */
#include "sink.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "net.h"
#include "records.h"
#include "signature.h"

#define RECORDS_MAX 500
#define REPLY_MAX 65536
#define UNPACKED_MAX (2 << 20)
#define SEQUENCE_NUMBER "49590338271490256608559692538361571095921575989136588898"
#define SHARD "shardId-000000000000"

/* A reply is its beginning, an entry for each record, and its end. */
struct form {
    const char *type, *begin, *entry, *end;
    size_t begin_len, entry_len, end_len;
};

#define TEXTS(b, e, n) b, e, n, sizeof(b) - 1, sizeof(e) - 1, sizeof(n) - 1

static const struct form json = {
    "application/x-amz-json-1.1",
    TEXTS("{\"FailedRecordCount\":0,\"Records\":[",
          "{\"SequenceNumber\":\"" SEQUENCE_NUMBER "\",\"ShardId\":\"" SHARD "\"},", "]}")};

/* Containers of indefinite length, as the service may send them. */
static const struct form cbor = {"application/x-amz-cbor-1.1",
                                 TEXTS("\xbf\x71"
                                       "FailedRecordCount\x00\x67"
                                       "Records\x9f",
                                       "\xbf\x6e"
                                       "SequenceNumber\x78\x38" SEQUENCE_NUMBER "\x67"
                                       "ShardId\x74" SHARD "\xff",
                                       "\xff\xff")};

/* One connection, and the request under way. */
struct peer {
    struct sink *sink;
    SSL *tls;
    struct http_in in;
    uint64_t in_before, out_before; /* what of the connection's bytes has been counted */
    bool json, check;
    struct sink_counts counts; /* of the request */
    char *record, *wanted;     /* room for one event */
    char *unpacked;            /* and for one record */
    uint32_t *ids;
    size_t ids_cap;
    char reply[REPLY_MAX];
};

static ssize_t
tls_read(void *context, char *buffer, size_t cap)
{
    return SSL_read(context, buffer, cap > 1 << 30 ? 1 << 30 : (int)cap);
}

/* --- one request --- */

static bool
as_logged(struct peer *p, const struct a_record *r, uint32_t id)
{
    const char *bytes = r->data;

    if (p->json) {
        if (base64_bytes(r->data, r->data_len, p->record) != (long)p->sink->load->size)
            return false;
        bytes = p->record;
    }
    return load_record(p->sink->load, id, p->wanted) &&
           memcmp(bytes, p->wanted, p->sink->load->size) == 0;
}

static void
add_id(struct peer *p, uint32_t id)
{
    if (p->counts.records == p->ids_cap) {
        p->ids_cap = 2 * p->ids_cap + RECORDS_MAX;
        p->ids = realloc(p->ids, p->ids_cap * sizeof(p->ids[0]));
        if (!p->ids)
            die("no memory");
    }
    p->ids[p->counts.records++] = id;
}

static void
take_event(struct peer *p, const struct a_record *r)
{
    char first[LOAD_ID_BYTES];
    size_t size = p->json ? base64_size(r->data, r->data_len) : r->data_len;
    int64_t id = -1;

    if (p->json && r->data_len >= 24 && base64_bytes(r->data, 24, first) == LOAD_ID_BYTES)
        id = load_id(first, sizeof(first));
    else if (!p->json)
        id = load_id(r->data, r->data_len);
    if (id < 0 || (size_t)id >= p->sink->load->events_len || size != p->sink->load->size ||
        (p->check && !as_logged(p, r, (uint32_t)id)))
        p->counts.foreign++;
    else
        add_id(p, (uint32_t)id);
}

/* What a record holds once it is decompressed; nothing when it cannot be. */
static struct a_record
unpack(struct peer *p, const struct a_record *r)
{
    struct a_record whole = *r;
    z_stream z = {.next_in = (Bytef *)(uintptr_t)r->data,
                  .avail_in = (uInt)r->data_len,
                  .next_out = (Bytef *)p->unpacked,
                  .avail_out = UNPACKED_MAX};

    if (p->json || r->data_len < 2 || (uint8_t)r->data[0] != 0x1f || (uint8_t)r->data[1] != 0x8b)
        return whole;
    whole.data = p->unpacked;
    whole.data_len = 0;
    /* 16: gzip */
    if (inflateInit2(&z, 16 + MAX_WBITS) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END &&
        z.avail_in == 0)
        whole.data_len = UNPACKED_MAX - z.avail_out;
    inflateEnd(&z);
    return whole;
}

static uint64_t
units(size_t bytes, unsigned kib)
{
    return (bytes + kib * 1024 - 1) / (kib * 1024);
}

#define MESSAGE "\"message\":\""

/* Log events, each with its record as a string: its number is behind the first number sign. */
static void
take_messages(struct peer *p, struct a_record rest)
{
    const char *at = rest.data, *end = rest.data + rest.data_len;

    while ((at = memmem(at, (size_t)(end - at), MESSAGE, sizeof(MESSAGE) - 1)) != NULL) {
        const char *number = memchr(at, '#', (size_t)(end - at));
        unsigned long id = number && end - number > 9 ? strtoul(number + 1, NULL, 10) : ~0UL;

        if (id < p->sink->load->events_len)
            add_id(p, (uint32_t)id);
        else
            p->counts.foreign++;
        at += sizeof(MESSAGE) - 1;
    }
}

static void
take_record(void *context, const struct a_record *r)
{
    struct peer *p = context;
    size_t size = p->json ? base64_size(r->data, r->data_len) : r->data_len;
    struct a_record rest = unpack(p, r);
    bool lines = !p->json && rest.data_len > 0 && rest.data[rest.data_len - 1] == '\n';

    p->counts.data_bytes += size;
    p->counts.key_bytes += r->key_len;
    p->counts.entries++;
    p->counts.units_1k += units(size + r->key_len, 1);
    p->counts.units_5k += units(size + r->key_len, 5);
    p->counts.units_25k += units(size + r->key_len, 25);
    while (lines && rest.data_len > 0) {
        const char *end = memchr(rest.data, '\n', rest.data_len);
        struct a_record line = {rest.data, (size_t)(end - rest.data), r->key_len};

        take_event(p, &line);
        rest.data += line.data_len + 1;
        rest.data_len -= line.data_len + 1;
    }
    if (!p->json && rest.data_len > 16 && memcmp(rest.data, "{\"messageType\":\"", 16) == 0)
        take_messages(p, rest);
    else if (!lines)
        take_event(p, &rest);
}

static void
add_ids(struct sink *s, const struct peer *p)
{
    for (size_t i = 0; i < p->counts.records; i++) {
        uint64_t *word = &s->seen[p->ids[i] / 64], bit = 1ULL << p->ids[i] % 64;

        s->counts.unique += !(*word & bit);
        s->counts.duplicates += !!(*word & bit);
        *word |= bit;
    }
}

/* Once it has been answered. */
static void
add_counts(struct peer *p)
{
    struct sink *s = p->sink;
    uint64_t in = BIO_number_read(SSL_get_rbio(p->tls));
    uint64_t out = BIO_number_written(SSL_get_wbio(p->tls));

    pthread_mutex_lock(&s->lock);
    uint64_t *to = (uint64_t *)&s->counts;
    const uint64_t *from = (const uint64_t *)&p->counts;
    for (size_t i = 0; i < offsetof(struct sink_counts, last_ns) / sizeof(*to); i++)
        to[i] += from[i];
    add_ids(s, p);
    s->counts.bytes_in += in - p->in_before;
    s->counts.bytes_out += out - p->out_before;
    if (p->counts.records > 0)
        s->counts.last_ns = now_ns();
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    p->in_before = in;
    p->out_before = out;
    p->counts = (struct sink_counts){0};
}

static void
count_request(struct peer *p)
{
    struct sink *s = p->sink;

    pthread_mutex_lock(&s->lock);
    p->check = s->counts.requests++ % SINK_CHECK_EVERY == 0; /* and never in p->counts */
    pthread_mutex_unlock(&s->lock);
    p->counts.checked = p->check;
    p->counts.json = p->json;
    p->counts.cbor = !p->json;
}

static int
read_request(struct peer *p)
{
    size_t len;
    const char *target = http_field(p->in.head, "X-Amz-Target", &len);
    const char *type = http_field(p->in.head, "Content-Type", &len);

    if (!target || strncmp(target, "Kinesis_20131202.PutRecords\r", 28) != 0 || !type)
        return -1;
    p->json = len == strlen(json.type) && memcmp(type, json.type, len) == 0;
    if (!p->json && (len != strlen(cbor.type) || memcmp(type, cbor.type, len) != 0))
        return -1;
    count_request(p);
    if (p->check && !signature_holds(p->in.head, p->in.body, p->in.body_len))
        p->counts.wrong_signatures++;
    return (p->json ? records_json : records_cbor)(p->in.body, p->in.body_len, take_record, p);
}

static void
write_reply(struct peer *p, int records)
{
    const struct form *f = p->json ? &json : &cbor;
    size_t comma = p->json && records > 0; /* the last one goes */
    size_t body_len = f->begin_len + (size_t)records * f->entry_len - comma + f->end_len;
    char date[40];
    time_t now = time(NULL);
    struct tm parts;

    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
    int head =
        snprintf(p->reply, REPLY_MAX,
                 "HTTP/1.1 200 OK\r\nx-amzn-RequestId: d3b07384-d113-4ec6-a7ef-1f9c8a0e3a52\r\n"
                 "x-amz-id-2: 0123456789abcdef0123456789abcdef\r\nDate: %s\r\n"
                 "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                 date, f->type, body_len);
    char *at = p->reply + head;
    memcpy(at, f->begin, f->begin_len);
    at += f->begin_len;
    for (int i = 0; i < records; i++, at += f->entry_len)
        memcpy(at, f->entry, f->entry_len);
    at -= comma;
    memcpy(at, f->end, f->end_len);
    at += f->end_len;
    SSL_write(p->tls, p->reply, (int)(at - p->reply));
}

/* --- connections --- */

static void
wait_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    if (ms > 0)
        nanosleep(&time, NULL);
}

static void
serve_requests(struct peer *p)
{
    while (http_read(&p->in)) {
        int records = read_request(p);

        if (records < 0 || records > RECORDS_MAX) {
            p->counts.unreadable++;
            break;
        }
        wait_ms(p->sink->delay_ms);
        write_reply(p, records);
        add_counts(p);
    }
    add_counts(p);
}

static void
serve(struct sink *s, int fd)
{
    struct peer *p = calloc(1, sizeof(*p));

    if (!p || !(p->record = malloc(2 * (s->load->size + 4))) ||
        !(p->unpacked = malloc(UNPACKED_MAX)) || !(p->tls = SSL_new(s->tls)))
        die("no memory");
    p->sink = s;
    p->wanted = p->record + s->load->size + 4;
    SSL_set_fd(p->tls, fd);
    http_in_init(&p->in, tls_read, p->tls);
    p->counts.connections = 1;
    p->counts.handshakes = SSL_accept(p->tls) == 1;
    bool good = p->counts.handshakes == 1;
    add_counts(p);
    if (good)
        serve_requests(p);
    ERR_clear_error();
    SSL_free(p->tls);
    close(fd);
    http_in_free(&p->in);
    free(p->record);
    free(p->unpacked);
    free(p->ids);
    free(p);
}

static void *
serve_all(void *sink)
{
    struct sink *s = sink;

    for (;;)
        serve(s, net_accept(s->listener));
    return NULL;
}

static SSL_CTX *
make_tls(const char *certificate, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (SSL_CTX_set_cipher_list(tls, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256") !=
            1 ||
        SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        die("%s", ERR_error_string(ERR_get_error(), NULL));
    return tls;
}

void
sink_start(struct sink *s, const struct load *load, const char *certificate, const char *key,
           unsigned delay_ms)
{
    *s = (struct sink){.load = load, .delay_ms = delay_ms};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->seen = calloc(load->events_len / 64 + 1, sizeof(s->seen[0]));
    if (!s->seen)
        die("no memory");
    s->tls = make_tls(certificate, key);
    s->listener = net_listen(&s->port);
    for (int i = 0; i < SINK_CONNECTIONS; i++)
        start_thread(serve_all, s);
}

struct sink_counts
sink_counts(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    struct sink_counts counts = s->counts;
    pthread_mutex_unlock(&s->lock);
    return counts;
}

/* Waits until *value has reached the least. */
static bool
await(struct sink *s, const uint64_t *value, uint64_t least, unsigned ms)
{
    struct timespec until = clock_in(ms);

    pthread_mutex_lock(&s->lock);
    while (*value < least && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
        continue;
    bool good = *value >= least;
    pthread_mutex_unlock(&s->lock);
    return good;
}

bool
sink_await_ids(struct sink *s, uint64_t ids, unsigned ms)
{
    return await(s, &s->counts.unique, ids, ms);
}

bool
sink_await_handshake(struct sink *s, unsigned ms)
{
    return await(s, &s->counts.handshakes, 1, ms);
}
