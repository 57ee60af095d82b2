#include "io/tls.h"

#include <string.h>

#include "io/entropy.h"
#include "io/tls_aes_arm64.h"
#include "io/tls_curves.h"
#include "io/tls_sha256.h"

/* see tls.h */

/*
 * Source: reference of TLS policies at AWS endpoints. The same order on every CPU: those that Lambda
 * offers, x86-64 and arm64 alike, have instructions for AES-GCM. On a CPU without them there is no TLS:
 * ChaCha20-Poly1305 would be fast there, but no source says that Kinesis or S3 accept it, and every cold start
 * would pay for code that no CPU of Lambda needs.
 */
static const uint16_t suites[] = {
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
};

/* Besides BearSSL's own codes, which end at 63 and begin again at 256. */
enum { NO_NAMES = 200, NOT_FOR_SERVERS, NO_AES };

static struct out *kept_leaf;

void
tls_keep_leaf(struct out *leaf)
{
    kept_leaf = leaf;
}

static struct tls_chain *
chain_of(const br_x509_class **context)
{
    return (void *)context;
}

static void
start_chain(const br_x509_class **context, const char *server_name)
{
    struct tls_chain *c = chain_of(context);

    x509_leaf_start(&c->leaf);
    c->in_leaf = true;
    c->x509.vtable->start_chain(&c->x509.vtable, server_name);
}

static void
start_certificate(const br_x509_class **context, uint32_t len)
{
    struct tls_chain *c = chain_of(context);

    c->x509.vtable->start_cert(&c->x509.vtable, len);
}

static void
append(const br_x509_class **context, const unsigned char *bytes, size_t len)
{
    struct tls_chain *c = chain_of(context);

    if (c->in_leaf)
        x509_leaf_take(&c->leaf, bytes, len);
    if (c->in_leaf && kept_leaf != NULL)
        out_put(kept_leaf, (struct span){(const char *)bytes, len});
    c->x509.vtable->append(&c->x509.vtable, bytes, len);
}

static void
end_certificate(const br_x509_class **context)
{
    struct tls_chain *c = chain_of(context);

    c->in_leaf = false;
    c->x509.vtable->end_cert(&c->x509.vtable);
}

static unsigned
end_chain(const br_x509_class **context)
{
    struct tls_chain *c = chain_of(context);
    unsigned error = c->x509.vtable->end_chain(&c->x509.vtable);

    if (error != 0)
        return error;
    if (!c->leaf.has_names)
        return NO_NAMES;
    return c->leaf.has_purposes && !c->leaf.for_servers ? NOT_FOR_SERVERS : 0;
}

static const br_x509_pkey *
server_key(const br_x509_class *const *context, unsigned *usages)
{
    const struct tls_chain *c = (const void *)context;

    return c->x509.vtable->get_pkey(&c->x509.vtable, usages);
}

static const br_x509_class chain_class = {
    .context_size = sizeof(struct tls_chain),
    .start_chain = start_chain,
    .start_cert = start_certificate,
    .append = append,
    .end_cert = end_certificate,
    .end_chain = end_chain,
    .get_pkey = server_key,
};

static void
set_hashes(struct tls *t)
{
    static const struct {
        int id;
        const br_hash_class *class;
    } hashes[] = {
        {br_sha256_ID, &tls_sha256},
        {br_sha384_ID, &br_sha384_vtable},
        {br_sha512_ID, &br_sha512_vtable},
    };

    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        br_ssl_engine_set_hash(&t->client.eng, hashes[i].id, hashes[i].class);
        br_x509_minimal_set_hash(&t->chain.x509, hashes[i].id, hashes[i].class);
    }
}

