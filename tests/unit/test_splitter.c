#include "protocol/splitter.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "protocol/out.h"
#include "seed.h"

/* events: what is handed out, a semicolon behind each. inside: the input ends within an event. */
static const struct row {
    const char *name;
    struct span in;
    int want;
    bool inside;
    struct span events;
} rows[] = {
    {"empty array", TEXT("[]"), 0, false, TEXT("")},
    {"empty array with white space", TEXT(" \t\r\n[ \t\r\n]"), 0, false, TEXT("")},
    {"one object", TEXT("[{\"a\":1}]"), 0, false, TEXT("{\"a\":1};")},
    {"three objects", TEXT("[{\"a\":1},{},{\"b\":\"c\"}]"), 0, false,
     TEXT("{\"a\":1};{};{\"b\":\"c\"};")},
    {"white space", TEXT(" [\n {\"a\" :\t1} ,\r\n{ }\t] "), 0, false, TEXT("{\"a\" :\t1};{ };")},
    {"strings", TEXT("[\"\",\"a\",\"b c\" ]"), 0, false, TEXT("\"\";\"a\";\"b c\";")},
    {"punctuation in strings", TEXT("[\"]\",\",\",\"}{[\",{\"a]\":\",}\"}]"), 0, false,
     TEXT("\"]\";\",\";\"}{[\";{\"a]\":\",}\"};")},
    {"escapes", TEXT("[\"\\\"\",\"\\\\\",\"\\\\\\\"]\",{\"\\\"\":\"\\\\\"}]"), 0, false,
     TEXT("\"\\\"\";\"\\\\\";\"\\\\\\\"]\";{\"\\\"\":\"\\\\\"};")},
    {"escaped number", TEXT("[\"\\u0022]\",1]"), 0, false, TEXT("\"\\u0022]\";1;")},
    {"nested", TEXT("[{\"a\":[{},[1,{\"b\":[]}]]},[[],[[]]],[{}]]"), 0, false,
     TEXT("{\"a\":[{},[1,{\"b\":[]}]]};[[],[[]]];[{}];")},
    {"scalars", TEXT("[1,-2.5e+3,true,false,null]"), 0, false, TEXT("1;-2.5e+3;true;false;null;")},
    {"scalars and white space", TEXT("[1 ,\n2\t, 3\r]"), 0, false, TEXT("1;2;3;")},
    {"telemetry",
     TEXT("[{\"time\":\"t\",\"type\":\"function\",\"record\":\"a\\n\"},\n"
          "{\"type\":\"platform.start\",\"record\":{\"requestId\":\"1\"}}]"),
     0, false,
     TEXT("{\"time\":\"t\",\"type\":\"function\",\"record\":\"a\\n\"};"
          "{\"type\":\"platform.start\",\"record\":{\"requestId\":\"1\"}};")},
    {"no UTF-8", TEXT("[\"\xff\xc3\",{\"\x80\":\"\xf0\x9f\"}]"), 0, false,
     TEXT("\"\xff\xc3\";{\"\x80\":\"\xf0\x9f\"};")},
    {"cut characters", TEXT("[\"\xc3\xa4\xf0\x9f\x98\x80\"]"), 0, false,
     TEXT("\"\xc3\xa4\xf0\x9f\x98\x80\";")},
    {"zero and control bytes", TEXT("[\"\0\x01\n\",1]"), 0, false, TEXT("\"\0\x01\n\";1;")},

    {"text behind it", TEXT("[1]xyz"), 0, false, TEXT("1;")},
    {"array behind it", TEXT("[{}][{\"a\":1}]"), 0, false, TEXT("{};")},
    {"bracket behind it", TEXT("[]]"), 0, false, TEXT("")},
    {"comma behind it", TEXT("[1],2"), 0, false, TEXT("1;")},

    /* what finding the end does not need is not checked */
    {"wrong bracket", TEXT("[{\"a\":1],[2}]"), 0, false, TEXT("{\"a\":1];[2};")},
    {"broken object", TEXT("[{,,:},{\"a\" \"b\"}]"), 0, false, TEXT("{,,:};{\"a\" \"b\"};")},
    {"words", TEXT("[nil,a.b,\xff]"), 0, false, TEXT("nil;a.b;\xff;")},
    {"word with a closing brace", TEXT("[1},{\"a\":2},3]"), 0, false, TEXT("1};{\"a\":2};3;")},
    {"word with a string", TEXT("[a\"]\",2]"), 0, false, TEXT("a\"]\";2;")},
    {"word with braces", TEXT("[a{},2]"), 0, false, TEXT("a{};2;")},
    {"word with a string in braces", TEXT("[a{\"b\"c},2]"), 0, false, TEXT("a{\"b\"c};2;")},
    {"word with a string behind a bracket", TEXT("[a[\"b\"c},2]"), 0, false, TEXT("a[\"b\"c};2;")},
    {"word with braces in braces", TEXT("[a{{\"b\"}c},2]"), 0, false, TEXT("a{{\"b\"}c};2;")},
    {"text behind the braces of a word", TEXT("[a{}b]"), ERR_BAD, false, TEXT("a{};")},

    {"nothing", TEXT(""), ERR_MORE, false, TEXT("")},
    {"white space alone", TEXT(" \n"), ERR_MORE, false, TEXT("")},
    {"ends at the bracket", TEXT("["), ERR_MORE, false, TEXT("")},
    {"ends behind an event", TEXT("[{}"), ERR_MORE, false, TEXT("{};")},
    {"ends behind a comma", TEXT("[{}, "), ERR_MORE, false, TEXT("{};")},
    {"ends in an object", TEXT("[{},{\"a\":1"), ERR_MORE, true, TEXT("{};")},
    {"ends in a string", TEXT("[{},{\"a\":\"b"), ERR_MORE, true, TEXT("{};")},
    {"ends in an escape", TEXT("[\"a\\"), ERR_MORE, true, TEXT("")},
    {"ends behind an escaped quote", TEXT("[\"a\\\""), ERR_MORE, true, TEXT("")},
    {"ends in a word", TEXT("[1,tru"), ERR_MORE, true, TEXT("1;")},
    {"ends before the last bracket", TEXT("[[[]]"), ERR_MORE, false, TEXT("[[]];")},

    {"object", TEXT("{\"a\":1}"), ERR_BAD, false, TEXT("")},
    {"string", TEXT("\"[1]\""), ERR_BAD, false, TEXT("")},
    {"number", TEXT("1"), ERR_BAD, false, TEXT("")},
    {"text", TEXT("OK"), ERR_BAD, false, TEXT("")},
    {"byte order mark", TEXT("\xef\xbb\xbf[]"), ERR_BAD, false, TEXT("")},
    {"closing bracket", TEXT("]"), ERR_BAD, false, TEXT("")},
    {"comma first", TEXT("[,1]"), ERR_BAD, false, TEXT("")},
    {"comma doubled", TEXT("[1,,2]"), ERR_BAD, false, TEXT("1;")},
    {"comma at the end", TEXT("[1,]"), ERR_BAD, false, TEXT("1;")},
    {"comma left out", TEXT("[{} {}]"), ERR_BAD, false, TEXT("{};")},
    {"comma left out between strings", TEXT("[\"a\"\"b\"]"), ERR_BAD, false, TEXT("\"a\";")},
    {"comma left out between words", TEXT("[1 2]"), ERR_BAD, false, TEXT("1;")},
    {"colon", TEXT("[\"a\":1]"), ERR_BAD, false, TEXT("\"a\";")},
    {"colon first", TEXT("[:]"), ERR_BAD, false, TEXT("")},
    {"brace for the bracket", TEXT("[1}"), ERR_MORE, true, TEXT("")},
    {"brace for the bracket of none", TEXT("[}"), ERR_BAD, false, TEXT("")},
    {"brace behind a comma", TEXT("[1,}"), ERR_BAD, false, TEXT("1;")},
    {"brace behind an event", TEXT("[{}}"), ERR_BAD, false, TEXT("{};")},
};

