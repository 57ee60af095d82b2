#include <stdio.h>

#include "services.h"

/* see services.h; source: reference of Lambda, environment variables of an extension (SnapStart) */

enum { KEYS = 64, TOKEN_MAX = 4096, FETCHES_IN_A_ROW = 20, FETCHES_WITHIN_MS = 4000 };

static struct front front;
static struct keys table[KEYS];
static char tokens[KEYS][TOKEN_MAX];
static unsigned given; /* the first place is for those of the environment */
static uint64_t fetched_ms[FETCHES_IN_A_ROW];
static unsigned fetches;

struct keys *
credentials_of(struct span id)
{
    for (unsigned i = 0; i < KEYS; i++)
        if (table[i].id[0] != '\0' && span_is(text_span(table[i].id), id))
            return &table[i];
    return NULL;
}

/* Those of the environment are good for as long as it lives, or so it should be. */
static void
take_environment(void)
{
    struct span id = services_setting("AWS_ACCESS_KEY_ID");
    struct span secret = services_setting("AWS_SECRET_ACCESS_KEY");

    if (id.len == 0 || id.len >= sizeof table->id || secret.len >= sizeof table->secret)
        return;
    table[0] = (struct keys){
        .token = services_setting("AWS_SESSION_TOKEN"),
        .until_ms = UINT64_MAX,
        .said_ms = UINT64_MAX,
        .sandbox = UINT32_MAX,
    };
    memcpy(table[0].id, id.p, id.len);
    memcpy(table[0].secret, secret.p, secret.len);
    if (world_fault(&world.service, WORLD_CREDENTIALS_EXPIRE))
        table[0].until_ms = table[0].said_ms =
            kernel_wall_ms() + dice_magnitude(&world.service, 100, 3600000);
}

/* --- new ones ------------------------------------------------------------------------------------- */

/* The keys that are current, or NULL: the endpoint gives out the same ones until they are about to expire. */
static struct keys *
current(void)
{
    enum { MARGIN_MS = 300000 };
    struct keys *k = &table[1 + (given + KEYS - 2) % (KEYS - 1)];

    if (given == 0 || k->sandbox != world.sandbox || k->until_ms < kernel_wall_ms() + MARGIN_MS ||
        dice_below(&world.service, 2) == 0)
        return NULL;
    return k;
}

static struct keys *
make(void)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct dice *dice = &world.service;
    unsigned at = 1 + given % (KEYS - 1);
    struct keys *k = &table[at];
    size_t len, most = dice_magnitude(dice, 40, TOKEN_MAX - 1);

    given++;
    *k = (struct keys){.sandbox = world.sandbox, .fetched = true};
    snprintf(k->id, sizeof k->id, "AKIDFETCHED%u", given);
    snprintf(k->secret, sizeof k->secret, "fetchedSECRET%u", given);
    len = (size_t)sprintf(tokens[at], "fetchedTOKEN%u/", given);
    while (len < most) {
        uint64_t bits = dice_draw(dice);

        for (unsigned i = 0; i < 10 && len < most; i++)
            tokens[at][len++] = digits[bits >> (6 * i) & 63];
    }
    tokens[at][len] = '\0';
    k->token = (struct span){tokens[at], len};
    k->said_ms = kernel_wall_ms() + dice_between(dice, 3600, 43200) * 1000ull;
    if (world_fault(dice, WORLD_CREDENTIALS_EXPIRE))
        k->said_ms = kernel_wall_ms() + dice_magnitude(dice, 1000, 1200000);
    k->until_ms = k->said_ms;
    /* a role that was changed: they end before they should */
    if (world_fault(dice, WORLD_CREDENTIALS_EXPIRE))
        k->until_ms = kernel_wall_ms() + dice_magnitude(dice, 100, 3600000);
    return k;
}

static void
put_token(struct text *t, struct span token, bool escaped)
{
    for (size_t i = 0; i < token.len; i++)
        if (token.p[i] == '/' && escaped)
            text_put(t, "\\/");
        else
            text_bytes(t, token.p + i, 1);
}

