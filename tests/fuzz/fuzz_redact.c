/* A record, whose members of two names are not to be seen. */
#include "fuzz.h"
#include "protocol/json_walk.h"
#include "protocol/limits.h"
#include "protocol/redact.h"
#include "strict_json.h"

#include <stdlib.h>
#include <string.h>

static struct redact redact;

/* The record of an event without what is not to be seen; of one of which nothing is, where it was. */
static struct span
redacted(struct span record)
{
    static char text[EVENT_MAX_BYTES];
    struct out o = out_to(text, sizeof text);
    struct span without;
    struct event e;

    out_put(&o, SPAN("{\"type\":\"function\",\"record\":"));
    out_put(&o, record);
    out_put(&o, SPAN("}"));
    if (out_end(&o) != 0 || event_read(out_span(&o), NULL, &e) != 0)
        return (struct span){NULL, 0};
    if (redact_event(&redact, &e, &without)) {
        FACT(event_read(without, NULL, &e) == 0);
        FACT(span_find(e.record, SPAN("***")) != NULL);
    } else {
        FACT(fuzz_within(e.record, out_span(&o)));
    }
    return fuzz_copy(e.record);
}

/* Of an object, the members that it has itself. */
static void
check_members(struct span object)
{
    struct json_walk w;
    struct span name;
    struct span value;

    if (json_walk_open(&w, object) != 0)
        return;
    while (json_walk_next(&w, &name, &value) == 1)
        if (span_same_case(name, SPAN("key")) || span_same_case(name, SPAN("password")))
            FACT(span_same(value, SPAN("\"***\"")));
}

void
fuzz(struct span in)
{
    static char *memory;
    struct span once;

    if (memory == NULL) {
        memory = malloc(redact_bytes(SPAN("key, password")));
        redact_init(&redact, SPAN("key, password"), memory);
    }
    once = redacted(in);
    if (once.len == 0)
        return;
    if (strict_json(in)) {
        FACT(strict_json(once));
        check_members(once);
    }
    (void)redacted(once);
}
