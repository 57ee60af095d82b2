#include <string.h>

#include "laws_ledger.h"

/*
 * Copies of a snapshot: src/README.md, "SnapStart". What init logged too late is delivered by each copy, which counts it
 * in `received` and in `duplicatesPossible`; all else is its own.
 */

/* Events that the snapshot has left to its copies: what was given to it, less what it has accounted for. */
struct ledger_inherited
copies_inherited(uint32_t sandbox)
{
    uint32_t snapshot = ledger_snapshot();
    const uint64_t *init = ledger_of(snapshot)->init;
    struct books_sums sums = books_sum(snapshot);
    uint64_t done =
        init[DELIVERED] + init[DEAD_LETTERED] + init[DROPPED] - init[CUT] - init[UNREADABLE];
    uint64_t most = (uint64_t)sums.given + sums.maybe + sums.again;

    /* the ledger of init is not always heard: its line may find no room */
    return (struct ledger_inherited){
        .least = ledger_of(snapshot)->init_there && sums.given > done ? sums.given - done : 0,
        .most = most > done ? most - done : 0,
        .told_most = ledger_of(snapshot)->told_most,
        .blanks = sums.blanks,
        .arrived = books_old(sandbox),
    };
}

/* Whatever init has logged is there, or each copy says that it has dropped it; and no more often than they say. */
void
copies_check(void)
{
    uint32_t snapshot = ledger_snapshot();
    struct books_sums sums = books_sum(snapshot);
    const uint64_t *init = ledger_of(snapshot)->init;
    uint64_t doubles = init[DUPLICATES] + sums.again;
    uint64_t least_dropped = UINT64_MAX;
    bool all = true;

    if (!ledger_of(snapshot)->init_there && world.plan.kernel.pipe_full > 0)
        return;
    for (uint32_t i = snapshot + 1; i < world.sandbox; i++) {
        const struct ledger_run *r = ledger_of(i);
        uint64_t dropped = r->members[DROPPED] + r->members[DEAD_LETTERED];

        all = all && r->there;
        doubles += r->members[DUPLICATES];
        if (r->there && dropped < least_dropped)
            least_dropped = dropped;
    }
    if (least_dropped < UINT64_MAX && sums.missing > init[DROPPED] + least_dropped)
        world_break("snapshot: missing of init are %u, event %u among them", sums.missing,
                    sums.last_missing);
    if (all && sums.extra > doubles)
        world_break("snapshot: %u records of init are there once more, and %llu may be", sums.extra,
                    (unsigned long long)doubles);
}
