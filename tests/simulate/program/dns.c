#include "dns_message.h"
#include "front.h"

/* see services.h; source: RFC 1035 */

enum { SERVERS = 2, PORT = 53, LATER = 64, STREAMS = 8, PLACES = NAMES_ADDRESSES / 2 };

/* A reply that is on its way. */
struct later {
    bool used;
    uint32_t from;
    struct dns_message message;
};

/* A connection: the same, with lengths in front. */
struct stream {
    bool used;
    struct peer *peer;
    unsigned char bytes[DNS_MAX];
    size_t len;
};

static struct later later[LATER];
static struct stream streams[STREAMS];
static const char *name; /* of the endpoint that has one; NULL: none has */
static bool hidden;      /* the proxy alone needs to know where it is */
static unsigned at;      /* which of its addresses it has now */
static bool both;        /* it has one of each kind there */
static bool moving;
static unsigned dead; /* a server that never answers; SERVERS: none */
static struct service service, trap;

/* --- addresses ------------------------------------------------------------------------------------ */

/* The first half is of IPv4, the other of IPv6: 10.0.N.2 and fd00::N:2. */
struct system_address
names_address(unsigned n, uint16_t port)
{
    struct system_address a = {.port = port};

    if (n < PLACES)
        a.address = (struct address){{10, 0, (uint8_t)n, 2}, ADDRESS_V4_BYTES};
    else
        a.address =
            (struct address){{0xfd, [13] = (uint8_t)(n - PLACES), [15] = 2}, ADDRESS_V6_BYTES};
    return a;
}

bool
names_exists(unsigned n)
{
    return n < PLACES || both;
}

bool
names_at(unsigned n)
{
    return n % PLACES == at;
}

/* Where nobody may ever connect to: only false replies say this. */
static struct system_address
trap_address(uint16_t port)
{
    struct system_address a = {.address = {{10, 66, 66, 66}, 4}, .port = port};

    return a;
}

static enum kernel_answer
trapped(void *context, struct peer *peer, const struct peer_events **events, void **peer_context)
{
    (void)context;
    (void)peer;
    (void)events;
    (void)peer_context;
    world_break("names: it believes a reply to a question that it did not ask");
}

static void
move(void *context)
{
    (void)context;
    moving = false;
    at = (at + 1 + dice_below(&world.names, PLACES - 1)) % PLACES;
    world_say("names", "%s moves to 10.0.%u.2", name, at);
    front_moved();
}

/* --- messages ------------------------------------------------------------------------------------- */

/* The addresses of now, and perhaps some that were or will be. */
static void
put_addresses(struct dns_message *m, unsigned pointer, unsigned kind)
{
    bool several = world.plan.per_mille[WORLD_NAME_MOVES] > 0 && dice_below(&world.names, 3) == 0;
    unsigned first = several ? dice_below(&world.names, PLACES) : at;
    unsigned n = several ? dice_between(&world.names, 1, 3) : 0;

    for (unsigned i = 0; i < n; i++)
        if ((first + i) % PLACES != at)
            dns_put_address(m, pointer, names_address(kind + (first + i) % PLACES, 0));
    dns_put_address(m, pointer, names_address(kind + at, 0));
}

static void
put_answer(struct dns_message *m, const struct dns_question *q)
{
    static const char alias[] = "\x05"
                                "front\x03"
                                "api\xc0\x0c";
    unsigned pointer = DNS_HEADER;

    /* an alias first, whose name ends in that of the question */
    if (dice_below(&world.names, 4) == 0) {
        dns_put_record(m, DNS_HEADER, DNS_CNAME, sizeof alias - 1);
        pointer = (unsigned)m->len;
        dns_put(m, alias, sizeof alias - 1);
    }
    if (q->type == DNS_A || both)
        put_addresses(m, pointer, q->type == DNS_A ? 0 : PLACES);
}

static bool
known(const struct dns_question *q)
{
    size_t i = 0;

    if (hidden)
        world_break("names: a question that the proxy answers: %s", q->name);
    if (name == NULL)
        return false;
    /* the case of letters does not matter */
    for (; name[i] != '\0' && (q->name[i] | 0x20) == (name[i] | 0x20); i++)
        ;
    return name[i] == '\0' && q->name[i] == '\0';
}

