#include "certificate.h"
#include "services.h"

/* see services.h: TLS as BearSSL's server engine speaks it */

enum {
    ENDS = 16,
    SESSIONS = 8,
    SESSION_BYTES = 100,
    SEED_BYTES = 48,
    RANDOMS = 1024,
    HELLO_BYTES = 76
};

struct tls_end {
    bool used;
    bool trusted, checked;
    unsigned char hello[HELLO_BYTES]; /* the beginning of what the client says */
    size_t hello_len;
    uint32_t number; /* of all; tells one end from the next in the same place */
    br_ssl_server_context server;
    unsigned char records[BR_SSL_BUFSIZE_BIDI];
};

/* Made once and the same for all lives, but for the host's name. */
static struct {
    char host[256];
    struct certificate_key authority, other, server;
    struct certificate ca, leaf[TLS_CERTIFICATES];
    char pem[2 * CERTIFICATE_MAX + 100];
    size_t pem_len;
} made;

static struct tls_end ends[ENDS];
static uint32_t opened;
/* What was seen of clients, and of which run of the program. */
static struct {
    unsigned char random[32], session[32];
    uint32_t sandbox;
} clients[RANDOMS];
static unsigned clients_len;
static br_ssl_session_cache_lru sessions;
static unsigned char session_store[SESSIONS * SESSION_BYTES];

static void
make_authority(void)
{
    struct certificate_wanted ca = {
        .subject = "Simulated CA",
        .issuer = "Simulated CA",
        .from = "200101000000Z",
        .until = "491231235959Z",
        .key = &made.authority,
        .signer = &made.authority,
    };

    if (made.pem_len > 0)
        return;
    certificate_key(&made.authority, 1);
    certificate_key(&made.other, 2);
    certificate_key(&made.server, 3);
    certificate_make(&made.ca, &ca);
    made.pem_len = certificate_pem(&made.ca, made.pem);
}

static void
make_leaves(const char *host)
{
    struct certificate_wanted leaf = {
        .subject = "Simulated service",
        .issuer = "Simulated CA",
        .from = "200101000000Z",
        .until = "491231235959Z",
        .host = host,
        .key = &made.server,
        .signer = &made.authority,
    };

    make_authority();
    if (strcmp(made.host, host) == 0)
        return;
    strncpy(made.host, host, sizeof made.host - 1);
    certificate_make(&made.leaf[TLS_GOOD], &leaf);
    leaf.signer = &made.other;
    certificate_make(&made.leaf[TLS_OTHER_CA], &leaf);
    leaf.signer = &made.authority;
    leaf.host = "somebody.example.test";
    certificate_make(&made.leaf[TLS_OTHER_NAME], &leaf);
    leaf.host = host;
    leaf.until = "210101000000Z";
    certificate_make(&made.leaf[TLS_EXPIRED], &leaf);
}

struct span
tls_ca(void)
{
    make_authority();
    return (struct span){made.pem, made.pem_len};
}

void
tls_begin(void)
{
    for (unsigned i = 0; i < ENDS; i++)
        ends[i].used = false;
    opened = clients_len = 0;
    br_ssl_session_cache_lru_init(&sessions, session_store, sizeof session_store);
}

static void
start(struct tls_end *t, enum tls_certificate which)
{
    static br_x509_certificate chain[TLS_CERTIFICATES];
    br_ssl_server_context *s = &t->server;
    unsigned char seed[SEED_BYTES];

    chain[which] = (br_x509_certificate){made.leaf[which].der, made.leaf[which].len};
    br_ssl_server_init_minf2g(s, &chain[which], 1, &made.server.secret);
    /* quicker than the curves of that profile */
    br_ssl_engine_set_ec(&s->eng, br_ec_get_default());
    br_ssl_server_set_single_ec(s, &chain[which], 1, &made.server.secret, BR_KEYTYPE_SIGN, 0,
                                br_ec_get_default(), br_ecdsa_i31_sign_asn1);
    br_ssl_engine_set_buffer(&s->eng, t->records, sizeof t->records, 1);
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (unsigned char)dice_below(&world.service, 256);
    br_ssl_engine_inject_entropy(&s->eng, seed, sizeof seed);
    t->trusted = which == TLS_GOOD;
    t->checked = false;
    t->hello_len = 0;
    /* AWS may know no sessions; with one there would be no certificate */
    if (t->trusted && dice_chance(&world.service, 800))
        br_ssl_server_set_cache(s, &sessions.vtable);
    (void)br_ssl_server_reset(s);
}

struct tls_end *
tls_open(const char *host, enum tls_certificate certificate)
{
    struct tls_end *t = ends;

    make_leaves(host);
    while (t < ends + ENDS && t->used)
        t++;
    if (t == ends + ENDS)
        return NULL;
    t->used = true;
    t->number = ++opened;
    start(t, certificate);
    return t;
}

