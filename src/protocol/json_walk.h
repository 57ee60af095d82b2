#ifndef JSON_WALK_H
#define JSON_WALK_H
/*
 * Walks through JSON of any size and depth in place: no tokens, no recursion, no copy.
 *
 * A value that is stepped over is measured, not validated: inside it only strings and the depth of
 * brackets are followed, so [1,,2}, for example, passes as one value. What the walk itself visits (brackets,
 * names, colons, commas and scalars of the current object or array) is checked. White space is that of
 * RFC 8259, section 2.
 *
 * Spans point into the text and are valid as long as the text is unchanged.
 */
#include "protocol/json_scan.h"
#include "protocol/span.h"

/*
 * Length of the first value in the text, leading white space included.
 *
 * Returns the length; ERR_MORE if the text ends within the value, or right after a number or word, which
 * might go on; ERR_BAD if no value can begin like this; ERR_BIG beyond 2 GiB.
 */
int json_value(struct span text);

struct json_walk {
    struct span rest; /* not visited yet; at the end of the walk, from the closing bracket on */
    /* Marks of the container that begins at base, if they are known: set after json_walk_open. */
    const struct json_marks *marks;
    const char *base;
    /* private */
    uint32_t mark; /* the next one */
    char close;
    bool first;
};

/*
 * Begins a walk through the object or array at the start of the text, after optional white space.
 *
 * Returns 0, or ERR_BAD if there is none.
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
 * The same in two steps. json_walk_name stops before the value and returns 1 and the name, or 0 or an error
 * as above. Then either json_walk_value, which returns 0 and the value, or an error; or, if the value is an
 * object or array, a walk through it: json_walk_enter begins it and returns 0 or an error, and once the inner
 * walk is at its end json_walk_leave moves the outer one past the value and returns the value. If the inner
 * walk fails, json_walk_value can still step over the value.
 */
int json_walk_name(struct json_walk *w, struct span *name);
int json_walk_value(struct json_walk *w, struct span *value);
int json_walk_enter(const struct json_walk *w, struct json_walk *inner);
struct span json_walk_leave(struct json_walk *w, const struct json_walk *inner);

/*
 * Whether a member of this name may follow behind what has been walked, at any depth: a string of these bytes does, or
 * not all strings are marked.
 */
bool json_walk_follows(const struct json_walk *w, struct span name);

/*
 * The value of an object's member as it stands, the last of several; `null` if there is none, or no object. Of a text
 * that ends within the object, or is wrong there, what comes before.
 */
struct span json_walk_member(struct span object, struct span wanted);

/*
 * The contents of a string value as they stand in the text, escapes included; a null span if the value is
 * not a string. Takes values as json_walk_next returns them.
 */
struct span json_walk_string(struct span value);

#endif
