#include "protocol/put_records_reply.h"

#include "protocol/reply_walk.h"

/* see put_records_reply.h */

/* One entry of the reply. Source: Kinesis API reference, PutRecordsResultEntry. */
struct entry {
    struct span code;
    struct span message;
};

static int
read_entry(const struct reply_walk *entries, struct span value, struct entry *e)
{
    bool accepted = false;
    struct span name;
    struct reply_walk w;
    int got;

    *e = (struct entry){0};
    if (reply_walk_into(&w, entries, value) < 0 || !w.map)
        return ERR_BAD;
    while ((got = reply_walk_next(&w, &name, &value)) == 1) {
        /* null and "" both mean that there is none */
        struct span string = reply_walk_string(&w, value);

        if (reply_walk_named(&w, name, SPAN("ErrorCode")))
            e->code = string;
        else if (reply_walk_named(&w, name, SPAN("ErrorMessage")))
            e->message = string;
        else if (reply_walk_named(&w, name, SPAN("SequenceNumber")))
            accepted = string.len > 0;
    }
    return got < 0 || (e->code.len == 0 && !accepted) ? ERR_BAD : 0;
}

/* Opens the reply's array of entries, once the whole body is known to be well-formed. */
static int
open_entries(struct span body, struct reply_walk *entries)
{
    struct span records = {NULL, 0};
    struct span name;
    struct span value;
    struct reply_walk w;
    int got;

    if (reply_walk_open(&w, body) < 0 || !w.map)
        return ERR_BAD;
    while ((got = reply_walk_next(&w, &name, &value)) == 1) {
        if (reply_walk_named(&w, name, SPAN("Records")))
            records = value;
        else if (reply_walk_named(&w, name, SPAN("FailedRecordCount")) &&
                 !reply_walk_is_number(&w, value))
            return ERR_BAD;
    }
    if (got < 0 || reply_walk_into(entries, &w, records) < 0 || entries->map)
        return ERR_BAD;
    return 0;
}

int
put_records_reply(struct span body, size_t records_len,
                  void (*result)(void *context, size_t index, struct span code,
                                 struct span message),
                  void *context)
{
    struct reply_walk entries;
    struct reply_walk again;
    struct span name;
    struct span value;
    struct entry e;
    size_t n = 0;
    int failed = 0;
    int got;

    if (open_entries(body, &entries) < 0)
        return ERR_BAD;
    again = entries;
    while ((got = reply_walk_next(&entries, &name, &value)) == 1) {
        if (read_entry(&entries, value, &e) < 0)
            return ERR_BAD;
        n++;
    }
    if (got < 0 || n != records_len)
        return ERR_BAD;
    for (n = 0; reply_walk_next(&again, &name, &value) == 1; n++) {
        (void)read_entry(&again, value, &e);
        failed += e.code.len > 0;
        result(context, n, e.code, e.message);
    }
    return failed;
}
