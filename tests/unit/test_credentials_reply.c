#include "protocol/credentials_reply.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define WHOLE(access, secret, token, expiration)                                                   \
    "{\"AccessKeyId\":" access ",\"SecretAccessKey\":" secret ",\"Token\":" token                  \
    ",\"Expiration\":" expiration "}"
#define LATER "\"2026-11-20T12:00:00Z\""
#define LATER_MS 1795176000000

static const struct {
    struct span body;
    int want;
    const char *access_key, *secret_key, *session_token;
    uint64_t expires_ms;
} replies[] = {
    {TEXT(WHOLE("\"AKID\"", "\"s/k+\"", "\"t//o+==\"", LATER)), 0, "AKID", "s/k+",
     "t//o+==", LATER_MS},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"C\"", "\"2026-11-20T12:00:00.123456789Z\"")), 0, "A", "B", "C",
     LATER_MS + 123},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"C\"", "\"2026-11-20T14:00:00+02:00\"")), 0, "A", "B", "C",
     LATER_MS},
    /* escapes that say the same */
    {TEXT(WHOLE("\"\\u0041K\"", "\"s\\/k\\u002b\"", "\"t\\/\\/o\\\\\\\"\"", LATER)), 0, "AK",
     "s/k+", "t//o\\\"", LATER_MS},
    {TEXT(" {\r\n \"RoleArn\" : \"r\", \"Expiration\" : " LATER ", \"Token\" : \"C\",\n"
          "\"SecretAccessKey\" : \"B\", \"AccessKeyId\" : \"A\", \"Code\" : {\"Token\" : 1} } "),
     0, "A", "B", "C", LATER_MS},

    {TEXT(""), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT("{}"), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT("[]"), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT("404 page not found"), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT("[" WHOLE("\"A\"", "\"B\"", "\"C\"", LATER) "]"), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT("{\"SecretAccessKey\":\"B\",\"Token\":\"C\",\"Expiration\":" LATER "}"), ERR_BAD, NULL,
     NULL, NULL, 0},
    {TEXT("{\"AccessKeyId\":\"A\",\"Token\":\"C\",\"Expiration\":" LATER "}"), ERR_BAD, NULL, NULL,
     NULL, 0},
    {TEXT("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"B\",\"Expiration\":" LATER "}"), ERR_BAD,
     NULL, NULL, NULL, 0},
    {TEXT("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"B\",\"Token\":\"C\"}"), ERR_BAD, NULL, NULL,
     NULL, 0},
    {TEXT(WHOLE("\"\"", "\"B\"", "\"C\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"\"", "\"C\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"C\"", "\"\"")), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "null", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("1", "\"B\"", "\"C\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "[\"B\"]", "\"C\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"C\"", "1795176000")), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"C\"", "\"tomorrow\"")), ERR_BAD, NULL, NULL, NULL, 0},
    /* what no header field can hold */
    {TEXT(WHOLE("\"A\\r\\nx: y\"", "\"B\"", "\"C\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"C\\n\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"C D\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\\u0000\"", "\"C\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"\\u00e4\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
    {TEXT(WHOLE("\"A\"", "\"B\"", "\"\x7f\"", LATER)), ERR_BAD, NULL, NULL, NULL, 0},
};

static void
reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        struct credentials_reply r;
        const char *row = replies[i].body.p;
        struct out room = out_to(guard_buffer(64), 64);

        seed("credentials_reply", replies[i].body);
        CHECK_INT(row, credentials_reply_read(guard_copy(replies[i].body), &room, &r),
                  replies[i].want);
        if (replies[i].want != 0)
            continue;
        CHECK_SPAN(row, r.access_key, span_of(replies[i].access_key));
        CHECK_SPAN(row, r.secret_key, span_of(replies[i].secret_key));
        CHECK_SPAN(row, r.session_token, span_of(replies[i].session_token));
        CHECK_INT(row, r.expires_ms, replies[i].expires_ms);
    }
}

/* Cut short anywhere, it is none; with a byte too little room, it does not fit. */
static void
cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        struct span body = span_trim(replies[i].body);
        struct credentials_reply r;
        struct out room;
        size_t need;

        for (size_t n = 0; n < body.len; n++) {
            room = out_to(guard_buffer(64), 64);
            CHECK_INT(body.p,
                      credentials_reply_read(guard_copy((struct span){body.p, n}), &room, &r),
                      ERR_BAD);
        }
        if (replies[i].want != 0)
            continue;
        need = strlen(replies[i].access_key) + strlen(replies[i].secret_key) +
               strlen(replies[i].session_token);
        for (size_t cap = 0; cap <= need; cap++) {
            room = out_to(guard_buffer(cap), cap);
            CHECK_INT(body.p, credentials_reply_read(body, &room, &r), cap < need ? ERR_FULL : 0);
        }
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply),
        cmocka_unit_test(cut),
    };

    return RUN(argc, argv, tests);
}
