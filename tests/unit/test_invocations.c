#include "protocol/invocations.h"

#include "check.h"
#include "protocol/timestamp.h"

#include <stdlib.h>

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"
#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/*
 * What happens, a step a letter: `n` next is asked for, `I` INVOKE, `S` platform.start, `D`
 * platform.runtimeDone, `R` platform.report, `L` a line, `?` a sign of loss; in lower case of A, in upper
 * case of B (next and the sign are of none). Each step is a second after the one before.
 */
/* The clocks have nothing to do with each other. */
enum { BETWEEN_CLOCKS_MS = 1000000, BUFFER_MS = 100 };

static struct moment
at(uint64_t wall_ms)
{
    return (struct moment){.ms = wall_ms + BETWEEN_CLOCKS_MS, .wall_ms = wall_ms};
}

/* Produced at a moment; the text lasts until the next call. */
static struct event
event_at(uint64_t wall_ms, struct span request_id)
{
    static char text[TIMESTAMP_RFC3339_LEN];

    timestamp_rfc3339(wall_ms, text);
    return (struct event){
        .type = EVENT_FUNCTION, .time = {text, sizeof text}, .request_id = request_id};
}

static bool of_one_letter; /* is each id, the shortest that there can be */

static struct span
id_of(char step)
{
    struct span id = step >= 'a' ? SPAN(A) : SPAN(B);

    return of_one_letter ? (struct span){id.p, 1} : id;
}

struct seen {
    bool ended, reported, doubtful; /* reported: nothing more of the latest is to come */
    char lines;                     /* whose the lines are: a, b, or - when nothing has told */
};

static void
take(struct invocations *v, char step, uint64_t now, struct seen *seen)
{
    struct event event = event_at(now, id_of(step));
    bool turned = false;

    switch (step | 0x20) {
    case 'n':
        invocations_asked(v, at(now));
        break;
    case 'i':
        invocations_invoke(v, id_of(step), at(now));
        break;
    case 's':
        invocations_start(v, &event);
        seen->lines = step >= 'a' ? 'a' : 'b';
        break;
    case 'd':
        turned = invocations_done(v, &event, at(now), BUFFER_MS);
        break;
    case 'r':
        invocations_report(v, id_of(step));
        break;
    case 'l':
        turned = invocations_announced(v) && invocations_line(v, &event);
        break;
    default:
        invocations_doubt(v);
    }
    if (turned)
        seen->lines = v->invoked.text[0];
}

static const struct {
    const char *name, *steps;
    struct seen want;
} lives[] = {
    {"before the first", "n", {true, true, false, '-'}},
    {"invoked", "ni", {false, false, false, '-'}},
    {"runs", "nisl", {false, false, false, 'a'}},
    {"ends", "nisld", {true, false, false, 'a'}},
    {"all of it is read before INVOKE", "nsldi", {true, false, false, 'a'}},
    {"its end before INVOKE, its start lost", "ndi", {false, false, false, '-'}},
    {"report comes with the next one", "nisldnrIS", {false, false, false, 'b'}},
    {"reported", "nisldnr", {false, true, false, 'a'}},
    {"reported, then the next", "nisldrnI", {false, false, false, 'a'}},

    {"another's end is not its own", "nisD", {false, false, false, 'a'}},
    {"another's end after its own is not its own", "nislnISDd", {true, false, false, 'b'}},
    {"the end again of the one before", "nisldnISDdl", {true, false, false, 'b'}},
    {"after the end of the one before came after next", "nislndSDI", {true, false, false, 'b'}},
    {"before the end of the one before came after next", "nislnSDdI", {true, false, false, 'b'}},
    {"of the first, when INVOKE of the one before was lost", "slSLDdI", {true, false, false, 'b'}},
    {"the start and end of the one before came after next", "ninsdIDl", {true, false, false, 'b'}},
    {"the same id again", "nisldnis", {false, false, false, 'a'}},
    {"again, the first end came after next", "nislndi", {false, false, false, 'a'}},
    {"again, the start tells first", "nislndsi", {false, false, false, 'a'}},
    {"again, the start tells later", "nislndis", {false, false, false, 'a'}},
    {"again, and its own end", "nislndisd", {true, false, false, 'a'}},
    {"again, all of it is read before INVOKE", "nislndsdi", {true, false, false, 'a'}},
    {"again, and the first end comes now", "nislnisd", {true, false, false, 'a'}},

    {"start lost: lines tell", "nisldnIL", {false, false, false, 'b'}},
    {"start lost: no line yet", "nisldnI", {false, false, false, 'a'}},
    {"start lost: the end of the one before tells", "nislnId", {false, false, false, 'b'}},
    {"start late", "nisldnILS", {false, false, false, 'b'}},
    {"start in time", "nisldnSIL", {false, false, false, 'b'}},
    {"the first one's start lost", "niL", {false, false, false, 'a'}},

    {"doubt", "nis?", {false, false, true, 'a'}},
    {"doubt before INVOKE", "ns?i", {false, false, true, 'a'}},
    {"doubt ends with next", "nis?n", {false, false, false, 'a'}},
    {"an end does not end it", "nis?d", {true, false, true, 'a'}},
};

