#include "protocol/aws_error.h"

#include "protocol/reply_walk.h"

#include <string.h>

/* see aws_error.h */

static const struct span nothing = {NULL, 0};

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_code(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/*
 * The bare name within namespace#name:detail. The detail may be an address with a "#" in it, so it
 * goes first.
 */
static struct span
code_in(struct span type)
{
    struct span rest = nothing;
    struct span name = span_cut(type, ':', &rest);

    (void)span_cut(name, '#', &rest);
    name = span_trim(rest.p == NULL ? name : rest);
    for (size_t i = 0; i < name.len; i++)
        if (!is_code(name.p[i]))
            return nothing;
    return name;
}

/* A map in JSON or CBOR. A body that was cut short gives what stands before the cut. */
static void
from_map(struct span body, struct aws_error *e)
{
    struct span code = nothing;
    struct span name;
    struct span value;
    struct reply_walk w;

    if (reply_walk_open(&w, body) < 0)
        return;
    while (reply_walk_next(&w, &name, &value) == 1) {
        struct span text = reply_walk_string(&w, value);

        if (reply_walk_named(&w, name, SPAN("__type")))
            e->code = code_in(text);
        else if (reply_walk_named(&w, name, SPAN("code")))
            code = code_in(text);
        else if ((reply_walk_named(&w, name, SPAN("message")) ||
                  reply_walk_named(&w, name, SPAN("Message"))) &&
                 text.len > 0)
            e->message = text;
    }
    if (e->code.len == 0)
        e->code = code;
}

/* The text between the first such tag and the next tag. */
static struct span
element(struct span body, struct span tag)
{
    const char *start = span_find(body, tag);
    struct span rest;
    struct span text;

    if (start == NULL)
        return nothing;
    text = span_cut(span_skip(body, (size_t)(start - body.p) + tag.len), '<', &rest);
    return rest.p == NULL ? nothing : text;
}

/*
 * The name of the outermost element, when it can be that of an error: <html>, <HTML>, <!DOCTYPE>,
 * <?xml> and the envelopes <Error> and <ErrorResponse> cannot.
 */
static struct span
outermost(struct span body)
{
    struct span rest = body;
    struct span name;

    do {
        (void)span_cut(rest, '<', &rest);
    } while (span_starts(rest, SPAN("?")) || span_starts(rest, SPAN("!--")));
    name = rest;
    for (name.len = 0; name.len < rest.len && is_code(rest.p[name.len]);)
        name.len++;
    /* a name that reaches the end may have been cut */
    if (name.len == rest.len)
        return nothing;
    if (name.len < 2 || name.p[0] < 'A' || name.p[0] > 'Z' || name.p[1] < 'a' || name.p[1] > 'z')
        return nothing;
    if (span_same(name, SPAN("Error")) || span_same(name, SPAN("ErrorResponse")))
        return nothing;
    return name;
}

static void
from_xml(struct span body, struct aws_error *e)
{
    if (e->code.len == 0)
        e->code = code_in(element(body, SPAN("<Code>")));
    if (e->code.len == 0)
        e->code = outermost(body);
    e->message = element(body, SPAN("<Message>"));
    if (e->message.len == 0)
        e->message = element(body, SPAN("<message>"));
}

void
aws_error(struct span type_header, struct span body, struct aws_error *e)
{
    while (body.len > 0 && span_white(body.p[0]))
        body = span_skip(body, 1);
    e->code = e->message = nothing;
    from_map(body, e);
    if (e->code.len == 0)
        e->code = code_in(type_header);
    if (span_starts(body, SPAN("<")))
        from_xml(body, e);
}

struct span
aws_error_line(struct span message)
{
    size_t n = 0;

    while (n < message.len && message.p[n] != '\\' && (unsigned char)message.p[n] >= ' ')
        n++;
    return (struct span){message.p, n};
}
