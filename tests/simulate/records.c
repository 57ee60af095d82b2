#include <stdio.h>

#include "../unit/inflate.h"
#include "laws.h"
#include "life.h"

/* An event's text is its number and a letter of its own, again and again. */
#define HEAD "{\"time\":\"2026-11-29T00:00:00.000Z\",\"type\":\"function\",\"record\":"
enum { NUMBER_LEN = 6, TEXT_MAX = 65536 };

static char
letter_of(uint32_t number)
{
    return (char)('a' + number % 26);
}

void
records_draw(struct life *w)
{
    struct logged *e = &w->events[w->events_len];
    uint32_t len = dice_magnitude(&w->dice, NUMBER_LEN, NUMBER_LEN + 2 * w->plan.event_bytes);

    /* one of a hundred is far above the rest */
    if (dice_chance(&w->dice, 10))
        len *= 10;
    if (len > TEXT_MAX - 256)
        len = TEXT_MAX - 256;
    *e = (struct logged){.len = len, .pieces = -1, .record = w->events_len, .next = -1};
    e->poison = life_fault(w, FAULT_POISON);
    e->named = life_fault(w, FAULT_NAMED);
    e->sick = life_fault(w, FAULT_SICK);
    if (w->plan.per_mille[FAULT_LARGE] > 0 && life_fault(w, FAULT_LARGE) &&
        e->len < w->plan.stream_limit)
        e->len = w->plan.stream_limit + dice_below(&w->dice, 2 * w->plan.stream_limit);
}

struct event
records_event(const struct life *w)
{
    static char text[TEXT_MAX];
    uint32_t number = w->events_len;
    const struct logged *e = &w->events[number];
    size_t at = sizeof HEAD - 1;
    struct event event = {.type = EVENT_FUNCTION, .kind = EVENT_OTHER};

    if (text[0] == '\0')
        memcpy(text, HEAD, at);
    text[at] = '"';
    text[at + 1] = '#';
    for (uint32_t i = 0, n = number; i < NUMBER_LEN - 1; i++, n /= 10)
        text[at + NUMBER_LEN - i] = (char)('0' + n % 10);
    memset(text + at + 1 + NUMBER_LEN, letter_of(number), e->len - NUMBER_LEN);
    text[at + 1 + e->len] = '"';
    text[at + 2 + e->len] = '}';
    event.text = (struct span){text, at + 3 + e->len};
    event.record = (struct span){text + at, e->len + 2};
    event.time = (struct span){text + sizeof "{\"time\":\"" - 1, 24};
    return event;
}

void
records_taken(struct life *w)
{
    w->events_len++;
}

/* FNV-1a, of 64 bits: hundreds of pieces of one event, and many such events, are told apart by it. */
static uint64_t
hash(uint64_t hash, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.p[i]) * 0x100000001b3;
    return hash;
}

