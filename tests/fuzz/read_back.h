#ifndef READ_BACK_H
#define READ_BACK_H
/*
 * Reads what was generated, so that a target can compare it with what went in. What cannot be read
 * is a finding. What comes back is valid until fuzz() returns.
 */
#include "protocol/json_walk.h"

/* The value of the next member, which has to have this name. */
struct span read_back_member(struct json_walk *w, struct span name);

/* What a value means that is a JSON string. */
struct span read_back_text(struct span value);

/* What a value means that is a JSON string in base64. */
struct span read_back_base64(struct span value);

#endif