void
tls_release(struct tls_end *t)
{
    t->used = false;
}

/* Hands over what is to be sent. */
static void
drain(struct tls_end *t, const struct tls_uses *uses)
{
    size_t len;
    const unsigned char *p;

    while ((p = br_ssl_engine_sendrec_buf(&t->server.eng, &len)) != NULL) {
        uses->out(uses->context, (struct span){(const char *)p, len});
        br_ssl_engine_sendrec_ack(&t->server.eng, len);
    }
}

/* Which session the client wants to resume: RFC 5246, section 7.4.1.2. It is one of this run of the program. */
static void
check_session(const struct tls_end *t)
{
    enum { LEN_AT = 43, LEN = 32 };

    if (t->hello_len < HELLO_BYTES || t->hello[LEN_AT] != LEN)
        return;
    for (unsigned i = 0; i < clients_len; i++)
        if (clients[i].sandbox != world.sandbox &&
            memcmp(clients[i].session, t->hello + LEN_AT + 1, LEN) == 0)
            world_break("TLS: a session of another sandbox is to be resumed");
}

/*
 * Laws when a handshake is over. Its number by chance comes once: copies of a snapshot that had it in common would share
 * the keys that are made of it.
 */
static void
check_client(struct tls_end *t)
{
    const br_ssl_engine_context *e = &t->server.eng;

    if (t->checked)
        return;
    t->checked = true;
    services_count(COUNT_HANDSHAKES, 1);
    if (!t->trusted)
        world_break("TLS: a request to one who has no good certificate");
    if (strcmp(br_ssl_engine_get_server_name(e), made.host) != 0)
        world_break("TLS: another name is asked for: %s", br_ssl_engine_get_server_name(e));
    for (unsigned i = 0; i < clients_len; i++)
        if (memcmp(clients[i].random, e->client_random, sizeof clients->random) == 0)
            world_break("TLS: the same client random comes twice");
    check_session(t);
    if (clients_len == RANDOMS)
        return;
    memcpy(clients[clients_len].random, e->client_random, sizeof clients->random);
    memcpy(clients[clients_len].session, e->session.session_id, sizeof clients->session);
    clients[clients_len++].sandbox = world.sandbox;
}

/* Hands over what came. Returns false when the connection is gone by that. */
static bool
hand_over(struct tls_end *t, const struct tls_uses *uses)
{
    uint32_t number = t->number;
    size_t len;
    const unsigned char *p;

    while ((p = br_ssl_engine_recvapp_buf(&t->server.eng, &len)) != NULL) {
        check_client(t);
        uses->plain(uses->context, (struct span){(const char *)p, len});
        if (!t->used || t->number != number)
            return false;
        br_ssl_engine_recvapp_ack(&t->server.eng, len);
    }
    return true;
}

static size_t
put_in(struct tls_end *t, struct span bytes)
{
    size_t room;
    unsigned char *to = br_ssl_engine_recvrec_buf(&t->server.eng, &room);

    if (to == NULL)
        return 0;
    room = room < bytes.len ? room : bytes.len;
    memcpy(to, bytes.p, room);
    br_ssl_engine_recvrec_ack(&t->server.eng, room);
    return room;
}

bool
tls_take(struct tls_end *t, struct span bytes, const struct tls_uses *uses)
{
    for (size_t i = 0; i < bytes.len && t->hello_len < HELLO_BYTES; i++)
        t->hello[t->hello_len++] = (unsigned char)bytes.p[i];
    while (bytes.len > 0) {
        size_t n = put_in(t, bytes);

        drain(t, uses);
        if (!hand_over(t, uses))
            return true;
        drain(t, uses);
        if (n == 0 || br_ssl_engine_current_state(&t->server.eng) == BR_SSL_CLOSED)
            return false;
        bytes = (struct span){bytes.p + n, bytes.len - n};
    }
    return true;
}

bool
tls_send(struct tls_end *t, struct span bytes, bool close, const struct tls_uses *uses)
{
    while (bytes.len > 0) {
        size_t room;
        unsigned char *to = br_ssl_engine_sendapp_buf(&t->server.eng, &room);

        if (to == NULL)
            return false;
        room = room < bytes.len ? room : bytes.len;
        memcpy(to, bytes.p, room);
        br_ssl_engine_sendapp_ack(&t->server.eng, room);
        bytes = (struct span){bytes.p + room, bytes.len - room};
        br_ssl_engine_flush(&t->server.eng, 0);
        drain(t, uses);
    }
    if (close) {
        br_ssl_engine_close(&t->server.eng);
        drain(t, uses);
    }
    return true;
}