static size_t
longest(struct span events)
{
    size_t most = 0;

    while (events.len > 0) {
        struct span event = span_cut(events, ';', &events);

        most = event.len > most ? event.len : most;
    }
    return most;
}

/* Hands over one piece of input; the events go to seen. The piece lies before an unreadable page. */
static int
feed(struct splitter *s, struct span piece, struct out *seen)
{
    struct span in = guard_copy(piece), event;
    int r;

    while ((r = splitter_next(s, &in, &event)) == 1) {
        out_put(seen, event);
        out_byte(seen, ';');
    }
    if (r != ERR_FULL)
        assert_int_equal(in.len, 0);
    return r;
}

/* Once ended, it stays so, whatever comes. */
static void
check_end(const struct row *row, struct splitter *s, int got, struct out *seen)
{
    CHECK_INT(row->name, got, row->want);
    CHECK_SPAN(row->name, out_span(seen), row->events);
    CHECK_INT(row->name, splitter_inside(s), row->inside);
    if (got == ERR_MORE) {
        CHECK_INT(row->name, feed(s, SPAN(""), seen), ERR_MORE);
    } else {
        CHECK_INT(row->name, feed(s, SPAN(""), seen), row->want);
        CHECK_INT(row->name, feed(s, SPAN("[{}]"), seen), row->want);
        CHECK_SPAN(row->name, out_span(seen), row->events);
    }
}

static void
whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[256];
        struct out seen = out_to(text, sizeof text);
        /* of an event that does not end here the beginning has to be kept */
        size_t cap = rows[i].inside ? rows[i].in.len : 0;
        struct splitter s;

        seed("splitter", rows[i].in);
        splitter_start(&s, guard_buffer(cap), cap);
        check_end(&rows[i], &s, feed(&s, rows[i].in, &seen), &seen);
    }
}

/* The carry has just the room that the longest event takes, or the one that does not end. */
static void
start_small(const struct row *row, struct splitter *s)
{
    size_t cap = row->inside ? row->in.len : longest(row->events);

    splitter_start(s, guard_buffer(cap), cap);
}

static void
byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[256];
        struct out seen = out_to(text, sizeof text);
        struct splitter s;
        int got = ERR_MORE;

        start_small(&rows[i], &s);
        for (size_t n = 0; n < rows[i].in.len; n++) {
            int before = got;

            got = feed(&s, (struct span){rows[i].in.p + n, 1}, &seen);
            CHECK(rows[i].name, got == before || (before == ERR_MORE && got == rows[i].want));
            CHECK(rows[i].name, span_starts(rows[i].events, out_span(&seen)));
        }
        check_end(&rows[i], &s, got, &seen);
    }
}

