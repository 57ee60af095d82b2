#include "io/plain.h"

#include "check.h"
#include "dice.h"

#include <string.h>

/* What goes in at one side comes out at the other, in order, however much of it is moved at a time. */

enum { ROUNDS = 20000 };

static char in[PLAIN_BUFFER], out[PLAIN_BUFFER];

/* The bytes of an endless pattern from there on. */
static void
fill(char *to, size_t len, uint64_t from)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (char)((from + i) * 7 >> 3);
}

static bool
is_pattern(struct span bytes, uint64_t from)
{
    char want[1024];

    if (bytes.len > sizeof want)
        bytes.len = sizeof want;
    fill(want, bytes.len, from);
    return memcmp(want, bytes.p, bytes.len) == 0;
}

static size_t
some_of(size_t len)
{
    uint32_t which = dice(4);

    return which == 0 ? 0 : which == 1 ? len : dice((uint32_t)len + 1);
}

static void
in_order(void **state)
{
    struct plain p = {.in = in, .out = out};
    uint64_t wrote = 0, sent = 0, received = 0, used = 0;
    bool was_full = false;

    (void)state;
    plain_start(&p);
    for (int i = 0; i < ROUNDS; i++) {
        size_t cap, n;
        char *to = plain_room(&p, &cap);

        assert_true(cap <= PLAIN_BUFFER - (wrote - sent));
        n = some_of(cap);
        fill(to, n, wrote);
        plain_wrote(&p, n);
        wrote += n;
        assert_int_equal(plain_output(&p).len, wrote - sent);
        assert_true(is_pattern(plain_output(&p), sent));
        n = some_of(plain_output(&p).len);
        plain_sent(&p, n);
        sent += n;

        to = plain_space(&p, &cap);
        /* no byte is wasted */
        assert_int_equal(cap, PLAIN_BUFFER - (received - used));
        was_full = was_full || cap == 0;
        n = some_of(cap);
        fill(to, n, received);
        plain_received(&p, n);
        received += n;
        assert_int_equal(plain_input(&p).len, received - used);
        assert_true(is_pattern(plain_input(&p), used));
        n = some_of(plain_input(&p).len);
        plain_used(&p, n);
        used += n;
    }
    assert_true(was_full && sent > PLAIN_BUFFER && used > PLAIN_BUFFER);
    plain_start(&p);
    assert_int_equal(plain_input(&p).len + plain_output(&p).len, 0);
}

/* All of the room is there again once all is sent. */
static void
room_again(void **state)
{
    struct plain p = {.in = in, .out = out};
    size_t cap;

    (void)state;
    plain_start(&p);
    (void)plain_room(&p, &cap);
    assert_int_equal(cap, PLAIN_BUFFER);
    plain_wrote(&p, cap);
    (void)plain_room(&p, &cap);
    assert_int_equal(cap, 0);
    plain_sent(&p, PLAIN_BUFFER - 1);
    (void)plain_room(&p, &cap);
    assert_int_equal(cap, 0);
    plain_sent(&p, 1);
    (void)plain_room(&p, &cap);
    assert_int_equal(cap, PLAIN_BUFFER);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(room_again),
    };

    return RUN(argc, argv, tests);
}
