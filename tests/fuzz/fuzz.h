#ifndef FUZZ_H
#define FUZZ_H
/*
 * What the fuzz targets share. A target is one file, fuzz_<name>.c, that defines fuzz(); it becomes
 * the program build/fuzz/bin/fuzz_<name> and starts from the inputs in build/fuzz/seeds/<name>, which
 * the unit tests leave there (see tests/unit/seed.h).
 *
 * A target does not only look for crashes: it says with FACT what has to hold for any input.
 */
#include "protocol/out.h"
#include "protocol/span.h"

#define FUZZ_LEN(array) (sizeof(array) / sizeof *(array))

/* One input. Its bytes have just the room that they need: one step too far is seen by ASan. */
void fuzz(struct span in);

/* What has to be so; else the input is a finding. */
#define FACT(fact) ((fact) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #fact))

_Noreturn void fuzz_fail(const char *file, int line, const char *fact);

/* Room for just so many bytes, to write into; valid until fuzz() returns. */
char *fuzz_room(size_t len);

/* A copy of these bytes in room of their own. */
struct span fuzz_copy(struct span bytes);

/* Copies bytes to where they end with the room, cap bytes from fuzz_room. Much quicker in a loop. */
struct span fuzz_lay(char *room, size_t cap, struct span bytes);

/*
 * Of a reader that tells how long the first value of a text is, or ERR_MORE: once enough of the value is
 * there to judge it, more behind it changes nothing. whole: what it says of all of the text.
 */
void fuzz_prefixes(struct span in, int (*value)(struct span), int whole);

/* Any number below sides; the same numbers for the same input. */
uint32_t fuzz_dice(uint32_t sides);

/* Whether all of inner lies in outer; a span without bytes may be anywhere. */
bool fuzz_within(struct span inner, struct span outer);

/* Takes so many bytes off the front; fewer when there are no more. */
struct span fuzz_take(struct span *in, size_t len);

/* The same for one byte; 0 when there is none. */
uint8_t fuzz_byte(struct span *in);

#endif