/* In three pieces, and so in two, one of which may be empty. */
static void
every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct span in = rows[i].in;

        for (size_t a = 0; a <= in.len; a++) {
            for (size_t b = a; b <= in.len; b++) {
                char text[256];
                struct out seen = out_to(text, sizeof text);
                struct splitter s;

                start_small(&rows[i], &s);
                (void)feed(&s, (struct span){in.p, a}, &seen);
                (void)feed(&s, (struct span){in.p + a, b - a}, &seen);
                check_end(&rows[i], &s, feed(&s, span_skip(in, b), &seen), &seen);
            }
        }
    }
}

/* An event that is there in one piece is not copied. */
static void
in_place(void **state)
{
    struct span in = guard_copy(SPAN("[{\"a\":1},\"b\", 3 ]")), event;
    const char *start = in.p;
    struct splitter s;

    (void)state;
    splitter_start(&s, NULL, 0);
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_ptr_equal(event.p, start + 1);
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_ptr_equal(event.p, start + 9);
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_ptr_equal(event.p, start + 14);
    assert_int_equal(event.len, 1);
    assert_int_equal(splitter_next(&s, &in, &event), 0);
}

/*
 * A body whose events outgrow small carries: fed in three pieces, cut anywhere. enlarge: the carry
 * is replaced when it is full; otherwise the event is given up and all others have to come.
 */
static const struct span crowd = TEXT(
    "[{\"a\":\"0123456789\"},{\"b\":1},22,\"c\\\"]\" , [[],[1]],\"\\\\\",{\"d\":{\"e\":\"}\"}},1]");
static const struct span crowd_events = TEXT(
    "{\"a\":\"0123456789\"};{\"b\":1};22;\"c\\\"]\";[[],[1]];\"\\\\\";{\"d\":{\"e\":\"}\"}};1;");

struct crowd {
    struct splitter s;
    struct span left; /* events that have not come yet */
    size_t cap;
    bool enlarge;
    char large[32];
};

static void
feed_crowd(struct crowd *c, struct span piece, int want)
{
    struct span in = guard_copy(piece), event;
    int r;

    while ((r = splitter_next(&c->s, &in, &event)) == 1 || r == ERR_FULL) {
        struct span next = span_cut(c->left, ';', &c->left);

        if (r == 1) {
            CHECK_SPAN("event", event, next);
            continue;
        }
        /* full for good reason, and still in this event */
        CHECK("full", next.len > c->cap && splitter_inside(&c->s));
        if (c->enlarge) {
            splitter_carry(&c->s, c->large, sizeof c->large);
            CHECK_INT("enlarged", c->s.cap, sizeof c->large);
            c->cap = sizeof c->large;
            c->left = (struct span){next.p, (size_t)(c->left.p + c->left.len - next.p)};
        } else {
            splitter_skip(&c->s);
            CHECK("skipping", splitter_inside(&c->s));
        }
    }
    CHECK_INT("crowd", r, want);
    CHECK_INT("crowd", in.len, 0);
}

static void
carry_too_small(void **state)
{
    (void)state;
    for (size_t cap = 0; cap <= 20; cap++)
        for (size_t a = 0; a <= crowd.len; a++)
            for (size_t b = a; b <= crowd.len; b++) {
                struct crowd c = {.left = crowd_events, .cap = cap, .enlarge = (a + b) % 2 == 0};

                splitter_start(&c.s, guard_buffer(cap), cap);
                feed_crowd(&c, (struct span){crowd.p, a}, a < crowd.len ? ERR_MORE : 0);
                feed_crowd(&c, (struct span){crowd.p + a, b - a}, b < crowd.len ? ERR_MORE : 0);
                feed_crowd(&c, span_skip(crowd, b), 0);
                CHECK_INT("left", c.left.len, 0);
            }
}

static void
carry_too_small_byte_by_byte(void **state)
{
    (void)state;
    for (size_t round = 0; round <= 40; round++) {
        struct crowd c = {.left = crowd_events, .cap = round / 2, .enlarge = round % 2};

        splitter_start(&c.s, guard_buffer(c.cap), c.cap);
        for (size_t n = 0; n < crowd.len; n++)
            feed_crowd(&c, (struct span){crowd.p + n, 1}, n + 1 < crowd.len ? ERR_MORE : 0);
        CHECK_INT("left", c.left.len, 0);
    }
}

/* Given up, and then the body ends: the rest of it is within the event that is passed over. */
static void
skip_to_the_end(void **state)
{
    struct splitter s;
    char text[32];
    struct out seen = out_to(text, sizeof text);

    (void)state;
    splitter_start(&s, guard_buffer(4), 4);
    assert_int_equal(feed(&s, SPAN("[1,{\"a\":"), &seen), ERR_FULL);
    splitter_skip(&s);
    assert_int_equal(feed(&s, SPAN("{\"a\":"), &seen), ERR_MORE);
    assert_true(splitter_inside(&s));
    assert_true(s.skipping);
    assert_int_equal(feed(&s, SPAN("\"\\\"}]"), &seen), ERR_MORE);
    assert_true(splitter_inside(&s));
    /* the next body knows nothing of it */
    splitter_start(&s, guard_buffer(4), 4);
    assert_false(splitter_inside(&s));
    assert_int_equal(feed(&s, SPAN("[2]"), &seen), 0);
    CHECK_SPAN("seen", out_span(&seen), SPAN("1;2;"));
}

