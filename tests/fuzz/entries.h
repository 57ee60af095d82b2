#ifndef ENTRIES_H
#define ENTRIES_H
/*
 * What the targets of the two generated bodies share, PutRecords' and the dead letter's: records cut
 * out of the input, each part behind a byte that tells its length, and reading in pieces.
 */
#include "protocol/put_records.h"

struct entries {
    struct put_record records[PUT_RECORDS_MAX];
    size_t len;
};

/* The next part of the input. */
struct span entries_part(struct span *in);

/* For the generators' `record`; the context is the entries. */
void entries_tell(void *context, size_t index, struct put_record *r);

/* A generator that stands at its beginning, read in pieces of any size up to most, gives want. */
void entries_read(size_t (*read)(void *generator, char *buffer, size_t cap), void *generator,
                  struct span want, size_t most);

#endif
