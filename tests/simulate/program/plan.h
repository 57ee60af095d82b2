#ifndef PROGRAM_PLAN_H
#define PROGRAM_PLAN_H
/*
 * What a life of the whole program is like: settings, sizes, which faults exist at all and how often (struct plan,
 * world.h). Drawn at its beginning.
 *
 * To add a fault: name it in world.h, say here how often it strikes, and let the actor whose side it is on ask
 * world_fault.
 */
#include "../lives.h"
#include "world.h"

/* As `less` says, it is made smaller afterwards. */
void plan_draw(struct plan *p, struct dice *dice, const struct lives_less *less);

/* The settings and the faults that may strike, for the trace. */
void plan_tell(const struct plan *p);

const char *plan_fault_name(enum world_fault fault);

#endif