static void
write_reply(struct dns_message *m, struct span query, const struct dns_question *q, bool stream)
{
    dns_begin(m, query, q, known(q) ? DNS_NO_ERROR : DNS_NAME_ERROR);
    if (!known(q))
        return;
    if (!stream && dice_below(&world.names, 8) == 0) {
        m->bytes[2] |= 2; /* it did not fit */
        return;
    }
    put_answer(m, q);
    if (!moving && world_fault(&world.names, WORLD_NAME_MOVES)) {
        moving = true;
        kernel_at(kernel_us() + 1000ull * dice_magnitude(&world.names, 10, 30000), move, NULL);
    }
}

/* --- faults --------------------------------------------------------------------------------------- */

static void
send_later(void *context)
{
    struct later *l = context;

    l->used = false;
    kernel_answer_datagram(l->from, (struct span){(const char *)l->message.bytes, l->message.len});
}

static void
answer(uint32_t from, const struct dns_message *m, uint32_t us)
{
    for (unsigned i = 0; i < LATER; i++)
        if (!later[i].used) {
            later[i] = (struct later){true, from, *m};
            kernel_at(kernel_us() + us, send_later, &later[i]);
            return;
        }
    world_break("names: more than %d questions at once", (int)LATER);
}

/* Before the reply comes one that is none: of another question, or of no sense. */
static void
answer_falsely(uint32_t from, struct span query, const struct dns_question *q, uint32_t us)
{
    struct dns_message m;

    dns_begin(&m, query, q, DNS_NO_ERROR);
    dns_put_address(&m, DNS_HEADER, trap_address(0));
    switch (dice_below(&world.names, 4)) {
    case 0:
        m.bytes[0] ^= (unsigned char)dice_between(&world.names, 1, 255);
        break;
    case 1:
        m.bytes[DNS_HEADER + 1] ^= 1;
        break;
    case 2:
        m.bytes[q->end - 3] = DNS_TXT;
        break;
    default:
        m.len = dice_below(&world.names, DNS_HEADER);
    }
    answer(from, &m, us);
}

static void
fail(uint32_t from, struct span query, const struct dns_question *q, uint32_t us)
{
    static const enum dns_code codes[] = {
        DNS_SERVER_FAILURE, DNS_SERVER_FAILURE,  DNS_REFUSED, DNS_NAME_ERROR,
        DNS_FORMAT_ERROR,   DNS_NOT_IMPLEMENTED, DNS_NO_ERROR};
    struct dns_message m;

    dns_begin(&m, query, q, codes[dice_below(&world.names, sizeof codes / sizeof *codes)]);
    answer(from, &m, us);
}

static void
came(void *context, uint32_t from, struct span bytes)
{
    const unsigned *server = context;
    uint32_t us = dice_magnitude(&world.names, 100, 5000);
    struct dns_question q;
    struct dns_message m;

    dns_read(bytes, &q);
    world_say("names", "server %u is asked for %s of %s, question %04x", *server,
              q.type == DNS_A ? "A" : "AAAA", q.name, q.id);
    if (*server == dead)
        return;
    if (world_fault(&world.names, WORLD_NAME_SILENT)) {
        if (dice_below(&world.names, 2) == 0)
            return;
        us = 1000 * dice_magnitude(&world.names, 20, 3000);
    }
    if (world_fault(&world.names, WORLD_NAME_FAILS)) {
        if (dice_below(&world.names, 2) == 0) {
            fail(from, bytes, &q, us);
            return;
        }
        answer_falsely(from, bytes, &q, us);
        us += 1 + dice_below(&world.names, 2000);
    }
    write_reply(&m, bytes, &q, false);
    answer(from, &m, us);
}

/* --- connections ---------------------------------------------------------------------------------- */

static void
stream_opened(void *context, struct peer *peer)
{
    struct stream *s = context;

    s->peer = peer;
}

/*
 * Whether it closes the connection after a reply. With a question unread that resets it, and the reply may be lost:
 * only one that is not well does that.
 */
static bool
closes(const struct stream *s, size_t query_len)
{
    bool unread = s->len > 2 + query_len;

    return dice_below(&world.names, 4) == 0 &&
           (!unread || world.plan.per_mille[WORLD_NAME_FAILS] > 0);
}

