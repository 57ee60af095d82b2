#ifndef STRICT_JSON_H
#define STRICT_JSON_H
/*
 * A second opinion on JSON, for the fuzz targets: shares nothing with the code that is tested.
 * Source: RFC 8259; bytes beyond ASCII are not looked at. RFC 3629 for UTF-8.
 */
#include "protocol/span.h"

/* Whether this is one JSON value, white space around it allowed, nested STRICT_DEPTH deep at most. */
bool strict_json(struct span text);

/* Whether this is UTF-8 throughout: shortest forms, no surrogates. */
bool strict_utf8(struct span text);

#define STRICT_DEPTH 64

#endif
