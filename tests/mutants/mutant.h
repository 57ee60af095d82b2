#ifndef MUTANT_H
#define MUTANT_H
/*
 * Which mutant lives. mutate.py writes sources in which each place to be broken asks so, as in
 * (mutant_is(7) ? a <= b : a < b); the compiler is told to read this before them.
 */
#include <stdbool.h>

enum { MUTANTS_MAX = 1 << 16 };

/* 0: none. From the environment's MUTANT, before main. */
extern unsigned mutant;

/* The places that were passed. At the exit all go into the environment's file MUTANTS_REACHED, if any. */
extern unsigned char mutants_reached[MUTANTS_MAX];

static inline bool
mutant_is(unsigned number)
{
    mutants_reached[number] = 1;
    return mutant == number;
}

#endif