static void
all_lives(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * LEN(lives); n++) {
        struct invocations v = {0};
        struct seen seen = {.lines = '-'};
        size_t i = n / 2;
        uint64_t now = 1000;

        of_one_letter = n % 2;
        for (const char *p = lives[i].steps; *p != '\0'; p++, now += 1000)
            take(&v, *p, now, &seen);
        CHECK_INT(lives[i].name, invocations_ended(&v), lives[i].want.ended);
        CHECK_INT(lives[i].name, !invocations_report_due(&v), lives[i].want.reported);
        CHECK_INT(lives[i].name, v.doubtful, lives[i].want.doubtful);
        CHECK_INT(lives[i].name, seen.lines, lives[i].want.lines);
    }
}

/* After these steps, whether the next invocation's lines are still waited for. */
static void
announced(void **state)
{
    static const struct {
        const char *steps;
        bool want;
    } rows[] = {
        {"ni", true},       /* its start has not come */
        {"nis", false},     /* it has */
        {"nisldnIs", true}, /* that of another one has */
        {"nsi", false},     /* it had come before */
        {"nid", true},      /* its own end tells nothing */
        {"nislnId", false}, /* the end of the one before does */
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct invocations v = {0};
        struct seen seen = {.lines = '-'};
        uint64_t now = 1000;

        for (const char *p = rows[i].steps; *p != '\0'; p++, now += 1000)
            take(&v, *p, now, &seen);
        CHECK_INT(rows[i].steps, invocations_announced(&v), rows[i].want);
    }
}

static bool
line_turns(struct invocations *v, uint64_t wall_ms)
{
    struct event line = event_at(wall_ms, (struct span){NULL, 0});

    return invocations_line(v, &line);
}

