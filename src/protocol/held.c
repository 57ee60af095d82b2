#include "protocol/held.h"

#include "protocol/check.h"

/* see held.h */

/* Stands before each line, which is known by where its text begins. */
struct line {
    uint32_t len, owner;
};

static struct line *
line_of(const struct held *h, size_t at)
{
    return (struct line *)(void *)(h->bytes + at - sizeof(struct line));
}

/* With what stands before it, and up to where the next one may begin. */
static size_t
size_of(size_t len)
{
    return sizeof(struct line) + ((len + 7) & ~(size_t)7);
}

void
held_open(struct held *h, char *memory, size_t cap)
{
    CHECK(cap % 8 == 0);
    *h = (struct held){.bytes = memory, .cap = cap};
}

bool
held_fits(const struct held *h, size_t len)
{
    return len <= h->cap && size_of(len) <= h->cap;
}

bool
held_add(struct held *h, uint32_t owner, struct span event)
{
    size_t size = size_of(event.len);
    bool wrapped = h->wrap > 0;

    if (!wrapped && size > h->cap - h->end && size <= h->first) {
        h->wrap = h->end;
        h->end = 0;
    } else if (size > (wrapped ? h->first : h->cap) - h->end) {
        return false;
    }
    h->lines++;
    h->end += sizeof(struct line);
    *line_of(h, h->end) = (struct line){(uint32_t)event.len, owner};
    memcpy(h->bytes + h->end, event.p, event.len);
    h->end += size - sizeof(struct line);
    return true;
}

size_t
held_first(const struct held *h)
{
    return h->lines > 0 ? h->first + sizeof(struct line) : HELD_NONE;
}

/* Where this one ends, and the next one begins if there is one. */
static size_t
behind(const struct held *h, size_t at)
{
    size_t next = at - sizeof(struct line) + size_of(line_of(h, at)->len);

    return next == h->wrap ? 0 : next;
}

size_t
held_next(const struct held *h, size_t at)
{
    size_t next = behind(h, at);

    return next == h->end ? HELD_NONE : next + sizeof(struct line);
}

struct span
held_event(const struct held *h, size_t at)
{
    return (struct span){h->bytes + at, line_of(h, at)->len};
}

uint32_t
held_owner(const struct held *h, size_t at)
{
    return line_of(h, at)->owner;
}

size_t
held_remove(struct held *h, size_t at)
{
    size_t oldest = held_first(h);

    line_of(h, at)->owner = HELD_REMOVED;
    if (at != oldest)
        return held_next(h, at);
    while (h->lines > 0 && held_owner(h, held_first(h)) == HELD_REMOVED) {
        size_t next = behind(h, held_first(h));

        if (next < h->first)
            h->wrap = 0;
        h->first = next;
        h->lines--;
    }
    if (h->lines == 0)
        held_open(h, h->bytes, h->cap);
    return held_first(h);
}