#define DEEP ((size_t)100000)

/* Deep nesting costs a counter, in one piece and in many. */
static void
deep(void **state)
{
    static char body[2 * DEEP + 4], carry[2 * DEEP];
    struct splitter s;
    struct span in, event;

    (void)state;
    body[0] = '[';
    memset(body + 1, '[', DEEP);
    memset(body + 1 + DEEP, ']', DEEP);
    memcpy(body + 1 + 2 * DEEP, ",1]", sizeof ",1]" - 1);
    splitter_start(&s, NULL, 0);
    in = guard_copy((struct span){body, sizeof body});
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_int_equal(event.len, 2 * DEEP);
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_int_equal(splitter_next(&s, &in, &event), 0);

    splitter_start(&s, carry, sizeof carry);
    for (size_t n = 0; n < 1 + 2 * DEEP - 1; n++) {
        in = guard_copy((struct span){body + n, 1});
        assert_int_equal(splitter_next(&s, &in, &event), ERR_MORE);
    }
    in = guard_copy((struct span){body + 2 * DEEP, 4});
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_ptr_equal(event.p, carry);
    CHECK_SPAN("deep", event, ((struct span){body + 1, 2 * DEEP}));
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    CHECK_SPAN("next", event, SPAN("1"));
    assert_int_equal(splitter_next(&s, &in, &event), 0);
}

/* Many events in pieces of every size, as reads from a socket bring them. */
static void
many(void **state)
{
    enum { EVENTS = 2000 };
    static char body[512 * EVENTS], carry[600];
    static struct span events[EVENTS];

    (void)state;
    for (int round = 0; round < 20; round++) {
        struct out o = out_to(body, sizeof body);
        struct span rest, in, event;
        struct splitter s;
        size_t met = 0;

        out_byte(&o, '[');
        for (size_t i = 0; i < EVENTS; i++) {
            size_t from = o.len;

            out_put(&o, SPAN("{\"n\":"));
            out_number(&o, i);
            out_put(&o, SPAN(",\"text\":\""));
            for (uint32_t n = dice(dice(10) == 0 ? 400 : 20); n > 0; n--)
                out_put(&o, dice(8) == 0 ? SPAN("\\\"") : SPAN("]"));
            out_put(&o, SPAN("\"}"));
            events[i] = (struct span){body + from, o.len - from};
            out_put(&o, i + 1 == EVENTS ? SPAN("]") : dice(2) == 0 ? SPAN(",") : SPAN(" ,\n"));
        }
        assert_int_equal(out_end(&o), 0);
        splitter_start(&s, carry, sizeof carry);
        for (rest = out_span(&o); rest.len > 0; rest = span_skip(rest, in.len)) {
            size_t n = 1 + dice(1u << (round % 16));
            struct span piece;
            int r;

            in = (struct span){rest.p, n < rest.len ? n : rest.len};
            piece = in;
            while ((r = splitter_next(&s, &piece, &event)) == 1) {
                assert_true(met < EVENTS);
                CHECK_SPAN("many", event, events[met]);
                met++;
            }
            assert_int_equal(r, in.len < rest.len ? ERR_MORE : 0);
        }
        assert_int_equal(met, EVENTS);
    }
}

/*
 * Bodies of which a part is no JSON as the platform writes it, or looks like an event and is none. events:
 * what is handed out, a semicolon behind each; cuts: damages that are to be counted; end: what the splitter
 * says at the body's end.
 */
#define TIME "\"time\":\"2026-11-20T10:00:00.123Z\""
#define HEAD "{" TIME ",\"type\":\"function\",\"record\":"
#define A HEAD "\"a\"}"
#define B HEAD "{\"b\":1}}"
#define DONE "{" TIME ",\"type\":\"platform.runtimeDone\",\"record\":{\"status\":\"success\"}}"