/* POSTs on two connections: the end may be read before the start; a later start is that of another attempt. */
static void
overtaken(void **state)
{
    static const struct {
        const char *name;
        uint64_t starts, ends;
        bool ended;
    } rows[] = {
        {"started before", 1200, 1500, true},
        {"at the same moment", 1500, 1500, true},
        {"started after", 1501, 1500, false},
        {"started, it does not say when", 0, 1500, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct invocations v = {0};
        struct event event;

        invocations_invoke(&v, SPAN(A), at(1000));
        event = event_at(rows[i].ends, SPAN(A));
        (void)invocations_done(&v, &event, at(2000), BUFFER_MS);
        event = event_at(rows[i].starts, SPAN(A));
        if (rows[i].starts == 0)
            event.time = (struct span){NULL, 0};
        invocations_start(&v, &event);
        CHECK_INT(rows[i].name, invocations_ended(&v), rows[i].ended);
    }
}

/* Of one whose INVOKE was lost start and end come late: neither takes back the end of the one that INVOKE named. */
static void
lost_invoke(void **state)
{
    struct invocations v = {0};
    struct event event;

    (void)state;
    invocations_asked(&v, at(1000));
    invocations_invoke(&v, SPAN(B), at(1300));
    event = event_at(1400, SPAN(B));
    (void)invocations_done(&v, &event, at(1500), BUFFER_MS);
    event = event_at(1100, SPAN(A));
    invocations_start(&v, &event);
    event = event_at(1200, SPAN(A));
    (void)invocations_done(&v, &event, at(1500), BUFFER_MS);
    CHECK_INT("ended", invocations_ended(&v), true);
    CHECK_INT("when", v.done_ms, at(1400).ms);
}

/* All of an attempt is read after `next` was asked for, and then the next attempt begins, which has the same id. */
static void
attempts(void **state)
{
    static const struct {
        const char *name;
        uint64_t starts, ends;
        bool ended;
    } rows[] = {
        {"of the one before", 1000, 1599, false},
        {"of the one before, which ended later", 1000, 1700, false},
        {"which began just before", 1599, 1700, false},
        {"whose end is that of the one before", 1650, 1599, false},
        {"at the same moment", 1600, 1600, true},
        {"read before INVOKE", 1600, 1700, true},
        {"whose start does not say when", 0, 1700, true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct invocations v = {0};
        struct event event;

        invocations_invoke(&v, SPAN(A), at(1000));
        invocations_asked(&v, at(1600));
        event = event_at(rows[i].starts, SPAN(A));
        if (rows[i].starts == 0)
            event.time = (struct span){NULL, 0};
        invocations_start(&v, &event);
        event = event_at(rows[i].ends, SPAN(A));
        (void)invocations_done(&v, &event, at(1800), BUFFER_MS);
        invocations_invoke(&v, SPAN(A), at(2000));
        CHECK_INT(rows[i].name, invocations_ended(&v), rows[i].ended);
    }
}

/* Lines of an invocation that has ended are its own, however late they come. */
static void
late_lines(void **state)
{
    struct invocations v = {0};
    struct event start = event_at(1000, SPAN(A));
    struct event done = event_at(1500, SPAN(A));
    struct event timeless = {.type = EVENT_FUNCTION};

    (void)state;
    invocations_invoke(&v, SPAN(A), at(1000));
    invocations_start(&v, &start);
    (void)invocations_done(&v, &done, at(1500), BUFFER_MS);
    invocations_asked(&v, at(1600));
    invocations_invoke(&v, SPAN(B), at(2000));
    CHECK_INT("announced", invocations_announced(&v), true);
    CHECK_INT("no time: taken for its own", invocations_line(&v, &timeless), true);
    CHECK_INT("but tells nothing of those behind it", invocations_announced(&v), true);
    CHECK_INT("produced before the end", line_turns(&v, 1499), false);
    CHECK_INT("at the end", line_turns(&v, 1500), false);
    CHECK_INT("still announced", invocations_announced(&v), true);
    CHECK_INT("after it", line_turns(&v, 1501), true);
    CHECK_INT("known", invocations_announced(&v), false);
    /* of one whose end is not known */
    invocations_asked(&v, at(2100));
    invocations_invoke(&v, SPAN(A), at(2200));
    CHECK_INT("produced before INVOKE", line_turns(&v, 2200), false);
    CHECK_INT("after it", line_turns(&v, 2201), true);
}

/* An end that comes twice ends what it ends once; but the worst that it says counts: nobody waits for a reset. */
static void
told_again(void **state)
{
    struct invocations v = {0};
    struct event done = event_at(1500, SPAN(A));

    (void)state;
    invocations_invoke(&v, SPAN(A), at(1000));
    (void)invocations_done(&v, &done, at(1500), BUFFER_MS);
    (void)invocations_done(&v, &done, at(1600), BUFFER_MS);
    CHECK_INT("well both times", v.resets || v.failed, false);
    done = event_at(1800, SPAN(A));
    done.resets = true;
    (void)invocations_done(&v, &done, at(1800), BUFFER_MS);
    CHECK_INT("when", v.done_ms, at(1500).ms);
    CHECK_INT("resets", v.resets, true);
    done.resets = false;
    done.failed = true;
    (void)invocations_done(&v, &done, at(1810), BUFFER_MS);
    done.failed = false;
    (void)invocations_done(&v, &done, at(1820), BUFFER_MS);
    CHECK_INT("still", v.resets && v.failed, true);
    invocations_asked(&v, at(1900));
    invocations_invoke(&v, SPAN(A), at(2000));
    done = event_at(2500, SPAN(A));
    (void)invocations_done(&v, &done, at(2500), BUFFER_MS);
    CHECK_INT("of another attempt", v.done_ms, at(2500).ms);
    CHECK_INT("which is well", v.resets || v.failed, false);
}

/* When the end was produced, by the platform's word where that can be true. Now: 100,000 ms, by the wall. */
static const struct {
    const char *name, *time;
    uint64_t up_ms; /* of the monotonic clock */
    uint64_t done_ms;
} ends[] = {
    {"just now", "1970-01-01T00:01:40.000Z", 50000, 50000},
    {"a little ago", "1970-01-01T00:01:39.970Z", 50000, 49970},
    {"with an offset", "1970-01-01T01:01:39.970+01:00", 50000, 49970},
    {"as long ago as the platform may hold it back", "1970-01-01T00:01:38.900Z", 50000, 48900},
    {"longer ago", "1970-01-01T00:01:38.899Z", 50000, 50000},
    {"in the future", "1970-01-01T00:01:40.001Z", 50000, 50000},
    {"no time", "", 50000, 50000},
    {"no such time", "1970-01-01T00:01:99.970Z", 50000, 50000},
    {"as long ago as the machine is up", "1970-01-01T00:01:39.970Z", 30, 0},
    {"before the machine was up", "1970-01-01T00:01:39.970Z", 29, 29},
};

static void
when_it_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(ends); i++) {
        struct invocations v = {0};
        struct event done = {.request_id = SPAN(A), .time = span_of(ends[i].time)};
        struct moment now = {.ms = ends[i].up_ms, .wall_ms = 100000};

        invocations_invoke(&v, SPAN(A), now);
        (void)invocations_done(&v, &done, now, BUFFER_MS);
        CHECK_INT(ends[i].name, v.done_ms, ends[i].done_ms);
    }
}

