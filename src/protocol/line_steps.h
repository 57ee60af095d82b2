#ifndef LINE_STEPS_H
#define LINE_STEPS_H
/*
 * What a line costs that is looked at: bytes that are compared, searched, copied or stepped over, counted in the builds
 * for tests (CHECKED) and nowhere else. A test bounds them by the line's length, since time tells little on a machine
 * that others use.
 */
#ifdef CHECKED
#include <stdint.h>

/* So far. In line_text.c, which all that count need. */
extern uint64_t line_steps;

#define LINE_STEPS(n) ((void)(line_steps += (n)))
#else
#define LINE_STEPS(n) ((void)sizeof(n))
#endif

#endif