static const struct damage {
    const char *name;
    struct span in;
    unsigned cuts;
    int end;
    struct span events;
} damages[] = {
    {"number", TEXT("[" HEAD "\"34,\"q\":\"x\"}}," A "," B "]"), 1, 0, TEXT(A ";" B ";")},
    {"string", TEXT("[" HEAD "\"bbb\",\"n\":1}}," A "," DONE "]"), 1, 0, TEXT(A ";" DONE ";")},
    {"behind a backslash", TEXT("[" HEAD "\"\" bbb\"}," A "," B "]"), 1, 0, TEXT(A ";" B ";")},
    {"between two backslashes", TEXT("[" HEAD "\"\\\"}," A "," B "]"), 1, 0, TEXT(A ";" B ";")},
    {"last string of an object in an array", TEXT("[" HEAD "\"y\"},{\"b\":2},3]}," A "]"), 1, 0,
     TEXT(A ";")},
    {"an object's end", TEXT("[" HEAD "\"}}," A "]"), 1, 0, TEXT(A ";")},
    {"an array's end", TEXT("[" HEAD "\"y\"]}," A "]"), 1, 0, TEXT(A ";")},
    {"array in an array", TEXT("[" HEAD "\"y\"],[{}],\"m\":{}}}," A "]"), 1, 0, TEXT(A ";")},
    {"text that looks like the end", TEXT("[" HEAD "\"3,\"}],\":[]}}," A "]"), 1, 0, TEXT(A ";")},
    {"text with braces", TEXT("[" HEAD "\"3,\"{\\\"\":\"{\\\"\"}}," A "]"), 1, 0, TEXT(A ";")},
    {"nothing behind", TEXT("[" HEAD "\"y\",\"n\":1}}]"), 1, 0, TEXT("")},
    {"nothing behind, quotation marks out of step", TEXT("[" HEAD "\"1}}]"), 0, ERR_MORE, TEXT("")},
    {"nothing behind a bracket", TEXT("[" HEAD "\"y\"}],\"n\":1}}]"), 1, 0, TEXT("")},
    {"nothing behind what is no JSON", TEXT("[" HEAD "\"y\"\"n\":1}]"), 1, 0, TEXT("")},
    {"text behind the array, as of a record", TEXT("[" A "]x},"), 0, 0, TEXT(A ";")},
    {"brackets and a brace behind the array", TEXT("[" A "]]{"), 0, 0, TEXT(A ";")},
    {"a comma behind the array, and nothing", TEXT("[" A "],"), 1, 0, TEXT("")},
    {"and cut once more", TEXT("[" HEAD "\"y\"},{\"c\":[1,"), 1, 0, TEXT("")},
    {"and cut in the next one", TEXT("[" HEAD "\"y\",\"n\":1}}," A "," HEAD), 1, ERR_MORE,
     TEXT(A ";")},
    {"white space",
     TEXT("[" HEAD "\"y\"} } , { " TIME " ,\n\"type\" : \"extension\",\"record\" :\t1}\r]"), 1, 0,
     TEXT("{ " TIME " ,\n\"type\" : \"extension\",\"record\" :\t1};")},

    {"comma left out", TEXT("[" A " " B "," A "]"), 1, 0, TEXT(A ";" A ";")},
    {"comma doubled", TEXT("[" B ",," A "]"), 1, 0, TEXT(B ";" A ";")},
    {"comma doubled behind a text", TEXT("[" A ",," B "]"), 1, 0, TEXT(A ";" B ";")},
    {"no comma before", TEXT("[" B "} " A "]"), 0, ERR_BAD, TEXT(B ";")},
    {"begins within", TEXT("1}," A "]"), 1, 0, TEXT(A ";")},
    {"behind the array", TEXT("[" B "]}," A "]"), 1, 0, TEXT(B ";" A ";")},
    {"two damages", TEXT("[" HEAD "\"y\",\"n\":1}}," A " " B "," B "]"), 2, 0, TEXT(A ";" B ";")},

    /* what may follow a damage: nothing that is not the platform's */
    {"other type", TEXT("[1 2,{" TIME ",\"type\":\"other\",\"record\":1}," A "]"), 1, 0,
     TEXT("1;" A ";")},
    {"no time", TEXT("[1 2,{\"time\":\"12:00\",\"type\":\"function\",\"record\":1}," A "]"), 1, 0,
     TEXT("1;" A ";")},
    {"no record", TEXT("[1 2,{" TIME ",\"type\":\"function\",\"n\":1}," A "]"), 1, 0,
     TEXT("1;" A ";")},
    {"time zone",
     TEXT("[1 2,{\"time\":\"2026-11-20T10:00:00+01:00\",\"type\":\"platform.x\",\"record\":1}]"), 1,
     0, TEXT("1;{\"time\":\"2026-11-20T10:00:00+01:00\",\"type\":\"platform.x\",\"record\":1};")},
    {"in a string", TEXT("[1 2,\",{\\\"time\\\":\\\"2026\"," A "]"), 1, 0, TEXT("1;" A ";")},
    /* a known limit: nothing tells these from the platform's own */
    {"a log of events, cut", TEXT("[" HEAD "\"y\",\"l\":[1," A "," B "]}}," A "]"), 2, 0,
     TEXT(A ";" B ";" A ";")},

    {"sound", TEXT("[" A "]"), 0, 0, TEXT(A ";")},
    {"sound, two", TEXT("[" A " , " B " ]\n"), 0, 0, TEXT(A ";" B ";")},
    {"sound, more members", TEXT("[" HEAD "\"a\",\"n\":{\"m\":1}}," A "]"), 0, 0,
     TEXT(HEAD "\"a\",\"n\":{\"m\":1}};" A ";")},
    {"sound, other values behind", TEXT("[" A ",1,\"x\",{\"a\":2}," A "]"), 0, 0,
     TEXT(A ";1;\"x\";{\"a\":2};" A ";")},
    {"sound, other values at the end", TEXT("[" A ",1,{\"a\":2}]"), 0, 0, TEXT(A ";1;{\"a\":2};")},
    {"sound, text behind", TEXT("[" A "]x" A), 0, 0, TEXT(A ";")},
    {"sound, brackets behind", TEXT("[" A "]]]"), 0, 0, TEXT(A ";")},
    {"arrays in arrays", TEXT("[" HEAD "\"y\"}] ]}]"), 1, 0, TEXT("")},
    {"sound, not closed", TEXT("[" A ","), 0, ERR_MORE, TEXT(A ";")},
    {"sound, cut in the second", TEXT("[" A ",{\"ti"), 0, ERR_MORE, TEXT(A ";")},
    {"sound, cut in the first", TEXT("[" HEAD "\"a"), 0, ERR_MORE, TEXT("")},
    {"sound, cut in a word", TEXT("[" A ",12"), 0, ERR_MORE, TEXT(A ";")},
    {"a log of events",
     TEXT("[" HEAD "[" A "," A "]},{" TIME ",\"type\":\"function\",\"record\":{\"l\":[" A "," B
          "]}}]"),
     0, 0,
     TEXT(HEAD "[" A "," A "]};{" TIME ",\"type\":\"function\",\"record\":{\"l\":[" A "," B
               "]}};")},
    {"a log of events in a text",
     TEXT("[" HEAD
          "\"},{\\\"time\\\":\\\"2026-11-20T10:00:00.123Z\\\",\\\"type\\\":\\\"function\\\"\"}," A
          "]"),
     0, 0,
     TEXT(HEAD
          "\"},{\\\"time\\\":\\\"2026-11-20T10:00:00.123Z\\\",\\\"type\\\":\\\"function\\\"\"};" A
          ";")},
};

