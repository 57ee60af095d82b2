#include "protocol/held.h"

#include "check.h"
#include "guard.h"
#include "protocol/out.h"
#include "protocol/splitmix.h"

#include <stdio.h>

enum { HEAD = 8 }; /* what stands before each line */

static _Alignas(8) char memory[4096];

/* The lines from the oldest on: owner, colon, text; those that were removed as -. */
static struct span
all_of(const struct held *h)
{
    static char text[8192];
    struct out o = out_to(text, sizeof text);

    for (size_t at = held_first(h); at != HELD_NONE; at = held_next(h, at)) {
        if (o.len > 0)
            out_byte(&o, ' ');
        if (held_owner(h, at) == HELD_REMOVED) {
            out_byte(&o, '-');
            continue;
        }
        out_number(&o, held_owner(h, at));
        out_byte(&o, ':');
        out_put(&o, held_event(h, at));
    }
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

static size_t
nth(const struct held *h, unsigned n)
{
    size_t at = held_first(h);

    while (n-- > 0)
        at = held_next(h, at);
    return at;
}

/*
 * A letter adds a line of this text and owner if there is room, a capital one a longer line; a digit removes the line of
 * this place.
 */
static const struct {
    const char *name;
    size_t cap; /* in lines of up to eight bytes */
    const char *steps, *want;
} rows[] = {
    {"nothing", 3, "", ""},
    {"one", 3, "a", "0:a"},
    {"in order", 3, "abc", "0:a 1:b 2:c"},
    {"no room", 3, "abcd", "0:a 1:b 2:c"},
    {"no ring", 0, "a", ""},
    {"the oldest leaves", 3, "abc0d", "1:b 2:c 3:d"},
    {"twice around", 3, "abc0d0e0f0g0h", "5:f 6:g 7:h"},
    {"all leave", 3, "abc000", ""},
    {"and others come", 3, "abc000def", "3:d 4:e 5:f"},
    {"one within leaves", 3, "abc1", "0:a - 2:c"},
    {"and makes no room", 3, "abc1d", "0:a - 2:c"},
    {"until the oldest does", 3, "abc10de", "2:c 3:d 4:e"},
    {"the latest leaves", 3, "abc2", "0:a 1:b -"},
    {"the latest, around the end", 3, "abc0d2", "1:b 2:c -"},
    {"the oldest is behind the end", 3, "abc00de0f", "3:d 4:e 5:f"},
    {"all but the oldest, then that", 3, "abc210", ""},
    {"longer ones", 4, "A0a", "0:a"},
    {"a longer one has no room at the end", 4, "abcA", "0:a 1:b 2:c"},
    {"nor at the beginning", 4, "abc0A", "1:b 2:c"},
    {"but with two there", 5, "abcd00A", "2:c 3:d 0:AAAAAAAAAAAA"},
    {"what was left at the end is passed over", 5, "abcd00A00b", "0:AAAAAAAAAAAA 1:b"},
    {"and is there again", 5, "abcd00A000abAcd", "0:a 1:b 0:AAAAAAAAAAAA 2:c"},
};

static void
steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct held h;

        held_open(&h, memory, rows[i].cap * (HEAD + 8));
        for (const char *c = rows[i].steps; *c != '\0'; c++) {
            char text[] = {*c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c};

            if (*c <= '9')
                (void)held_remove(&h, nth(&h, (unsigned)(*c - '0')));
            else if (*c >= 'a')
                (void)held_add(&h, (uint32_t)(*c - 'a'), guard_copy((struct span){text, 1}));
            else
                (void)held_add(&h, (uint32_t)(*c - 'A'), guard_copy((struct span){text, 12}));
        }
        CHECK_SPAN(rows[i].name, all_of(&h), span_of(rows[i].want));
    }
}

static void
fits(void **state)
{
    struct held h;

    (void)state;
    held_open(&h, memory, 64);
    for (size_t len = 0; len < 100; len++) {
        bool want = HEAD + (len + 7) / 8 * 8 <= 64;
        char text[100] = {0};

        CHECK_INT("fits", held_fits(&h, len), want);
        CHECK_INT("added", held_add(&h, 1, (struct span){text, len}), want);
        if (want)
            assert_int_equal(held_remove(&h, held_first(&h)), HELD_NONE);
    }
    assert_false(held_fits(&h, SIZE_MAX));
}

/* What removal returns is the line that follows, wherever that is. */
static void
goes_on(void **state)
{
    struct held h;
    size_t at;
    char seen[8];
    size_t n = 0;

    (void)state;
    held_open(&h, memory, 4 * (HEAD + 8));
    for (unsigned i = 0; i < 4; i++)
        assert_true(held_add(&h, i, SPAN("x")));
    (void)held_remove(&h, held_first(&h));
    assert_true(held_add(&h, 4, SPAN("y")));
    for (at = held_first(&h); at != HELD_NONE; at = held_remove(&h, at))
        seen[n++] = (char)('0' + held_owner(&h, at));
    CHECK_SPAN("seen", ((struct span){seen, n}), SPAN("1234"));
    assert_int_equal(held_first(&h), HELD_NONE);
}

/* Beside a plain list of what should be there. */
static void
as_a_list(void **state)
{
    enum { LINES = 64 };
    struct {
        uint32_t owner;
        size_t len;
        bool gone;
    } list[LINES];
    uint64_t dice = 1;
    struct held h;
    size_t len = 0;

    (void)state;
    held_open(&h, memory, 1024);
    for (int turn = 0; turn < 20000; turn++) {
        char text[64];
        uint32_t owner = splitmix_next(&dice) % 5;
        size_t bytes = splitmix_next(&dice) % sizeof text;
        size_t at = held_first(&h);

        memset(text, (int)('a' + owner), sizeof text);
        if (splitmix_next(&dice) % 2 == 0) {
            if (len < LINES && held_add(&h, owner, (struct span){text, bytes})) {
                list[len].owner = owner;
                list[len].gone = false;
                list[len++].len = bytes;
            }
        } else if (len > 0) {
            size_t which = splitmix_next(&dice) % len;

            (void)held_remove(&h, nth(&h, (unsigned)which));
            list[which].gone = true;
            while (len > 0 && list[0].gone)
                memmove(list, list + 1, --len * sizeof *list);
        }
        at = held_first(&h);
        for (size_t i = 0; i < len; i++, at = held_next(&h, at)) {
            assert_true(at != HELD_NONE);
            assert_int_equal(held_owner(&h, at), list[i].gone ? HELD_REMOVED : list[i].owner);
            assert_int_equal(held_event(&h, at).len, list[i].len);
            if (!list[i].gone)
                for (size_t k = 0; k < list[i].len; k++)
                    assert_int_equal(held_event(&h, at).p[k], 'a' + (int)list[i].owner);
        }
        assert_int_equal(at, HELD_NONE);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),
        cmocka_unit_test(fits),
        cmocka_unit_test(goes_on),
        cmocka_unit_test(as_a_list),
    };

    return RUN(argc, argv, tests);
}