static struct span
number_at(struct span text, uint32_t *number)
{
    size_t i = 0;

    *number = 0;
    for (; i < text.len && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        *number = *number * 10 + (uint32_t)(text.p[i] - '0');
    return (struct span){text.p + i, text.len - i};
}

static int32_t
find_piece(const struct life *w, uint32_t event, uint64_t path)
{
    int32_t i = w->events[event].pieces;

    while (i >= 0 && w->pieces[i].path != path)
        i = w->pieces[i].next;
    return i;
}

/* {"split":{"id":"SANDBOX-12.3","part":1,"parts":2},"text":"..."} */
static int32_t
know_piece(struct life *w, uint32_t event, struct span data)
{
    struct span rest = span_skip(data, sizeof "{\"split\":{\"id\":\"" - 1);
    struct span id = span_cut(rest, '"', &rest);
    struct piece *piece;
    uint32_t part, parts;
    char text[16];
    uint64_t up;
    uint64_t path;
    int32_t found;

    (void)span_cut(id, '-', &id);
    rest = number_at(span_skip(rest, sizeof ",\"part\":" - 1), &part);
    (void)number_at(span_skip(rest, sizeof ",\"parts\":" - 1), &parts);
    up = hash(0xcbf29ce484222325, id);
    (void)snprintf(text, sizeof text, ".%u", part);
    path = hash(up, span_of(text));
    found = find_piece(w, event, path);
    if (found >= 0)
        return found;
    if (w->pieces_len == PIECES_MAX) {
        laws_break(w, "the model has room for %u pieces", PIECES_MAX);
        return 0;
    }
    piece = &w->pieces[w->pieces_len];
    *piece = (struct piece){
        .event = event,
        .path = path,
        .up = up,
        .part = (uint16_t)part,
        .parts = (uint16_t)parts,
        .next = w->events[event].pieces,
    };
    w->events[event].pieces = (int32_t)w->pieces_len;
    w->events[event].split = true;
    return (int32_t)w->pieces_len++;
}

/* The number of an event in its text; 0 where there is none. */
static uint32_t
number_of(const struct life *w, struct span line)
{
    enum event_format format = w->plan.settings.format;
    size_t at = format == EVENT_CLOUDWATCH ? 0 : format == EVENT_MESSAGE ? 1 : sizeof HEAD;
    uint32_t number = 0;

    if (line.len > at && line.p[at] == '#')
        (void)number_at(span_skip(line, at + 1), &number);
    return number;
}

/* What a record holds; for the dead letter alone it may be there as it was before compression. */
static struct span
unpacked(struct life *w, const struct queue_record *record)
{
    static char room[TEXT_MAX + 1048576];
    long len;

    if (w->plan.settings.compression == COMPRESSION_NONE ||
        (record->state == QUEUE_SENT && record->data.p[0] != '\x1f'))
        return record->data;
    len = inflate_member(record->data, room, sizeof room);
    if (len < 0)
        laws_break(w, "gzip: the record of event %u is no member",
                   (uint32_t)record->origin.sequence);
    return (struct span){room, len < 0 ? 0 : (size_t)len};
}

#define MESSAGE                                                                                    \
    "{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\",\"logGroup\":"                   \
    "\"/aws/lambda/function\",\"logStream\":\"2026/11/29/[$LATEST]"

/* Its log events, with commas between them, and nothing behind the last one. */
static struct span
log_events(struct life *w, struct span data)
{
    const char *events = span_find(data, SPAN("\"logEvents\":["));

    if (!span_starts(data, SPAN(MESSAGE)) || events == NULL || data.len < 2 ||
        memcmp(data.p + data.len - 2, "]}", 2) != 0) {
        laws_break(w, "cloudwatch: a record is no message");
        return (struct span){NULL, 0};
    }
    data.len -= 2;
    return span_skip(data, (size_t)(events - data.p) + sizeof "\"logEvents\":[" - 1);
}

/* The line of the next one, as it stands in JSON, of which there is only that of newlines. */
static struct span
line_of_event(struct span data, struct span *rest)
{
    const char *message = span_find(data, SPAN("\"message\":\""));
    struct span line;

    if (message == NULL) {
        *rest = (struct span){NULL, 0};
        return *rest;
    }
    line = span_cut(span_skip(data, (size_t)(message - data.p) + sizeof "\"message\":\"" - 1), '"',
                    rest);
    *rest = rest->len == 1 ? (struct span){NULL, 0} : span_skip(*rest, 2);
    return line;
}

/* The data without the newline that ends it where a record may have several lines. */
static struct span
without_end(struct life *w, struct span data)
{
    if (w->plan.settings.format == EVENT_CLOUDWATCH)
        return log_events(w, data);
    if (w->plan.settings.aggregation == AGGREGATION_NONE)
        return data;
    if (data.len == 0 || data.p[data.len - 1] != '\n')
        laws_break(w, "lines: a record ends without a newline");
    else
        data.len--;
    return data;
}

/* A line, and what is behind it, which has no bytes and no place behind the last one. */
static struct span
line_of(const struct life *w, struct span data, struct span *rest)
{
    if (w->plan.settings.format == EVENT_CLOUDWATCH)
        return line_of_event(data, rest);
    if (w->plan.settings.aggregation != AGGREGATION_NONE)
        return span_cut(data, '\n', rest);
    *rest = (struct span){NULL, 0};
    return data;
}

/* The lines of a record, each of an event that came after that of the line before. Returns how many. */
static uint32_t
know_lines(struct life *w, uint32_t first, struct span data, uint32_t bytes)
{
    const struct logged *e = &w->events[first];
    /* two records in the stead of one, which have been in no call */
    bool halved = e->record != first || (e->next >= 0 && e->bytes != bytes);
    struct span rest = data;
    uint32_t event = first, found = 0;

    while (rest.p != NULL) {
        struct span line = line_of(w, rest, &rest);
        uint32_t number = number_of(w, line);

        if (found > 0 && (number <= event || number >= w->events_len)) {
            laws_break(w, "lines: event %u behind event %u", number, event);
            return found;
        }
        if (found > 0)
            w->events[event].next = (int32_t)number;
        event = found > 0 ? number : first;
        if (halved)
            w->events[event].in_call = 0;
        w->events[event].record = first;
        w->events[event].bytes = bytes;
        w->events[event].next = -1;
        laws_intact(w, event, number, line, letter_of(event));
        found++;
    }
    return found;
}

struct known
records_know(struct life *w, const struct queue_record *record)
{
    struct span all = unpacked(w, record);
    struct span data = without_end(w, all);
    struct known known = {(uint32_t)record->origin.sequence, -1};
    uint32_t bytes = (uint32_t)(record->data.len + record->partition_key.len);

    if (known.event >= w->events_len) {
        laws_break(w, "a record is of event %u of %u", known.event, w->events_len);
        return (struct known){0, -1};
    }
    if (record->partition_key.len == 0)
        laws_break(w, "the record of event %u has no partition key", known.event);
    if (span_starts(data, SPAN("{\"split\":"))) {
        known.piece = know_piece(w, known.event, data);
        return known;
    }
    laws_counted(w, record, all.len, know_lines(w, known.event, data, bytes));
    return known;
}

void
records_stored(struct life *w, struct known known)
{
    struct piece *piece = known.piece < 0 ? NULL : &w->pieces[known.piece];

    EACH_EVENT(w, known, i)
    {
        struct logged *e = &w->events[i];
        uint8_t *copies = piece == NULL ? &e->in_stream : &piece->in_stream;

        w->laws.doubles += *copies > 0 || (piece == NULL ? e->in_letter : piece->in_letter) > 0;
        if (*copies < UINT8_MAX)
            ++*copies;
    }
}

void
records_accepted(struct life *w, struct known known)
{
    if (known.piece >= 0)
        w->pieces[known.piece].accepted++;
    else
        EACH_EVENT(w, known, i)
    w->events[i].accepted++;
}

void
records_buried(struct life *w, struct known known, bool again)
{
    struct piece *piece = known.piece < 0 ? NULL : &w->pieces[known.piece];

    EACH_EVENT(w, known, i)
    {
        struct logged *e = &w->events[i];
        uint8_t *copies = piece == NULL ? &e->in_letter : &piece->in_letter;

        /* under the same name it is there once */
        if (again && *copies > 0)
            continue;
        w->laws.doubles += *copies > 0 || (piece == NULL ? e->in_stream : piece->in_stream) > 0;
        if (*copies < UINT8_MAX)
            ++*copies;
    }
}

/* Whether all pieces are where they should be that what has this path was split into. */
static bool
pieces_whole(const struct life *w, uint32_t event, uint64_t up, bool letter_counts)
{
    uint32_t have = 0, parts = UINT32_MAX;

    for (int32_t i = w->events[event].pieces; i >= 0; i = w->pieces[i].next) {
        const struct piece *p = &w->pieces[i];

        if (p->up != up)
            continue;
        parts = p->parts;
        have += p->accepted > 0 || (letter_counts && p->in_letter > 0) ||
                pieces_whole(w, event, p->path, letter_counts);
    }
    return have == parts;
}

/* The path of what no other piece is the origin of. */
static uint64_t
root(const struct life *w, uint32_t event)
{
    int32_t i = w->events[event].pieces;
    uint64_t up = w->pieces[i].up;

    while ((i = find_piece(w, event, up)) >= 0)
        up = w->pieces[i].up;
    return up;
}

bool
records_whole(const struct life *w, uint32_t event, bool letter_counts)
{
    const struct logged *e = &w->events[event];

    if (e->accepted > 0 || (letter_counts && e->in_letter > 0))
        return true;
    return e->split && pieces_whole(w, event, root(w, event), letter_counts);
}
