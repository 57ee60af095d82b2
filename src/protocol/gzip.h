#ifndef GZIP_H
#define GZIP_H
/*
 * gzip members, written as their bytes come. Source: RFC 1952.
 *
 *     gzip_begin(g, out, cap);
 *     while (gzip_bound(g, event.len) <= cap)
 *         gzip_add(g, event), event = the next one;
 *     len = gzip_end(g);
 *
 * A member has no name and no time: the same bytes give the same member, however they are divided, and whatever was
 * compressed before. All of the state, 154 KiB, is in the struct, and touched as it is used; see deflate.h.
 */
#include "protocol/deflate.h"

struct gzip {
    char *out;
    struct deflate deflate;
};

/* Once, before all else. Where the CPU has instructions for CRC-32, crc32_use_cpu makes this half as fast again. */
void gzip_init(struct gzip *g);

/* A member begins, and is written to out, which stays the caller's. One that is not ended is forgotten. */
void gzip_begin(struct gzip *g, char *out, size_t cap);

/*
 * How many bytes of out the member has at most if so many more are added and it is ended then; so an event can be
 * refused before it is added, since nothing can be taken back. While it is at most cap, neither gzip_add nor gzip_end
 * fails. Of bytes that are still to come it knows nothing: they count in full.
 */
size_t gzip_bound(const struct gzip *g, size_t len);

/*
 * Returns 0, or ERR_FULL when cap is too little, which stays so until gzip_begin. It may be said only later, or by
 * gzip_end.
 */
int gzip_add(struct gzip *g, struct span bytes);

/* Returns the member's length, or ERR_FULL. */
long gzip_end(struct gzip *g);

/* Bytes added to this member so far. */
uint64_t gzip_len(const struct gzip *g);

#endif
