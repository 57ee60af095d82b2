#ifndef SPAN_H
#define SPAN_H
/*
 * Bytes that someone else owns, and the reasons for which a call fails.
 *
 * A span never owns its bytes and need not end in a zero. Calls that hand spans back say how long
 * they stay valid. An empty span may have a null pointer.
 *
 * Calls that can fail return zero or more on success, often a count; on failure one of these, each of
 * which calls for a different reaction.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum err {
    ERR_MORE = -1, /* input ends too early: call again with more */
    ERR_BAD = -2,  /* input can never become valid */
    ERR_FULL = -3, /* no room now: flush, then again */
    ERR_BIG = -4,  /* will never fit: drop and count */
    ERR_IO = -5,   /* a system call failed; see system_error() */
    ERR_LATE = -6  /* a deadline has passed */
};

/* Compiled for size, in a file that is compiled for speed. */
#define COLD __attribute__((cold, noinline))

struct span {
    const char *p;
    size_t len;
};

/* A string literal as a span. */
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})

/* A zero-terminated string as a span; NULL gives an empty one. */
struct span span_of(const char *text);

/* Inline for speed, as are the two below: names are compared by the dozen for each event, and most differ in
 * length. */
inline bool
span_same(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* White space between tokens, as JSON and XML have it. */
inline bool
span_white(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* White space within a line. */
inline bool
span_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Eight bytes in a word, in this machine's order. */
inline uint64_t
span_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* Equal but for the case of ASCII letters, as HTTP field names are. */
bool span_same_case(struct span a, struct span b);

bool span_starts(struct span s, struct span prefix);

/* Without the given number of bytes at the front; at most all of them. */
struct span span_skip(struct span s, size_t n);

/* Without spaces and tabs at either end. */
struct span span_trim(struct span s);

/* Whether it consists of ASCII letters, digits and the given others alone, and is not empty. */
bool span_made_of(struct span s, const char *others);

/*
 * A decimal number, digits only, at least one.
 *
 * Returns 0 and the number, ERR_BAD for anything else and for more than max.
 */
int span_number(struct span s, uint64_t max, uint64_t *number);

/* The value of a hexadecimal digit, of either case; below zero for any other byte. */
int span_hex(char c);

/* Where the byte first is in s; NULL if it is not. Faster than memchr for what is longer than a word. */
const char *span_char(struct span s, char c);

/* Where text first occurs in s; NULL if it does not. */
const char *span_find(struct span s, struct span text);

/*
 * The part before the first separator; rest receives what follows it.
 * Without a separator the whole span comes back and rest becomes empty with a null pointer, which
 * is how a caller's loop ends.
 */
struct span span_cut(struct span s, char separator, struct span *rest);

#endif