static void
ids(void **state)
{
    struct invocations v = {0};
    struct event done = {.request_id = {NULL, 0}, .failed = true, .resets = true};

    (void)state;
    invocations_invoke(&v, SPAN(""), at(1000));
    CHECK_INT("none: counts as ended", invocations_ended(&v), true);
    invocations_invoke(&v, SPAN(SIXTY_FOUR "0"), at(1000));
    CHECK_INT("too long: as none", invocations_ended(&v), true);
    CHECK_INT("nothing to wait for", invocations_announced(&v), false);
    invocations_invoke(&v, SPAN(SIXTY_FOUR), at(1000));
    CHECK_INT("as long as can be", invocations_ended(&v), false);
    invocations_invoke(&v, SPAN(""), at(1000));
    (void)invocations_done(&v, &done, at(1500), BUFFER_MS);
    invocations_invoke(&v, SPAN(A), at(2000));
    CHECK_INT("before INVOKE, and after an end of none", line_turns(&v, 1800), false);
    (void)invocations_done(&v, &done, at(2500), BUFFER_MS);
    CHECK_INT("an end of none is nobody's", invocations_ended(&v), false);
    done.request_id = SPAN(A);
    (void)invocations_done(&v, &done, at(2500), BUFFER_MS);
    CHECK_INT("ended", invocations_ended(&v), true);
    CHECK_INT("how", v.failed && v.resets, true);
    CHECK_INT("when", v.done_ms, 2500 + BETWEEN_CLOCKS_MS);
}

/* The pace of invocations that follow each other: asked, invoked, ended. */
static const struct {
    const char *name;
    const char *second; /* of the rounds after the first: as in lives, all of one moment */
    uint64_t run_ms, rest_ms;
    bool frequent;
} rounds[] = {
    {"close", "id", 20, 5, true},
    {"far", "id", 20, 60, false},
    {"ends heard late", "i", 20, 5, true},
    {"ends heard late, far", "i", 20, 60, false},
};

static void
paces(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rounds); i++) {
        struct invocations v = {0};
        char text[] = "00000000-0000-4000-8000-000000000000";
        char before[sizeof text] = "";
        struct event done;
        uint64_t now = 1000;

        for (int n = 0; n < 12; n++) {
            bool late = rounds[i].second[1] == '\0';

            memcpy(before, text, sizeof text);
            text[0] = (char)('a' + n);
            invocations_asked(&v, at(now - rounds[i].rest_ms));
            invocations_invoke(&v, span_of(text), at(now));
            done = event_at(late ? now - rounds[i].rest_ms : now + rounds[i].run_ms,
                            late ? span_of(before) : span_of(text));
            (void)invocations_done(&v, &done, at(late ? now : now + rounds[i].run_ms), BUFFER_MS);
            now += rounds[i].run_ms + rounds[i].rest_ms;
        }
        CHECK_INT(rounds[i].name, v.pace.frequent, rounds[i].frequent);
    }
}

