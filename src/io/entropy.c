#include "io/entropy.h"

/* see entropy.h */

uint32_t
entropy_dice(void)
{
    uint32_t n = 0;

    (void)entropy_fill(&n, sizeof n);
    return n;
}
