#ifndef JSON_MEMBERS_H
#define JSON_MEMBERS_H
/*
 * Picks the wanted members out of a JSON object of any length that arrives in pieces, and collects them in a
 * small document of their own, for json.h.
 *
 * Strings, numbers and words are kept as they stand, objects and arrays are not. A member longer than
 * JSON_MEMBERS_ONE is left out, and so is one that the text cuts short. Nothing beyond
 * JSON_MEMBERS_MAX_BYTES is looked at. Other members are stepped over without validation: only strings and
 * the depth of brackets are followed.
 */
#include "protocol/out.h"

#define JSON_MEMBERS_MAX_BYTES 1048576
#define JSON_MEMBERS_ROOM 2176
#define JSON_MEMBERS_ONE 400 /* a member, name and quotes included */

struct json_members {
    const struct span *wanted; /* names as they stand between their quotes, the last one empty */

    bool whole; /* the end of the object has been read */

    /* private */
    char text[JSON_MEMBERS_ROOM];
    struct out kept;
    size_t taken; /* bytes looked at */
    size_t mark;  /* where the member that is being kept begins */
    unsigned depth;
    enum { MEMBERS_NAME, MEMBERS_COLON, MEMBERS_VALUE, MEMBERS_COMMA } want; /* at depth 1 */
    bool in_string, escaped;
    bool keeping; /* the current text is kept: a name, or the value of a wanted member */
    bool scalar;  /* within a number or word at depth 1 */
    bool ended;   /* nothing more is looked at: the object has ended, or the text makes no sense */
};

/* The caller has set wanted, which is kept. */
void json_members_start(struct json_members *m);

/* The next piece of the text. */
void json_members_take(struct json_members *m, struct span piece);

/*
 * The members that are complete so far, as an object, in the order and as often as they came. Empty if the
 * text is not an object. Valid until the next call.
 */
struct span json_members_end(struct json_members *m);

#endif
