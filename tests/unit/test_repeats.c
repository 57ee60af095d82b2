#include "protocol/repeats.h"

#include "check.h"
#include "dice.h"

enum { ITEMS = 3000 };

static char text[ITEMS][700];
static struct span items[ITEMS];

/* Items of every size; which of them the ledger knows. */
static void
make_items(void)
{
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = (struct span){text[i], dice(dice(2) == 0 ? 40 : 700)};
        for (size_t n = 0; n < items[i].len; n++)
            text[i][n] = (char)dice(256);
    }
}

static bool
known(size_t i)
{
    return i % 3 != 0;
}

static uint32_t
known_below(size_t n)
{
    uint32_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += known(i);
    return count;
}

static struct tally
tally_of(const struct repeats *r, size_t n)
{
    struct tally t = {.items = 0};

    for (size_t i = 0; i < n; i++)
        repeats_add(r, &t, items[i], known(i));
    return t;
}

/* The same hash only for the same items in the same order. */
static void
hashes(void **state)
{
    static const struct span texts[] = {TEXT(""),
                                        TEXT("a"),
                                        TEXT("b"),
                                        TEXT("ab"),
                                        TEXT("a\0"),
                                        TEXT("0123456789abcde"),
                                        TEXT("0123456789abcdef"),
                                        TEXT("0123456789abcdeg"),
                                        TEXT("1123456789abcdef"),
                                        TEXT("0123456789abcdef0"),
                                        TEXT("0123456789abcdef1"),
                                        TEXT("0123456789abcdef0123456789abcdef"),
                                        TEXT("0123456789abcdef1123456789abcdef"),
                                        TEXT("0123456789abcdef0123456789abcdef0"),
                                        TEXT("\0"),
                                        TEXT("\0\0")};
    struct repeats r = {.seed = 0x0123456789abcdef};
    uint64_t seen[LEN(texts) * LEN(texts)];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < LEN(texts); i++)
        for (size_t j = 0; j < LEN(texts); j++) {
            struct tally t = {.items = 0};

            repeats_add(&r, &t, texts[i], true);
            repeats_add(&r, &t, texts[j], true);
            for (size_t n = 0; n < len; n++)
                assert_true(seen[n] != t.hash);
            seen[len++] = t.hash;
        }
}

/* It comes again, whole: passed over at the last item that was taken, with marks before. */
static void
again(void **state)
{
    (void)state;
    make_items();
    for (size_t n = 1; n <= ITEMS; n = n * 2 + 1) {
        struct repeats r = {.seed = 7};
        struct tally t = {.items = 0}, kept = tally_of(&r, n);
        uint32_t id = 0, counted = 0, marks = 0;

        assert_int_equal(repeats_keep(&r, &kept), 0);
        for (size_t i = 0; i < n; i++) {
            enum repeats_is is = repeats_compare(&r, &t, items[i], &id, &counted);

            if (i + 1 == n) {
                assert_int_equal(is, REPEATS_ALL);
                assert_int_equal(counted, known_below(n));
            } else if (is == REPEATS_MARK) {
                marks++;
                assert_int_equal(counted, known_below(i + 1));
                assert_true(t.bytes >= marks * (uint64_t)REPEATS_MARK_BYTES);
            } else {
                assert_int_equal(is, REPEATS_MAYBE);
            }
        }
        /* the tally goes on as if all had been taken now */
        assert_memory_equal(&t, &kept, sizeof t);
        assert_int_equal(marks, n < ITEMS / 2 ? t.marks : marks);
        assert_int_equal(repeats_end(&r), 0);
    }
}

/* One item is another one: nothing behind the mark before it is passed over. */
static void
changed(void **state)
{
    (void)state;
    make_items();
    for (size_t at = 0; at < ITEMS; at += 1 + dice(300)) {
        struct repeats r = {.seed = 7};
        struct tally t = {.items = 0}, kept = tally_of(&r, ITEMS);
        uint32_t id = 0, counted = 0, marked = 0;
        enum repeats_is is = REPEATS_MAYBE;

        (void)repeats_keep(&r, &kept);
        for (size_t i = 0; i < ITEMS; i++) {
            is = repeats_compare(&r, &t, i == at ? SPAN("other") : items[i], &id, &counted);
            if (is == REPEATS_MARK) {
                assert_true(i < at);
                marked = counted;
            } else if (is != REPEATS_MAYBE) {
                break;
            }
        }
        assert_int_equal(is, REPEATS_NOT);
        assert_int_equal(counted, marked);
        /* the others may be there twice */
        assert_int_equal(repeats_end(&r), kept.counted - marked);
    }
}

