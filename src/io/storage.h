#ifndef STORAGE_H
#define STORAGE_H
/*
 * All memory of the program, taken from the system in one mapping at start. Pages become resident
 * when they are first touched, so that reserving costs nothing.
 */
#include <stddef.h>

struct storage {
    char *p;
    size_t cap;
    size_t len;
};

/* Returns 0, or ERR_IO. */
int storage_open(struct storage *s, size_t bytes);

/* Start-up only: the next n bytes, zeroed, aligned for any type; NULL when spent. */
void *storage_take(struct storage *s, size_t n);

#endif
