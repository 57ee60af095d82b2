#ifndef JSON_WALK_H
#define JSON_WALK_H
/*
 * Walks through JSON of any size and depth where it lies: no tokens, no recursion, no copy.
 *
 * A value that is stepped over is measured, not judged: inside it only strings and the depth of
 * brackets are followed, so [1,,2}, say, passes as one value. What a walk itself visits (brackets,
 * names, colons, commas and scalars of the object or array it is in) is checked. White space is
 * that of RFC 8259, section 2.
 *
 * Spans point into the text and are valid as long as it stands still.
 */
#include "protocol/json_scan.h"
#include "protocol/span.h"

/*
 * How long the first value in the text is, leading white space included.
 *
 * Returns the length; ERR_MORE when the text ends within the value, and for a number or word that
 * nothing follows, since it might go on; ERR_BAD when no value can begin so; ERR_BIG beyond 2 GiB.
 */
int json_value(struct span text);

struct json_walk {
    struct span rest; /* what the walk has not visited yet; at its end, the closing bracket on */
    /* Marks of the container that begins at base, if they are known: set after json_walk_open. */
    const struct json_marks *marks;
    const char *base;
    /* private */
    uint32_t mark; /* the next one */
    char close;
    bool first;
};

/*
 * Begins a walk through the object or array that the text begins with, white space before it
 * allowed.
 *
 * Returns 0, or ERR_BAD when the text begins otherwise or is empty.
 */
int json_walk_open(struct json_walk *w, struct span text);

/*
 * The next member or element.
 *
 * name   the bytes between the quotes as they stand, escapes and all; empty in an array.
 * value  the value as it stands, quotes and brackets included, without the white space around it.
 *
 * Returns 1; 0 at the closing bracket, and again when called again; ERR_BAD; ERR_MORE when the
 * text ends before that; ERR_BIG as json_value. An error leaves the walk where it was.
 */
int json_walk_next(struct json_walk *w, struct span *name, struct span *value);

/*
 * The same in two steps. json_walk_name stops before the value: returns 1 and the name, 0 or an error
 * as above. Then json_walk_value, which returns 0 and the value or an error, or a walk through the
 * value, if that is an object or array: json_walk_enter begins it, returning 0 or an error, and when it
 * has come to its end json_walk_leave takes the walk behind it and tells the value. Where such a walk
 * fails json_walk_value can still step over the value.
 */
int json_walk_name(struct json_walk *w, struct span *name);
int json_walk_value(struct json_walk *w, struct span *value);
int json_walk_enter(const struct json_walk *w, struct json_walk *inner);
struct span json_walk_leave(struct json_walk *w, const struct json_walk *inner);

/*
 * The inside of a value that is a string, as it stands, escapes and all; a null span when the
 * value is anything else. Takes values as json_walk_next gives them.
 */
struct span json_walk_string(struct span value);

#endif