/*
 * How long the sandbox was idle, each time that it is known: `n` next is asked for, `i` INVOKE, `d`
 * platform.runtimeDone; then the id and the moment, of `d` that at which it was produced.
 */
static const struct {
    const char *name, *steps;
    unsigned known;
    uint32_t idle_ms[3];
} rests[] = {
    {"since next", "n-900 ia1000 da1100 n-1150 ib1200", 1, {50}},
    {"since the end", "n-900 ia1000 n-1050 da1100 ib1200", 1, {100}},
    {"the end comes later", "n-900 ia1000 n-1050 ib1200 da1100", 1, {100}},
    {"later, and next came after it", "n-900 ia1000 n-1150 ib1200 n-1210 da1100", 1, {50}},
    {"it ended when the next one had begun", "n-900 ia1000 n-1050 ib1200 da1250", 1, {0}},
    {"the end comes twice", "n-900 ia1000 n-1050 ib1200 da1100 da1100", 1, {100}},
    {"twice, and then the next one",
     "ia1000 n-1050 ib1200 da1100 db1210 n-1220 ic1300",
     2,
     {100, 80}},
    {"no end", "n-900 ia1000 n-1050 ib1200", 0, {0}},
    {"no end, then another INVOKE", "ia1000 n-1050 ib1200 n-1210 ic1220", 1, {200}},
    {"no ends", "ia1000 n-1050 ib1200 n-1210 ic1220 n-1230 id1250", 2, {200, 20}},
    {"no end, but the next one's",
     "ia1000 n-1050 ib1200 db1250 n-1260 ic1300 da1100 n-1310 id1350",
     2,
     {200, 40}},
    {"an end, and none of the next one",
     "ia1000 da1100 n-1150 ib1200 n-1250 ic1300 n-1310 id1400",
     2,
     {50, 100}},
    {"the clock was set back", "ia1000 n-1050 ib900 n-950 ic960", 1, {251}},
    {"two at the same moment", "ia1000 n-1000 ib1000 n-1000 ic1010", 1, {0}},
    {"the same id again", "ia1000 n-1050 ia1200 da1250 n-1260 ib1300", 2, {200, 40}},
    {"another one's end", "ia1000 n-1050 ib1200 dc1100", 0, {0}},
    {"the first has no id", "i-1000 n-1050 ib1200 n-1210 ic1300", 0, {0}},
    {"the second has none", "ia1000 n-1050 i-1200 n-1210 ic1300 n-1310 id1400", 1, {200}},
};

static void
idle(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rests); i++) {
        struct invocations v = {0};
        uint64_t now = 0;

        for (const char *p = rests[i].steps; *p != '\0'; p += *p == ' ') {
            char what = *p++;
            struct span id = {p, *p != '-'};
            char *end;
            uint64_t ms = strtoull(p + 1, &end, 10);
            struct event done = event_at(ms, id);

            p = end;
            if (what != 'd' || ms > now)
                now = ms;
            if (what == 'n')
                invocations_asked(&v, at(now));
            else if (what == 'i')
                invocations_invoke(&v, id, at(now));
            else
                (void)invocations_done(&v, &done, at(now), BUFFER_MS);
        }
        CHECK_INT(rests[i].name, v.pace.seen, rests[i].known);
        for (size_t n = 0; n < rests[i].known; n++)
            CHECK_INT(rests[i].name, v.pace.idle_ms[n], rests[i].idle_ms[n]);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lives),     cmocka_unit_test(overtaken),
        cmocka_unit_test(lost_invoke),   cmocka_unit_test(attempts),
        cmocka_unit_test(late_lines),    cmocka_unit_test(told_again),
        cmocka_unit_test(when_it_ended), cmocka_unit_test(ids),
        cmocka_unit_test(paces),         cmocka_unit_test(announced),
        cmocka_unit_test(idle),
    };

    return RUN(argc, argv, tests);
}
