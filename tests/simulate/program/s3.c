#include <stdlib.h>

#include "services.h"

/* see services.h; sources: src/README.md, "The dead letter"; S3 API reference, PutObject */

enum { SKEW_MS = 900000, OBJECTS = 4096, SANDBOXES = 256 };

static struct front front;

/* Objects that were written, by their names: the same name has the same bytes. */
static struct object {
    uint64_t name, body;
} objects[OBJECTS];

static unsigned objects_len;

static struct {
    uint64_t id;
    uint32_t run;
} sandboxes[SANDBOXES];

static unsigned sandboxes_len;
static bool elsewhere; /* the bucket is in another region */

static const char OTHER_REGION[] = "eu-north-1";

/* Where strings go that contain escapes. */
static struct {
    char *p;
    size_t cap;
} room;

/* --- lines ---------------------------------------------------------------------------------------- */

/* After the string that begins at p, its closing quote too; NULL if it does not end. */
static const char *
after_string(const char *p, const char *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    return p < end ? p + 1 : NULL;
}

static bool
begins(const char **p, const char *end, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(end - *p) < len || memcmp(*p, text, len) != 0)
        return false;
    *p += len;
    return true;
}

/* Whether it is an entry of PutRecords as src/README.md has it, and whole. */
static bool
is_letter(struct span line)
{
    const char *p = line.p, *end = line.p + line.len;

    if (!begins(&p, end, "{\"Data\":\"") && !begins(&p, end, "{\"DataBase64\":\""))
        return false;
    p = after_string(p, end);
    if (p == NULL || !begins(&p, end, ",\"PartitionKey\":\""))
        return false;
    p = after_string(p, end);
    return p != NULL && begins(&p, end, "}") && p == end;
}

static void
make_room(size_t len)
{
    if (room.cap >= 2 * len)
        return;
    free(room.p);
    room.cap = 4 * len;
    room.p = malloc(room.cap);
    if (room.p == NULL)
        world_break("s3: no memory");
}

bool
letter_arrived(struct span line)
{
    struct json_in in = {line.p, line.p + line.len, "dead letter", NULL};
    struct span name, data;

    if (!is_letter(line))
        return false;
    make_room(line.len);
    in.room = room.p;
    json_expect(&in, '{');
    name = json_text(&in);
    json_expect(&in, ':');
    data = json_text(&in);
    if (span_is(name, text_span("DataBase64"))) {
        size_t len = base64_read(data, in.room, "dead letter");

        data = (struct span){in.room, len};
        in.room += len;
        if (utf8_valid(data))
            world_break("dead letter: base64, although it is UTF-8: %.*s",
                        (int)(data.len < 200 ? data.len : 200), data.p);
    } else if (!utf8_valid(data)) {
        world_break("dead letter: a text that is not UTF-8");
    }
    json_expect(&in, ',');
    (void)json_text(&in);
    json_expect(&in, ':');
    books_record(BOOKS_DEAD_LETTER, data, json_text(&in));
    return true;
}

/* --- objects -------------------------------------------------------------------------------------- */

static uint64_t
hash_of(struct span s)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.p[i]) * 0x100000001b3;
    return hash;
}

/* The same for the same lines in another order. */
static uint64_t
hash_of_lines(struct span s)
{
    uint64_t sum = 0;

    while (s.len > 0)
        sum += hash_of(span_cut(s, '\n', &s));
    return sum;
}

/* Whether these lines are there already under that name. Others must not be. */
static bool
written_before(struct span name, struct span body)
{
    uint64_t key = hash_of(name), bytes = hash_of_lines(body);

    for (unsigned i = 0; i < objects_len; i++)
        if (objects[i].name == key) {
            if (objects[i].body != bytes)
                world_break("s3: an object is overwritten by another: %.*s", (int)name.len, name.p);
            return true;
        }
    if (objects_len == OBJECTS)
        world_break("s3: more than %d objects", (int)OBJECTS);
    objects[objects_len++] = (struct object){key, bytes};
    return false;
}