static void
write_keys(struct text *t, const struct keys *k, bool complete)
{
    struct dice *dice = &world.service;
    const char *blank = dice_below(dice, 2) == 0 ? "\n  " : "";
    char moment[40];

    moment_text(k->said_ms, MOMENT_RFC3339, moment);
    /* Go has fractions of seconds unless there are none */
    if (dice_below(dice, 2) == 0)
        snprintf(moment + 19, sizeof moment - 19, ".%uZ", dice_below(dice, 1000));
    text_put(t, "{%s\"AccessKeyId\":\"%s\",%s\"SecretAccessKey\":\"%s\"", blank, k->id, blank,
             k->secret);
    if (complete) {
        text_put(t, ",%s\"Token\":\"", blank);
        put_token(t, k->token, dice_below(dice, 4) == 0);
        text_put(t, "\"");
    }
    text_put(t, ",%s\"Expiration\":\"%s\"}", blank, moment);
}

/* --- calls ---------------------------------------------------------------------------------------- */

static void
give(struct front_connection *c, uint32_t late_ms, bool complete)
{
    static char body[3 * TOKEN_MAX];
    struct text t = {body, 0, sizeof body};
    struct keys *k = current();

    if (k == NULL)
        k = make();
    k->refused = 0;
    write_keys(&t, k, complete);
    world_say(front.name, "gives %s, good for %lld s%s", k->id,
              ((long long)k->until_ms - (long long)kernel_wall_ms()) / 1000,
              complete ? "" : ", without a token");
    front_reply(c, &(struct front_reply){.status = 200,
                                         .type = "application/json",
                                         .body = {t.p, complete ? t.len : t.len / 2},
                                         .late_ms = late_ms});
}

static void
fail(struct front_connection *c)
{
    struct dice *dice = &world.service;
    struct front_reply reply = {.status = 500, .type = "text/plain", .body = text_span("wrong\n")};

    switch (dice_below(dice, 6)) {
    case 0:
        reply.status = 404;
        break;
    case 1:
        front_drop(c, dice_below(dice, 2) == 0);
        return;
    case 2: /* it blocks while a restore is in progress */
        give(c, dice_magnitude(dice, 100, 5000), true);
        return;
    case 3:
        give(c, 0, false);
        return;
    case 4:
        reply.status = 200;
        break;
    default:
        break;
    }
    front_reply(c, &reply);
}

/* src/README.md promises nothing, but nobody asks again and again without a pause. */
static void
count_fetch(void)
{
    uint64_t *before = &fetched_ms[fetches++ % FETCHES_IN_A_ROW];
    uint64_t now = kernel_us() / 1000;

    if (fetches > FETCHES_IN_A_ROW && now - *before < FETCHES_WITHIN_MS)
        world_break("credentials: fetched %d times within %llu ms", (int)FETCHES_IN_A_ROW,
                    (unsigned long long)(now - *before));
    *before = now;
}

static void
asked(struct front_connection *c, const struct http_message *m)
{
    struct span token = services_setting("AWS_CONTAINER_AUTHORIZATION_TOKEN");

    if (!span_is(m->method, text_span("GET")) || !span_is(m->target, front.place.path))
        world_break("credentials: %.*s %.*s", (int)m->method.len, m->method.p, (int)m->target.len,
                    m->target.p);
    if (!span_is(http_value(m, "authorization"), token))
        world_break("credentials: Authorization is not the token");
    count_fetch();
    if (world_fault(&world.service, WORLD_CREDENTIALS_FAIL))
        fail(c);
    else
        give(c, 0, true);
}

void
credentials_begin(void)
{
    struct span uri = services_setting("AWS_CONTAINER_CREDENTIALS_FULL_URI");

    memset(table, 0, sizeof table);
    given = fetches = 0;
    take_environment();
    if (uri.len == 0)
        return;
    front = (struct front){.name = "credent.", .asked = asked};
    services_place(&front.place, uri);
    front_open(&front);
}
