#ifndef CEILING_H
#define CEILING_H
/*
 * How fast the host itself is, each half alone with a far end that does as little as can be.
 */
#include <stdbool.h>

#include "sink.h"

/*
 * Posts the whole load to a listener that reads, discards and answers.
 *
 * cpu  of the listener.  Returns events a second.
 */
double ceiling_of_generator(struct load *load, size_t per_invocation, int cpu);

/*
 * One connection repeats a prepared, signed PutRecords of up to 500 events over TLS, until as many
 * records have been accepted as the load has events.
 *
 * cpu  of the client.  Returns events a second.
 */
double ceiling_of_sink(struct sink *sink, struct load *load, bool cbor, int cpu);

#endif