/* By the CPU's own instructions alone: BearSSL's code that does without would be 3 KB of each zip. */
static int
set_aes_gcm(br_ssl_engine_context *engine)
{
    if ((system_cpu() & SYSTEM_CPU_AES_GCM) == 0)
        return NO_AES;
    br_ssl_engine_set_gcm(engine, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
#if TLS_AES_ARM64
    br_ssl_engine_set_aes_ctr(engine, &tls_aes_arm64_ctr);
    br_ssl_engine_set_ghash(engine, tls_aes_arm64_ghash);
#elif defined __x86_64__
    br_ssl_engine_set_aes_ctr(engine, &br_aes_x86ni_ctr_vtable);
    br_ssl_engine_set_ghash(engine, br_ghash_pclmul);
#else /* not what ships: clang for any arm64 */
    br_ssl_engine_set_default_aes_gcm(engine);
#endif
    return 0;
}

static void
set_algorithms(struct tls *t, const struct tls_anchors *anchors)
{
    br_ssl_engine_context *engine = &t->client.eng;

    br_ssl_client_zero(&t->client);
    br_ssl_engine_set_versions(engine, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_suites(engine, suites, sizeof suites / sizeof *suites);
    br_ssl_engine_add_flags(engine, BR_OPT_NO_RENEGOTIATION);
    br_x509_minimal_init(&t->chain.x509, &tls_sha256, anchors->anchors, anchors->len);
    br_x509_minimal_set_minrsa(&t->chain.x509, TLS_RSA_MIN_BITS / 8);
    t->chain.class = &chain_class;
    set_hashes(t);
    br_ssl_engine_set_rsavrfy(engine, br_rsa_i31_pkcs1_vrfy);
    br_ssl_engine_set_ec(engine, &tls_curves);
    br_ssl_engine_set_ecdsa(engine, br_ecdsa_vrfy_asn1_get_default());
    br_x509_minimal_set_rsa(&t->chain.x509, br_ssl_engine_get_rsavrfy(engine));
    br_x509_minimal_set_ecdsa(&t->chain.x509, br_ssl_engine_get_ec(engine),
                              br_ssl_engine_get_ecdsa(engine));
    br_ssl_engine_set_prf_sha256(engine, tls_sha256_prf);
    br_ssl_engine_set_prf_sha384(engine, br_tls12_sha384_prf);
    br_ssl_engine_set_x509(engine, &t->chain.class);
}

void
tls_forget_session(struct tls *t)
{
    memset(&t->session, 0, sizeof t->session);
}

/* A resumed session has the id that was offered, and is as old as it was. */
static bool
resumed(const struct tls *t, const br_ssl_session_parameters *now)
{
    const br_ssl_session_parameters *before = &t->session.parameters;

    return now->session_id_len == before->session_id_len &&
           memcmp(now->session_id, before->session_id, now->session_id_len) == 0;
}

void
tls_keep_session(struct tls *t)
{
    struct tls_session *s = &t->session;
    br_ssl_session_parameters now;

    br_ssl_engine_get_session_parameters(&t->client.eng, &now);
    if (resumed(t, &now))
        return;
    s->parameters = now;
    s->unix_s = t->started_unix_s;
}

/* Whether there is a session to resume; otherwise notes the host that the next session will belong to. */
static bool
resumable(struct tls *t, const struct tls_anchors *anchors, const char *host, uint64_t unix_s)
{
    struct tls_session *s = &t->session;

    if (s->parameters.session_id_len > 0 && s->anchors == anchors && strcmp(s->host, host) == 0 &&
        unix_s - s->unix_s <= TLS_SESSION_MAX_S)
        return true;
    tls_forget_session(t);
    s->anchors = anchors;
    (void)out_keep(s->host, sizeof s->host - 1, 0, span_of(host));
    return false;
}

int
tls_start(struct tls *t, const struct tls_anchors *anchors, const char *host, uint64_t unix_s)
{
    enum { DAYS_BEFORE_1970 = 719528, DAY_S = 86400, SEED_BYTES = 48 };
    unsigned char seed[SEED_BYTES];
    bool resume = resumable(t, anchors, host, unix_s);

    if (entropy_fill(seed, sizeof seed) != 0)
        return BR_ERR_NO_RANDOM;
    set_algorithms(t, anchors);
    if (set_aes_gcm(&t->client.eng) != 0)
        return NO_AES;
    br_x509_minimal_set_time(&t->chain.x509, (uint32_t)(unix_s / DAY_S + DAYS_BEFORE_1970),
                             (uint32_t)(unix_s % DAY_S));
    br_ssl_engine_set_buffer(&t->client.eng, t->records, sizeof t->records, 1);
    br_ssl_engine_inject_entropy(&t->client.eng, seed, sizeof seed);
    if (resume)
        br_ssl_engine_set_session_parameters(&t->client.eng, &t->session.parameters);
    t->started_unix_s = unix_s;
    return br_ssl_client_reset(&t->client, host, resume) == 1 ? 0 : BR_ERR_BAD_STATE;
}

/* --- bytes ------------------------------------------------------------------------------------- */

bool
tls_is_open(const struct tls *t)
{
    return (br_ssl_engine_current_state(&t->client.eng) & BR_SSL_SENDAPP) != 0;
}

bool
tls_ended(const struct tls *t, int *code)
{
    *code = br_ssl_engine_last_error(&t->client.eng);
    return br_ssl_engine_current_state(&t->client.eng) == BR_SSL_CLOSED;
}

char *
tls_room(struct tls *t, size_t *cap)
{
    return (char *)br_ssl_engine_sendapp_buf(&t->client.eng, cap);
}

void
tls_wrote(struct tls *t, size_t len)
{
    if (len > 0)
        br_ssl_engine_sendapp_ack(&t->client.eng, len);
}

void
tls_flush(struct tls *t)
{
    br_ssl_engine_flush(&t->client.eng, 0);
}

struct span
tls_input(struct tls *t)
{
    size_t len;
    const unsigned char *p = br_ssl_engine_recvapp_buf(&t->client.eng, &len);

    return (struct span){(const char *)p, len};
}

void
tls_used(struct tls *t, size_t len)
{
    if (len > 0)
        br_ssl_engine_recvapp_ack(&t->client.eng, len);
}

struct span
tls_output(struct tls *t)
{
    size_t len;
    const unsigned char *p = br_ssl_engine_sendrec_buf(&t->client.eng, &len);

    return (struct span){(const char *)p, len};
}

void
tls_sent(struct tls *t, size_t len)
{
    if (len > 0)
        br_ssl_engine_sendrec_ack(&t->client.eng, len);
}

char *
tls_space(struct tls *t, size_t *cap)
{
    return (char *)br_ssl_engine_recvrec_buf(&t->client.eng, cap);
}

void
tls_received(struct tls *t, size_t len)
{
    if (len > 0)
        br_ssl_engine_recvrec_ack(&t->client.eng, len);
}

void
tls_close(struct tls *t)
{
    br_ssl_engine_close(&t->client.eng);
}

/* --- errors ------------------------------------------------------------------------------------ */

COLD bool
tls_hopeless(int code)
{
    enum { INTERNAL_ERROR = 80, ALERTS = 256 }; /* RFC 5246, 7.2: an alert that may pass */
    /* our own codes are in BearSSL's range for certificates */
    bool certificate = code > BR_ERR_X509_OK && code < BR_ERR_RECV_FATAL_ALERT;
    bool alert = code >= BR_ERR_RECV_FATAL_ALERT && code < BR_ERR_RECV_FATAL_ALERT + ALERTS &&
                 code != BR_ERR_RECV_FATAL_ALERT + INTERNAL_ERROR;

    return certificate || alert;
}

const char *
tls_error(int code)
{
    static const struct {
        uint8_t code;
        char text[59];
    } known[] = {
        {BR_ERR_BAD_VERSION, "the peer does not speak TLS"},
        {BR_ERR_UNSUPPORTED_VERSION, "the peer does not offer TLS 1.2"},
        {BR_ERR_BAD_SIGNATURE, "the server's signature is wrong"},
        {BR_ERR_X509_TIME_UNKNOWN, "the present time is not known"},
        {BR_ERR_X509_EXPIRED, "the certificate is expired or not yet valid"},
        {BR_ERR_X509_DN_MISMATCH, "the certificate chain is broken"},
        {BR_ERR_X509_BAD_SERVER_NAME, "the certificate is made out to another host name"},
        {BR_ERR_X509_BAD_SIGNATURE, "a signature in the certificate chain is wrong"},
        {BR_ERR_X509_WEAK_PUBLIC_KEY, "a key in the certificate chain is too short"},
        {BR_ERR_X509_CRITICAL_EXTENSION, "a certificate has an extension that must not be ignored"},
        {NO_NAMES, "the certificate has no subjectAltName"},
        {NOT_FOR_SERVERS, "the certificate is not for servers (extendedKeyUsage)"},
        {NO_AES, "this CPU has no instructions for AES-GCM"},
        {BR_ERR_X509_NOT_TRUSTED, "the certificate is not from a trusted authority"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == code)
            return known[i].text;
    if (code >= BR_ERR_SEND_FATAL_ALERT)
        return "we ended the TLS exchange with an alert";
    if (code >= BR_ERR_RECV_FATAL_ALERT)
        return "the peer ended the TLS exchange with an alert";
    return code >= BR_ERR_X509_OK ? "the certificate chain cannot be verified"
                                  : "the TLS exchange failed";
}
