#ifndef CHECK_H
#define CHECK_H
/*
 * Contracts and invariants, checked in the builds for tests and fuzzing (CHECKED) and nowhere else.
 * A broken one is our own fault, whatever a peer has sent, and ends the process: sanitizers and
 * debuggers show where.
 */
#ifdef CHECKED
#define CHECK(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define CHECK(condition) ((void)sizeof(!(condition)))
#endif

#endif
