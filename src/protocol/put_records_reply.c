#include "protocol/put_records_reply.h"

#include "protocol/reply_walk.h"

/* see put_records_reply.h */

/* One entry of the reply. Source: Kinesis API reference, PutRecordsResultEntry. */
struct entry {
    struct span code;
    struct span message;
};

/* The next entry of the array; the walk moves past it. Returns 1, 0 at the end, or ERR_BAD. */
static int
read_entry(struct reply_walk *entries, struct entry *e)
{
    bool accepted = false;
    struct span name;
    struct span value;
    struct reply_walk w;
    int got = reply_walk_name(entries, &name);

    *e = (struct entry){0};
    if (got != 1)
        return got;
    if (reply_walk_enter(entries, &w) < 0 || !w.map)
        return ERR_BAD;
    while ((got = reply_walk_next(&w, &name, &value)) == 1) {
        /* null and "" both mean that the member is absent */
        struct span string = reply_walk_string(&w, value);

        if (reply_walk_named(&w, name, SPAN("SequenceNumber")))
            accepted = string.len > 0;
        else if (reply_walk_named(&w, name, SPAN("ErrorCode")))
            e->code = string;
        else if (reply_walk_named(&w, name, SPAN("ErrorMessage")))
            e->message = string;
    }
    if (got < 0 || (e->code.len == 0 && !accepted))
        return ERR_BAD;
    reply_walk_leave(entries, &w);
    return 1;
}

/* The array of entries, where it begins, and how many there are and have failed. */
struct entries {
    struct reply_walk walk;
    size_t len;
    int failed;
    bool good;
};

/* Reads the walk's next value as an array of entries, and moves past it. */
COLD static int
read_entries(struct reply_walk *w, struct entries *all)
{
    struct reply_walk walk;
    struct span value;
    struct entry e;
    int got = ERR_BAD;

    *all = (struct entries){.len = 0};
    if (reply_walk_enter(w, &walk) == 0 && !walk.map) {
        all->walk = walk;
        while ((got = read_entry(&walk, &e)) == 1) {
            all->len++;
            all->failed += e.code.len > 0;
        }
    }
    all->good = got == 0;
    if (!all->good)
        return reply_walk_value(w, &value);
    reply_walk_leave(w, &walk);
    return 0;
}

/* Reads the whole body, which shows that it is well-formed. Returns 0 or ERR_BAD. */
COLD static int
read_body(struct span body, struct entries *all)
{
    struct span name;
    struct span value;
    struct reply_walk w;
    int got;

    all->good = false;
    if (reply_walk_open(&w, body) < 0 || !w.map)
        return ERR_BAD;
    while ((got = reply_walk_name(&w, &name)) == 1) {
        if (reply_walk_named(&w, name, SPAN("Records")))
            got = read_entries(&w, all);
        else if ((got = reply_walk_value(&w, &value)) == 0 &&
                 reply_walk_named(&w, name, SPAN("FailedRecordCount")) &&
                 !reply_walk_is_number(&w, value))
            got = ERR_BAD;
        if (got < 0)
            return ERR_BAD;
    }
    return got < 0 || !all->good ? ERR_BAD : 0;
}

COLD int
put_records_reply(struct span body, size_t records_len,
                  void (*result)(void *context, size_t index, struct span code,
                                 struct span message),
                  void *context)
{
    struct entries all;
    struct entry e = {0};

    if (read_body(body, &all) < 0 || all.len != records_len)
        return ERR_BAD;
    for (size_t n = 0; n < records_len; n++) {
        /* usually none has failed, and the entries need not be read again */
        if (all.failed > 0)
            (void)read_entry(&all.walk, &e);
        result(context, n, e.code, e.message);
    }
    return all.failed;
}
