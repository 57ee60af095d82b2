#include <stdio.h>

#include "world.h"

/* see http.h: what the world says */

static const char *
reason(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 202:
        return "Accepted";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 500:
        return "Internal Server Error";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    default:
        return status < 400 ? "Fine" : "Wrong";
    }
}

/* Chunks of drawn sizes: so many that what is around them is no more than the body and 1 KiB. */
static size_t
put_chunks(char *to, struct span body, struct dice *dice)
{
    uint32_t least = body.len <= 128 ? 1 : 16;
    size_t len = 0;

    while (body.len > 0) {
        size_t n = dice_magnitude(dice, least, 65536);

        n = n < body.len ? n : body.len;
        len += (size_t)sprintf(to + len, dice_below(dice, 2) == 0 ? "%zx\r\n" : "%zX\r\n", n);
        memcpy(to + len, body.p, n);
        memcpy(to + len + n, "\r\n", 2);
        len += n + 2;
        body = (struct span){body.p + n, body.len - n};
    }
    memcpy(to + len, "0\r\n\r\n", 5);
    return len + 5;
}

/* What follows the first line, of which len bytes are there. */
static size_t
put_rest(char *to, size_t cap, size_t len, const char *fields, struct span body,
         enum http_framing framing, struct dice *dice)
{
    bool small = dice_below(dice, 2) == 0; /* Go and nginx do not spell alike */

    if (cap < len + strlen(fields) + 2 * body.len + 1100)
        world_break("HTTP: no room for a message");
    if (framing == HTTP_LENGTH)
        len += (size_t)sprintf(to + len, "%s: %zu\r\n", small ? "content-length" : "Content-Length",
                               body.len);
    else if (framing == HTTP_CHUNKED)
        len += (size_t)sprintf(to + len, "%s: chunked\r\n",
                               small ? "transfer-encoding" : "Transfer-Encoding");
    else
        len += (size_t)sprintf(to + len, "Connection: close\r\n");
    len += (size_t)sprintf(to + len, "%s\r\n", fields);
    if (framing == HTTP_CHUNKED)
        return len + put_chunks(to + len, body, dice);
    if (body.len > 0)
        memcpy(to + len, body.p, body.len);
    return len + body.len;
}

size_t
http_response(char *to, size_t cap, unsigned status, const char *fields, struct span body,
              enum http_framing framing, struct dice *dice)
{
    int len = snprintf(to, cap, "HTTP/1.1 %u %s\r\n", status, reason(status));

    return put_rest(to, cap, (size_t)len, fields, body, framing, dice);
}

size_t
http_request(char *to, size_t cap, const char *method, const char *target, const char *fields,
             struct span body, enum http_framing framing, struct dice *dice)
{
    int len = snprintf(to, cap, "%s %s HTTP/1.1\r\n", method, target);

    if (len < 0 || (size_t)len >= cap)
        world_break("HTTP: no room for a message");
    return put_rest(to, cap, (size_t)len, fields, body, framing, dice);
}