/* What came of a body. */
struct got {
    char text[4096];
    struct out events;
    unsigned cuts;
};

static int
feed_damaged(struct splitter *s, struct span piece, struct got *got)
{
    struct span in = guard_copy(piece), event;
    int r;

    while ((r = splitter_next(s, &in, &event)) == 1 || r == SPLITTER_CUT) {
        if (r == SPLITTER_CUT) {
            got->cuts++;
            continue;
        }
        out_put(&got->events, event);
        out_byte(&got->events, ';');
    }
    assert_int_equal(in.len, 0);
    return r;
}

/* In pieces of so many bytes at most. Returns what the splitter says at the end. */
static int
split_damaged(struct span body, size_t most, struct got *got)
{
    static char carry[8192];
    struct splitter s;

    got->events = out_to(got->text, sizeof got->text);
    got->cuts = 0;
    splitter_start(&s, carry, sizeof carry);
    while (body.len > 0) {
        size_t n = most < body.len ? most : body.len;

        (void)feed_damaged(&s, (struct span){body.p, n}, got);
        body = span_skip(body, n);
    }
    splitter_end(&s);
    return feed_damaged(&s, SPAN(""), got);
}

static void
damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(damages); i++) {
        seed("splitter", damages[i].in);
        seed("resync", damages[i].in);
        for (size_t most = 1; most <= damages[i].in.len; most++) {
            struct got got;

            CHECK_INT(damages[i].name, split_damaged(damages[i].in, most, &got), damages[i].end);
            CHECK_SPAN(damages[i].name, out_span(&got.events), damages[i].events);
            CHECK_INT(damages[i].name, got.cuts, damages[i].cuts);
        }
    }
}

/* Records that a cut can go through, at every byte. */
static const struct {
    const char *name;
    struct span record;
} records[] = {
    {"object", TEXT("{\"p\":12.5e3,\"q\":\"x y\",\"\":null,\"t\":true,\"u\":\"\"}")},
    {"text with escapes",
     TEXT("\"a\\\"b\\\\c\\\\\\\"\\n\\u00e4\\ud83d\\ude00 },{ \xc3\xa4\xf0\x9f\x98\x80 ]}\\\\\"")},
    {"nested", TEXT("{\"a\":[{\"b\":\"x\\\"}\"},{\"c\":[1,[2,\"y\"],{}]},\"}],{\",3],\"d\":{\"e\":{"
                    "\"f\":\"\\\\\","
                    "\"\xc3\xa4\":\"{[\\\"\"}},\"g\":\"},{\\\"time\\\":\\\"2026-11-20T10:00:"
                    "00Z\\\"\",\"h\":[[]]}")},
};

/* Whether the rest of a text, from behind the quotation mark that the platform opens, is a text. */
static bool
is_text(struct span rest)
{
    size_t at = 0;

    while (at < rest.len && rest.p[at] != '"')
        at += rest.p[at] == '\\' ? 2 : 1;
    return at + 1 == rest.len;
}

/* What follows the rest of the record in its body, and the events of this. */
static const struct {
    const char *name;
    struct span body, events;
    bool whole; /* the body ends as it should */
} behind[] = {
    {"two events and the end", TEXT("}," A "," DONE "]"), TEXT(A ";" DONE ";"), true},
    {"an object", TEXT("} ,\n" B "]"), TEXT(B ";"), true},
    {"a cut event", TEXT("}," B "," HEAD "{\"x"), TEXT(B ";"), false},
};

static void
check_second_half(const char *name, struct span rest, bool text, size_t which)
{
    char body[1024], want[1024];
    struct out o = out_to(body, sizeof body), events = out_to(want, sizeof want);

    out_put(&o, SPAN("[" HEAD "\""));
    out_put(&o, rest);
    out_put(&o, behind[which].body);
    if (text) {
        out_put(&events, SPAN(HEAD "\""));
        out_put(&events, rest);
        out_put(&events, SPAN("};"));
    }
    out_put(&events, behind[which].events);
    for (size_t most = 1; most <= o.len; most = most < 4 ? most + 1 : most * 2 + 1) {
        struct got got;
        int end = split_damaged(out_span(&o), most, &got);

        CHECK_SPAN(name, out_span(&got.events), out_span(&events));
        CHECK_INT(name, got.cuts, !text);
        CHECK_INT(name, end, behind[which].whole ? 0 : ERR_MORE);
    }
}