static void
write_object(const struct http_message *m)
{
    struct span rest = m->body;
    unsigned lines = 0;

    if (rest.len == 0 || rest.p[rest.len - 1] != '\n')
        world_break("s3: an object that does not end in a newline");
    if (written_before(m->target, m->body)) {
        world_say(front.name, "the object is there already");
        return;
    }
    while (rest.len > 0) {
        const char *end = memchr(rest.p, '\n', rest.len);
        struct span line = {rest.p, (size_t)(end - rest.p)};

        if (!letter_arrived(line))
            world_break("s3: no dead letter: %.*s", (int)(line.len < 200 ? line.len : 200), line.p);
        rest = (struct span){end + 1, rest.len - line.len - 1};
        lines++;
    }
    world_say(front.name, "takes %u records", lines);
}

/* The sandbox in an object's name is that of one run of the program. */
static void
check_sandbox(struct span id)
{
    uint64_t hash = hash_of(id);

    for (unsigned i = 0; i < sandboxes_len; i++)
        if (sandboxes[i].id == hash) {
            if (sandboxes[i].run != world.sandbox)
                world_break("s3: two sandboxes call themselves %.*s", (int)id.len, id.p);
            return;
        }
    if (sandboxes_len < SANDBOXES) {
        sandboxes[sandboxes_len].id = hash;
        sandboxes[sandboxes_len++].run = world.sandbox;
    }
}

/* Characters of the name by a pattern: 0 a digit, * any that need no encoding, but for the slash. */
static const char *
match(const char *p, const char *end, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, p++) {
        if (p == end)
            return NULL;
        if (*pattern == '0' ? *p < '0' || *p > '9' : *p != *pattern)
            return NULL;
    }
    return p;
}

/* Source: src/README.md: /BUCKET/PREFIX/2026/11/20/20261120T120000123Z-FUNCTION-SANDBOX-00000001.ndjson */
static void
check_name(struct span target)
{
    const char *end = target.p + target.len, *p = target.p;
    struct span letter = services_setting("TELEMETRY_DEAD_LETTER");
    struct span function = services_setting("AWS_LAMBDA_FUNCTION_NAME");
    const char *date;

    if (letter.len < 6 || !begins(&p, end, "/") || !begins(&p, end, letter.p + 5) ||
        !begins(&p, end, "/"))
        world_break("s3: not below the bucket and prefix of the setting: %.*s", (int)target.len,
                    target.p);
    date = p;
    p = match(p, end, "0000/00/00/00000000T000000000Z-");
    if (p == NULL || memcmp(date, date + 11, 4) != 0 || memcmp(date + 5, date + 15, 2) != 0 ||
        memcmp(date + 8, date + 17, 2) != 0 || !begins(&p, end, function.p) ||
        !begins(&p, end, "-") || end - p < 17 || match(end - 16, end, "-00000000.ndjson") == NULL)
        world_break("s3: not the name of a dead letter: %.*s", (int)target.len, target.p);
    check_sandbox((struct span){p, (size_t)(end - 16 - p)});
}

/* --- calls ---------------------------------------------------------------------------------------- */

struct s3_error {
    unsigned status;
    const char *code, *message;
};

static void
refuse(struct front_connection *c, const struct s3_error *e, const char *fields)
{
    char body[512];
    struct text t = {body, 0, sizeof body};

    world_say(front.name, "refuses: %u %s", e->status, e->code);
    text_put(
        &t,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message>"
        "<RequestId>4442587FB7D0A2F9</RequestId></Error>",
        e->code, e->message);
    front_reply(c, &(struct front_reply){.status = e->status,
                                         .type = "application/xml",
                                         .fields = fields,
                                         .body = {t.p, t.len}});
}

