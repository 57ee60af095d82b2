/* The reply to PutRecords, in either form, to requests of any number of records. */
#include "fuzz.h"
#include "protocol/put_records_reply.h"

#define RECORDS_MAX 12

struct seen {
    struct span body;
    size_t records; /* called back for */
    int failed;
};

static void
note(void *context, size_t index, struct span code, struct span message)
{
    struct seen *seen = context;

    FACT(index == seen->records++);
    FACT(fuzz_within(code, seen->body) && fuzz_within(message, seen->body));
    seen->failed += code.len > 0;
}

void
fuzz(struct span in)
{
    size_t fits = 0;

    for (size_t records = 1; records <= RECORDS_MAX; records++) {
        struct seen seen = {.body = in};
        int got = put_records_reply(in, records, note, &seen);

        if (got == ERR_BAD) {
            FACT(seen.records == 0);
            continue;
        }
        FACT(got >= 0 && got == seen.failed && seen.records == records);
        fits++;
    }
    FACT(fits <= 1);
}