static void
cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(records); i++) {
        struct span record = records[i].record;

        for (size_t at = 0; at <= record.len; at++) {
            struct span rest = span_skip(record, at);

            seed("resync", rest);
            for (size_t j = 0; j < LEN(behind); j++)
                check_second_half(records[i].name, rest, record.p[0] == '"' && is_text(rest), j);
        }
    }
}

/* A record whose rest outgrows the carry: into a larger one, or given up. Behind it all comes. */
static void
damaged_and_large(void **state)
{
    static const char *const rests[] = {"\"34,\"q\":\"", "\"bbb\",\"n\":1,\"q\":\"", "\""};
    static char body[40000], small[1024], large[32768];

    (void)state;
    for (size_t i = 0; i < 3 * LEN(rests); i++) {
        struct out o = out_to(body, sizeof body);
        struct got got = {.events = out_to(got.text, sizeof got.text)};
        size_t len = i / LEN(rests) == 0 ? 900 : 20000, skipped = 0;
        struct splitter s;

        out_put(&o, SPAN("[" HEAD));
        out_put(&o, span_of(rests[i % LEN(rests)]));
        for (size_t n = 0; n < len; n++)
            out_byte(&o, 'x');
        out_put(&o, i % LEN(rests) == 2 ? SPAN("\"}," A "," B "]") : SPAN("\"}}," A "," B "]"));
        splitter_start(&s, small, sizeof small);
        for (size_t at = 0, n; at < o.len; at += n) {
            struct span in, event;
            int r;

            n = 1 + dice(700);
            n = n < o.len - at ? n : o.len - at;
            in = guard_copy((struct span){body + at, n});
            while ((r = splitter_next(&s, &in, &event)) != ERR_MORE && r != 0) {
                if (r == ERR_FULL && i / LEN(rests) < 2) {
                    splitter_carry(&s, large, sizeof large);
                } else if (r == ERR_FULL) {
                    assert_false(splitter_settle(&s));
                    splitter_skip(&s);
                    skipped++;
                } else if (r == SPLITTER_CUT) {
                    got.cuts++;
                } else if (event.len < 100) {
                    out_put(&got.events, event);
                    out_byte(&got.events, ';');
                }
            }
        }
        splitter_end(&s);
        assert_int_equal(feed_damaged(&s, SPAN(""), &got), 0);
        CHECK_SPAN("large", out_span(&got.events), SPAN(A ";" B ";"));
        assert_int_equal(skipped, i / LEN(rests) == 2);
        assert_int_equal(got.cuts, i / LEN(rests) < 2 && i % LEN(rests) < 2);
    }
}

/* The carry is full of what follows an event that is held: it is let go. */
static void
settled(void **state)
{
    static char carry[256];
    struct got got = {.events = out_to(got.text, sizeof got.text)};
    struct span in = SPAN("[" A ",{\"b\":\""), event;
    struct splitter s;
    int r;

    (void)state;
    splitter_start(&s, carry, sizeof carry);
    assert_false(splitter_settle(&s));
    assert_int_equal(splitter_next(&s, &in, &event), ERR_MORE);
    do {
        in = SPAN("0123456789");
        r = splitter_next(&s, &in, &event);
    } while (r == ERR_MORE);
    assert_int_equal(r, ERR_FULL);
    assert_true(splitter_settle(&s));
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    CHECK_SPAN("settled", event, SPAN(A));
    assert_int_equal(splitter_next(&s, &in, &event), ERR_MORE);
    in = SPAN("\"},1]");
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_true(span_starts(event, SPAN("{\"b\":\"01234")));
    assert_int_equal(feed_damaged(&s, in, &got), 0);
    CHECK_SPAN("settled", out_span(&got.events), SPAN("1;"));
}

/*
 * After a damage the beginning of an event is kept as far as the carry has room: found with as much as the event
 * takes, lost with less than its envelope, and nothing is written behind the carry.
 */
static void
damaged_and_small(void **state)
{
    static const struct span event = TEXT(A);
    static char filler[3000];
    const size_t envelope = sizeof HEAD - 1;

    (void)state;
    memset(filler, 'x', sizeof filler);
    for (size_t cap = 0; cap <= 2 * event.len; cap++)
        for (size_t at = 1; at < envelope; at++) {
            struct got got = {.cuts = 0};
            struct splitter s;

            if (cap >= envelope && cap < event.len)
                continue;
            got.events = out_to(got.text, sizeof got.text);
            splitter_start(&s, guard_buffer(cap), cap);
            assert_int_equal(feed_damaged(&s, SPAN("[1 2,"), &got), ERR_BAD);
            (void)feed_damaged(&s, (struct span){event.p, at}, &got);
            (void)feed_damaged(&s, span_skip(event, at), &got);
            (void)feed_damaged(&s, (struct span){filler, sizeof filler}, &got);
            (void)feed_damaged(&s, SPAN("," A "]"), &got);
            CHECK_SPAN("events", out_span(&got.events),
                       cap >= event.len ? SPAN("1;" A ";" A ";") : SPAN("1;" A ";"));
        }
}