static void
fail(struct front_connection *c, const struct http_message *m)
{
    static const struct s3_error errors[] = {
        {503, "SlowDown", "Please reduce your request rate."},
        {503, "ServiceUnavailable", "Service is unable to handle request."},
        {500, "InternalError", "We encountered an internal error. Please try again."},
        {403, "AccessDenied", "Access Denied"},
        {404, "NoSuchBucket", "The specified bucket does not exist"},
        {400, "RequestTimeout", "Your socket connection to the server was not read from."},
        {403, "RequestTimeTooSkewed", "The difference is too large."},
        {400, "ExpiredToken", "The provided token has expired."},
    };
    const struct s3_error *e = &errors[dice_below(&world.service, 8)];

    if (e->status == 500 && dice_below(&world.service, 2) == 0)
        write_object(m);
    if (dice_below(&world.service, 8) == 0)
        front_drop(c, dice_below(&world.service, 2) == 0);
    else
        refuse(c, e, NULL);
}

/* The region that the signature names. */
static struct span
signed_region(const struct http_message *m)
{
    struct span s = http_value(m, "authorization");
    unsigned slashes = 0;
    size_t i = 0, begin;

    for (; i < s.len && slashes < 2; i++)
        slashes += s.p[i] == '/';
    begin = i;
    while (i < s.len && s.p[i] != '/')
        i++;
    return (struct span){s.p + begin, i - begin};
}

static bool
refused_elsewhere(struct front_connection *c, struct span region)
{
    static const struct s3_error errors[] = {
        {400, "AuthorizationHeaderMalformed", "The region is wrong; expecting 'eu-north-1'"},
        {301, "PermanentRedirect", "The bucket must be addressed by another endpoint."},
    };

    if (!elsewhere || span_is(region, text_span(OTHER_REGION)))
        return false;
    refuse(c, &errors[dice_below(&world.service, 2)], "x-amz-bucket-region: eu-north-1\r\n");
    return true;
}

static bool
refused_signature(struct front_connection *c, enum signature_verdict verdict)
{
    static const struct s3_error errors[] = {
        [SIGNATURE_SKEWED] = {403, "RequestTimeTooSkewed", "The difference is too large."},
        [SIGNATURE_EXPIRED] = {400, "ExpiredToken", "The provided token has expired."},
        [SIGNATURE_UNKNOWN] = {403, "InvalidAccessKeyId", "The key does not exist."},
    };

    if (verdict == SIGNATURE_GOOD)
        return false;
    refuse(c, &errors[verdict], NULL);
    return true;
}

static void
check_fields(const struct http_message *m)
{
    if (!span_is(m->method, text_span("PUT")))
        world_break("s3: %.*s", (int)m->method.len, m->method.p);
    if (!span_is(http_value(m, "content-type"), text_span("application/x-ndjson")))
        world_break("s3: another Content-Type than application/x-ndjson");
    if (http_value(m, "content-length").p == NULL)
        world_break("s3: no Content-Length");
    check_name(m->target);
}

static void
asked(struct front_connection *c, const struct http_message *m)
{
    struct signature_wanted wanted = {
        .service = "s3",
        .region = services_setting("AWS_REGION"),
        .now_ms = front_ms(&front),
        .skew_ms = SKEW_MS,
    };
    struct span region = signed_region(m);
    enum signature_verdict verdict;

    if (elsewhere && span_is(region, text_span(OTHER_REGION)))
        wanted.region = region;
    check_fields(m);
    verdict = signature_check(m, &wanted);
    if (front_outage_now(&front) || world_fault(&world.service, WORLD_S3_FAILS)) {
        fail(c, m);
        return;
    }
    if (refused_elsewhere(c, region) || refused_signature(c, verdict))
        return;
    write_object(m);
    front_reply(c, &(struct front_reply){
                       .status = 200, .fields = "ETag: \"d41d8cd98f00b204e9800998ecf8427e\"\r\n"});
}

void
s3_begin(void)
{
    struct span url = services_setting("AWS_ENDPOINT_URL_S3");

    objects_len = sandboxes_len = 0;
    elsewhere = world.plan.per_mille[WORLD_S3_FAILS] > 0 && dice_below(&world.service, 8) == 0;
    if (url.len == 0)
        return;
    front = (struct front){.name = "s3", .remote = true, .asked = asked};
    services_place(&front.place, url);
    front_open(&front);
}
