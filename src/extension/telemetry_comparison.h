#ifndef TELEMETRY_COMPARISON_H
#define TELEMETRY_COMPARISON_H
/*
 * POSTs that may have come before, whole or in part. Their events are compared with those that were taken then
 * (protocol/repeats), and passed over if all of those come again unchanged. Until that is known the body is kept
 * in one of the large buffers. The events of a POST that differs are handed out from its beginning.
 */
#include "extension/telemetry_post.h"

/*
 * A body begins on the connection with this index; it is compared if anything is remembered, or another POST is being
 * read that may be the same.
 */
void telemetry_comparison_begin(struct telemetry_posts *all, unsigned which);

/* A piece of the body, compared or handed out. Returns as telemetry_post_split. */
int telemetry_comparison_take(struct telemetry_post *p, struct span piece);

/* What was held until the end of the body. Returns as telemetry_post_split. */
int telemetry_comparison_end(struct telemetry_post *p);

#endif