/* It ends before: the same. */
static void
shorter(void **state)
{
    struct repeats r = {.seed = 7};
    struct tally t = {.items = 0}, kept;
    uint32_t id = 0, counted = 0, marked = 0;

    (void)state;
    make_items();
    kept = tally_of(&r, ITEMS);
    (void)repeats_keep(&r, &kept);
    assert_int_equal(repeats_stop(&r, &t, 0), 0);
    for (size_t i = 0; i < ITEMS - 1; i++)
        if (repeats_compare(&r, &t, items[i], &id, &counted) == REPEATS_MARK)
            marked = counted;
    assert_true(marked > 0);
    assert_int_equal(repeats_stop(&r, &t, id), marked);
    assert_int_equal(repeats_end(&r), kept.counted - marked);
}

/* Two POSTs begin as it did and then differ: what was passed over twice was a possible double once. */
static void
changed_twice(void **state)
{
    struct repeats r = {.seed = 7};
    struct tally kept;
    uint32_t most = 0;

    (void)state;
    make_items();
    kept = tally_of(&r, ITEMS);
    (void)repeats_keep(&r, &kept);
    for (size_t at = ITEMS - 1; at > ITEMS / 2; at -= 500) {
        struct tally t = {.items = 0};
        uint32_t id = 0, counted = 0;
        enum repeats_is is = REPEATS_MAYBE;

        for (size_t i = 0; i < ITEMS && is != REPEATS_NOT; i++)
            is = repeats_compare(&r, &t, i == at ? SPAN("other") : items[i], &id, &counted);
        assert_int_equal(is, REPEATS_NOT);
        assert_true(counted > 0);
        most = counted > most ? counted : most;
    }
    assert_int_equal(repeats_end(&r), kept.counted - most);
}

/* Each of several is found again; the oldest goes when there are too many. */
static void
several(void **state)
{
    struct repeats r = {.seed = 7};
    uint32_t counted, id;

    (void)state;
    make_items();
    for (size_t i = 0; i < REPEATS_MAX + 2; i++) {
        struct tally t = {.items = 0};

        repeats_add(&r, &t, items[10 + i], true);
        repeats_add(&r, &t, items[0], false);
        assert_int_equal(repeats_keep(&r, &t), i < REPEATS_MAX ? 0 : 1);
    }
    for (size_t i = 0; i < REPEATS_MAX + 2; i++) {
        struct tally t = {.items = 0};

        id = 0;
        assert_int_equal(repeats_compare(&r, &t, items[10 + i], &id, &counted),
                         i < 2 ? REPEATS_NOT : REPEATS_MAYBE);
        if (i % 2 == 1 && i > 1)
            assert_int_equal(repeats_compare(&r, &t, items[0], &id, &counted), REPEATS_ALL);
    }
    assert_int_equal(r.len, REPEATS_MAX / 2);
    assert_int_equal(repeats_end(&r), REPEATS_MAX / 2);
    assert_int_equal(r.len, 0);
}

/* A POST of which nothing was taken is not remembered. */
static void
nothing(void **state)
{
    struct repeats r = {.seed = 7};
    struct tally t = {.items = 0};
    uint32_t id = 0, counted = 0;

    (void)state;
    assert_int_equal(repeats_keep(&r, &t), 0);
    assert_int_equal(r.len, 0);
    repeats_add(&r, &t, SPAN("b"), true);
    assert_true(t.first == repeats_first(&r, SPAN("b")));
    t = (struct tally){.items = 0};
    assert_int_equal(repeats_compare(&r, &t, SPAN("a"), &id, &counted), REPEATS_NOT);
    assert_int_equal(counted, 0);
}

/* Gone while it was compared: another connection has passed it over. */
static void
gone_meanwhile(void **state)
{
    struct repeats r = {.seed = 7};
    struct tally a = {.items = 0}, b = {.items = 0}, kept;
    uint32_t id_a = 0, id_b = 0, counted;

    (void)state;
    make_items();
    kept = tally_of(&r, 3);
    (void)repeats_keep(&r, &kept);
    assert_int_equal(repeats_compare(&r, &a, items[0], &id_a, &counted), REPEATS_MAYBE);
    for (size_t i = 0; i < 3; i++)
        (void)repeats_compare(&r, &b, items[i], &id_b, &counted);
    assert_int_equal(r.len, 0);
    assert_int_equal(repeats_compare(&r, &a, items[1], &id_a, &counted), REPEATS_NOT);
    assert_int_equal(counted, 0);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes),         cmocka_unit_test(again),
        cmocka_unit_test(changed),        cmocka_unit_test(shorter),
        cmocka_unit_test(several),        cmocka_unit_test(nothing),
        cmocka_unit_test(gone_meanwhile), cmocka_unit_test(changed_twice),
    };

    return RUN(argc, argv, tests);
}
