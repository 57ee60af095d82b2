#include "extension/api_call.h"

#include <string.h>

/* see api_call.h */

static void
field(struct out *o, struct span name, struct span value)
{
    if (name.len == 0 || value.len == 0)
        return;
    out_put(o, name);
    out_put(o, SPAN(": "));
    out_put(o, value);
    out_put(o, SPAN("\r\n"));
}

static int
write_head(void *context, struct out *o)
{
    struct api_call *c = context;
    struct api_peer *peer = c->peer;

    out_put(o, c->method);
    out_byte(o, ' ');
    out_put(o, c->path);
    out_put(o, SPAN(" HTTP/1.1\r\n"));
    field(o, SPAN("Host"), peer->host);
    field(o, SPAN("Lambda-Extension-Identifier"),
          (struct span){peer->identifier, peer->identifier_len});
    field(o, c->name, c->value);
    out_put(o, c->fields);
    if (c->body.len > 0) {
        out_put(o, SPAN("Content-Type: application/json\r\nContent-Length: "));
        out_number(o, c->body.len);
        out_put(o, SPAN("\r\n"));
    }
    out_put(o, SPAN("\r\n"));
    /* bodies are small, so one write carries head and body */
    out_put(o, c->body);
    return out_end(o);
}

static void
reply(void *context, const struct http_head *head)
{
    struct api_call *c = context;
    struct api_peer *peer = c->peer;
    struct span identifier = http_field(head, SPAN("lambda-extension-identifier"));

    c->status = head->status;
    c->len = 0;
    c->reader.wanted = c->wanted;
    json_members_start(&c->reader);
    if (identifier.len == 0 || identifier.len > sizeof peer->identifier)
        return;
    memcpy(peer->identifier, identifier.p, identifier.len);
    peer->identifier_len = identifier.len;
}

/* Keeps the beginning of the reply, where errors are reported, and the wanted members. */
static void
piece(void *context, struct span part)
{
    struct api_call *c = context;

    c->len = out_keep(c->buffer, sizeof c->buffer, c->len, part);
    if (c->wanted != NULL)
        json_members_take(&c->reader, part);
}

static void
done(void *context, int result)
{
    struct api_call *c = context;

    c->reply = (struct span){c->buffer, c->len};
    c->members = json_members_end(&c->reader);
    c->done(c->context, result);
}

void
api_call_start(struct api_call *c)
{
    c->status = 0;
    c->len = 0;
    c->call = (struct http_call){
        .head = write_head,
        .reply = reply,
        .piece = piece,
        .done = done,
        .context = c,
        .silence_ms = c->silence_ms,
    };
    http_client_start(&c->peer->http, &c->call);
}