/* Answers one query; false when the connection is gone by that. */
static bool
answer_stream(struct stream *s, struct span query)
{
    unsigned char length[2];
    struct dns_question q;
    struct dns_message m;

    dns_read(query, &q);
    if (world_fault(&world.names, WORLD_NAME_FAILS)) {
        s->used = false;
        peer_reset(s->peer);
        return false;
    }
    write_reply(&m, query, &q, true);
    length[0] = (unsigned char)(m.len >> 8);
    length[1] = (unsigned char)m.len;
    peer_send(s->peer, (struct span){(const char *)length, 2});
    peer_send(s->peer, (struct span){(const char *)m.bytes, m.len});
    if (!closes(s, query.len))
        return true;
    s->used = false;
    peer_close(s->peer);
    return false;
}

/* Several queries may come at once: RFC 7766, section 6.2.1.1. */
static void
stream_came(void *context, struct span bytes)
{
    struct stream *s = context;

    if (!s->used)
        return;
    if (bytes.len > sizeof s->bytes - s->len)
        world_break("names: a query of too many bytes");
    memcpy(s->bytes + s->len, bytes.p, bytes.len);
    s->len += bytes.len;
    while (s->len >= 2 && s->len >= 2 + dns_number(s->bytes)) {
        size_t len = 2 + dns_number(s->bytes);

        if (!answer_stream(s, (struct span){(const char *)s->bytes + 2, len - 2}))
            return;
        s->len -= len;
        memmove(s->bytes, s->bytes + len, s->len);
    }
}

static void
stream_gone(void *context)
{
    struct stream *s = context;

    s->used = false;
}

static void
stream_finished(void *context)
{
    struct stream *s = context;

    if (!s->used)
        return;
    s->used = false;
    peer_close(s->peer);
}

static enum kernel_answer
connecting(void *context, struct peer *peer, const struct peer_events **events, void **peer_context)
{
    static const struct peer_events stream_events = {
        .opened = stream_opened,
        .came = stream_came,
        .finished = stream_finished,
        .gone = stream_gone,
    };
    struct stream *s = streams;

    (void)context;
    while (s < streams + STREAMS && s->used)
        s++;
    if (s == streams + STREAMS)
        world_break("names: more than %d connections", (int)STREAMS);
    *events = &stream_events;
    *peer_context = s;
    if (world_fault(&world.names, WORLD_NAME_SILENT))
        return KERNEL_SILENT;
    *s = (struct stream){.used = true, .peer = peer};
    return KERNEL_ACCEPT;
}

void
names_begin(void)
{
    static const char hosts[] = "127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n"
                                "127.0.0.1 sandbox.localdomain sandbox\n";
    static const char *const confs[] = {
        "nameserver 169.254.0.1\nnameserver 169.254.0.2\n",
        ("search eu-west-1.compute.internal\noptions timeout:1 attempts:5\n"
         "nameserver 169.254.0.1\nnameserver 169.254.0.2\n"),
        "nameserver 169.254.0.1\noptions ndots:5\nsearch example.test internal\n",
    };
    static const unsigned servers[SERVERS] = {0, 1};
    static struct place place;
    struct span url = services_setting("AWS_ENDPOINT_URL_KINESIS");
    struct system_address address = {.address = {{169, 254, 0, 1}, 4}, .port = PORT};
    unsigned conf = dice_below(&world.names, 3);

    memset(later, 0, sizeof later);
    memset(streams, 0, sizeof streams);
    at = 0;
    both = dice_below(&world.names, 3) == 0;
    moving = false;
    dead = conf < 2 && world_fault(&world.names, WORLD_NAME_SILENT) ? dice_below(&world.names, 2)
                                                                    : SERVERS;
    services_place(&place, url);
    name = place.by_name ? place.host : NULL;
    hidden = proxy_carries(&(struct front){.place = place, .remote = true});
    kernel_file("/etc/hosts", text_span(hosts));
    kernel_file("/etc/resolv.conf", text_span(confs[conf]));
    service = (struct service){connecting, NULL};
    trap = (struct service){trapped, NULL};
    for (unsigned i = 0; i < SERVERS; i++) {
        address.address.bytes[3] = (uint8_t)(i + 1);
        kernel_serve_datagrams(&address, came, (void *)(uintptr_t)&servers[i]);
        kernel_serve(&address, &service);
    }
    address = trap_address(place.port);
    kernel_serve(&address, &trap);
}