/* What looked like an event's beginning, and was kept, was none; the event comes behind it. */
static void
damaged_and_misled(void **state)
{
    static const struct span event = TEXT(A);

    (void)state;
    for (size_t len = 1; len < sizeof HEAD - 1; len++)
        for (unsigned wide = 0; wide < 2; wide++) {
            size_t cap = wide ? 3 * event.len : len;
            struct got got = {.cuts = 0};
            struct splitter s;

            got.events = out_to(got.text, sizeof got.text);
            splitter_start(&s, guard_buffer(cap), cap);
            assert_int_equal(feed_damaged(&s, SPAN("[1 2,"), &got), ERR_BAD);
            (void)feed_damaged(&s, (struct span){event.p, len}, &got);
            (void)feed_damaged(&s, SPAN("," A "]"), &got);
            CHECK_SPAN("events", out_span(&got.events), SPAN("1;" A ";"));
        }
}

/* Within a damage nothing is over, until the body is. */
static void
damaged_and_open(void **state)
{
    static char carry[256];
    struct got got = {.cuts = 0};
    struct splitter s;

    (void)state;
    got.events = out_to(got.text, sizeof got.text);
    splitter_start(&s, carry, sizeof carry);
    assert_int_equal(feed_damaged(&s, SPAN("[" HEAD "\"y\",\"n\":1}}"), &got), ERR_MORE);
    assert_int_equal(feed_damaged(&s, SPAN(" and so on"), &got), ERR_MORE);
    assert_int_equal(got.cuts, 0);
    splitter_end(&s);
    assert_int_equal(feed_damaged(&s, SPAN(""), &got), 0);
    assert_int_equal(got.cuts, 1);
}

/* An event on trial for which there is no room is looked at anew with more room. */
static void
trial_without_room(void **state)
{
    static char text[5000], carry[2 * sizeof text];
    struct span event = {text, sizeof text - 1};
    static const size_t cuts[] = {1, 100, 1500, sizeof text - 2};

    (void)state;
    memset(text, 'y', sizeof text);
    memcpy(text, HEAD "\"", sizeof HEAD);
    memcpy(text + event.len - 2, "\"}", 2);
    for (size_t i = 0; i < LEN(cuts); i++) {
        struct splitter s;
        struct span in, got;

        splitter_start(&s, guard_buffer(10), 10);
        in = SPAN("[");
        assert_int_equal(splitter_next(&s, &in, &got), ERR_MORE);
        in = (struct span){text, cuts[i]};
        if (cuts[i] > 10) {
            struct splitter given_up;
            struct span none = SPAN("");

            assert_int_equal(splitter_next(&s, &in, &got), ERR_FULL);
            assert_int_equal(in.len, cuts[i]);
            assert_int_equal(splitter_next(&s, &none, &got), ERR_MORE);
            given_up = s;
            splitter_skip(&given_up);
            assert_true(splitter_inside(&given_up) && given_up.skipping);
        }
        splitter_carry(&s, carry, sizeof carry);
        assert_int_equal(splitter_next(&s, &in, &got), ERR_MORE);
        in = span_skip(event, cuts[i]);
        assert_int_equal(splitter_next(&s, &in, &got), ERR_MORE);
        in = SPAN("," A "]");
        assert_int_equal(splitter_next(&s, &in, &got), 1);
        CHECK_SPAN("event", got, event);
        assert_int_equal(splitter_next(&s, &in, &got), 1);
        CHECK_SPAN("next", got, SPAN(A));
        assert_int_equal(splitter_next(&s, &in, &got), 0);
    }
}

/* The marks are those of the event that came last, when it lies in the input. */
static void
marks(void **state)
{
    struct json_marks marks = {.len = 7};
    struct span in = SPAN("[{\"a\":1},{\"bc\":2},{\"d\""), event;
    struct splitter s;

    (void)state;
    splitter_start(&s, guard_buffer(16), 16);
    assert_null(splitter_marks(&s));
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_null(splitter_marks(&s)); /* none are wanted */
    s.marks = &marks;
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    CHECK_SPAN("second", event, SPAN("{\"bc\":2}"));
    assert_ptr_equal(splitter_marks(&s), &marks);
    assert_true(marks.len >= 2);
    assert_int_equal(marks.at[0], 1);
    assert_int_equal(marks.at[1], 4);
    assert_int_equal(splitter_next(&s, &in, &event), ERR_MORE);
    in = SPAN(":3}]");
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    CHECK_SPAN("third", event, SPAN("{\"d\":3}"));
    assert_null(splitter_marks(&s));
    splitter_start(&s, guard_buffer(4), 4);
    s.marks = &marks;
    in = SPAN("[{\"a\":1},");
    assert_int_equal(splitter_next(&s, &in, &event), 1);
    assert_ptr_equal(splitter_marks(&s), &marks);
    splitter_skip(&s);
    assert_null(splitter_marks(&s));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(in_place),
        cmocka_unit_test(carry_too_small),
        cmocka_unit_test(carry_too_small_byte_by_byte),
        cmocka_unit_test(skip_to_the_end),
        cmocka_unit_test(deep),
        cmocka_unit_test(many),
        cmocka_unit_test(damaged),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(damaged_and_large),
        cmocka_unit_test(settled),
        cmocka_unit_test(marks),
        cmocka_unit_test(damaged_and_small),
        cmocka_unit_test(damaged_and_open),
        cmocka_unit_test(damaged_and_misled),
        cmocka_unit_test(trial_without_room),
    };

    return RUN(argc, argv, tests);
}
