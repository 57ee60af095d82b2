#include "protocol/invocations.h"

#include "check.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"
#define SIXTY_FIVE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"

/*
 * What happens, a step a letter: `n` next is asked for, `I` INVOKE, `S` platform.start, `D`
 * platform.runtimeDone, `R` platform.report, `L` a line, `?` a sign of loss; in lower case of A, in upper
 * case of B (next and the sign are of none). Each step is a second after the one before.
 */
static struct span
id_of(char step)
{
    return step >= 'a' ? SPAN(A) : SPAN(B);
}

struct seen {
    bool ended, reported, doubtful;
    char lines; /* whose the lines are: a, b, or - when nothing has told */
};

static void
take(struct invocations *v, char step, uint64_t now, struct seen *seen)
{
    struct event done = {.request_id = id_of(step)};
    bool turned = false;

    switch (step | 0x20) {
    case 'n':
        invocations_asked(v, now);
        break;
    case 'i':
        invocations_invoke(v, id_of(step), now);
        break;
    case 's':
        invocations_start(v, id_of(step));
        seen->lines = step >= 'a' ? 'a' : 'b';
        break;
    case 'd':
        turned = invocations_done(v, &done, now, now);
        break;
    case 'r':
        invocations_report(v, id_of(step));
        break;
    case 'l':
        turned = invocations_line(v, now);
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
    {"before the first", "n", {true, false, false, '-'}},
    {"invoked", "ni", {false, false, false, '-'}},
    {"runs", "nisl", {false, false, false, 'a'}},
    {"ends", "nisld", {true, false, false, 'a'}},
    {"all of it is read before INVOKE", "nsldi", {true, false, false, 'a'}},
    {"its end before INVOKE, its start lost", "ndi", {false, false, false, '-'}},
    {"report comes with the next one", "nisldnrIS", {false, false, false, 'b'}},
    {"reported", "nisldnr", {false, true, false, 'a'}},
    {"reported, then the next", "nisldrnI", {false, false, false, 'a'}},

    {"another's end is not its own", "nisD", {false, false, false, 'a'}},
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
    for (size_t i = 0; i < LEN(lives); i++) {
        struct invocations v = {0};
        struct seen seen = {.lines = '-'};
        uint64_t now = 1000;

        for (const char *p = lives[i].steps; *p != '\0'; p++, now += 1000)
            take(&v, *p, now, &seen);
        CHECK_INT(lives[i].name, invocations_ended(&v), lives[i].want.ended);
        CHECK_INT(lives[i].name, v.reported, lives[i].want.reported);
        CHECK_INT(lives[i].name, v.doubtful, lives[i].want.doubtful);
        CHECK_INT(lives[i].name, seen.lines, lives[i].want.lines);
    }
}

/* Lines of an invocation that has ended are its own, however late they come. */
static void
late_lines(void **state)
{
    struct invocations v = {0};
    struct event done = {.request_id = SPAN(A)};

    (void)state;
    invocations_invoke(&v, SPAN(A), 1000);
    invocations_start(&v, SPAN(A));
    (void)invocations_done(&v, &done, 1500, 500);
    invocations_asked(&v, 1600);
    invocations_invoke(&v, SPAN(B), 2000);
    CHECK_INT("announced", invocations_announced(&v), true);
    CHECK_INT("produced before the end", invocations_line(&v, 1499), false);
    CHECK_INT("at the end", invocations_line(&v, 1500), false);
    CHECK_INT("after it", invocations_line(&v, 1501), true);
    CHECK_INT("told once", invocations_line(&v, 1502), false);
    CHECK_INT("known", invocations_announced(&v), false);
}

static void
ids(void **state)
{
    struct invocations v = {0};
    struct event done = {.request_id = {NULL, 0}, .failed = true, .resets = true};

    (void)state;
    invocations_invoke(&v, SPAN(""), 1000);
    CHECK_INT("none: counts as ended", invocations_ended(&v), true);
    invocations_invoke(&v, SPAN(SIXTY_FIVE), 1000);
    CHECK_INT("too long: as none", invocations_ended(&v), true);
    CHECK_INT("nothing to wait for", invocations_announced(&v), false);
    invocations_invoke(&v, SPAN(A), 2000);
    (void)invocations_done(&v, &done, 2500, 500);
    CHECK_INT("an end of none is nobody's", invocations_ended(&v), false);
    done.request_id = SPAN(A);
    (void)invocations_done(&v, &done, 2500, 500);
    CHECK_INT("ended", invocations_ended(&v), true);
    CHECK_INT("how", v.failed && v.resets, true);
    CHECK_INT("when", v.done_ms, 500);
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
        struct event done = {0};
        uint64_t now = 1000;

        for (int n = 0; n < 12; n++) {
            bool late = rounds[i].second[1] == '\0';

            memcpy(before, text, sizeof text);
            text[0] = (char)('a' + n);
            invocations_asked(&v, now - rounds[i].rest_ms);
            invocations_invoke(&v, span_of(text), now);
            done.request_id = late ? span_of(before) : span_of(text);
            (void)invocations_done(&v, &done,
                                   late ? now - rounds[i].rest_ms : now + rounds[i].run_ms, now);
            now += rounds[i].run_ms + rounds[i].rest_ms;
        }
        CHECK_INT(rounds[i].name, v.pace.frequent, rounds[i].frequent);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lives),
        cmocka_unit_test(late_lines),
        cmocka_unit_test(ids),
        cmocka_unit_test(paces),
    };

    return RUN(argc, argv, tests);
}
