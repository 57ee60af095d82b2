#include "front.h"

/* see services.h */

struct span
services_setting(const char *name)
{
    size_t len = strlen(name);

    for (char *const *pair = world.plan.environment; *pair != NULL; pair++)
        if (strncmp(*pair, name, len) == 0 && (*pair)[len] == '=')
            return text_span(*pair + len + 1);
    return (struct span){NULL, 0};
}

/* Reads an IPv4 address; false if it is none. */
static bool
read_address(struct address *a, const char *host)
{
    unsigned part = 0, parts = 0;

    for (const char *p = host;; p++) {
        if (*p >= '0' && *p <= '9' && part < 256) {
            part = part * 10 + (unsigned)(*p - '0');
            continue;
        }
        if ((*p != '.' && *p != '\0') || p == host || part > 255 || parts == ADDRESS_V4_BYTES)
            return false;
        a->bytes[parts++] = (uint8_t)part;
        part = 0;
        if (*p == '\0')
            break;
    }
    a->len = ADDRESS_V4_BYTES;
    return parts == ADDRESS_V4_BYTES;
}

void
services_place(struct place *place, struct span url)
{
    static const char http[] = "http://", https[] = "https://";
    const char *p = url.p == NULL ? "" : url.p;
    size_t len;

    *place = (struct place){.tls = strncmp(p, https, sizeof https - 1) == 0};
    if (!place->tls && strncmp(p, http, sizeof http - 1) != 0)
        world_break("plan: no endpoint: %s", p);
    p += place->tls ? sizeof https - 1 : sizeof http - 1;
    len = strcspn(p, "/");
    if (len == 0 || len >= sizeof place->host)
        world_break("plan: no endpoint: %s", url.p);
    memcpy(place->authority, p, len);
    place->path = text_span(p[len] == '\0' ? "/" : p + len);
    len = strcspn(place->authority, ":");
    memcpy(place->host, place->authority, len);
    place->port = place->tls ? 443 : 80;
    if (place->authority[len] == ':') {
        place->port = 0;
        for (p = place->authority + len + 1; *p >= '0' && *p <= '9'; p++)
            place->port = (uint16_t)(place->port * 10 + *p - '0');
    }
    place->by_name = !read_address(&place->address, place->host);
}

void
services_begin(void)
{
    struct span bundle = services_setting("AWS_CA_BUNDLE");

    services_counts_begin();
    fronts_begin();
    tls_begin();
    if (bundle.len > 0)
        kernel_file(bundle.p, tls_ca());
    proxy_begin();
    names_begin();
    credentials_begin();
    kinesis_begin();
    s3_begin();
}

void
services_check(void)
{
    if (services_connections() > 0)
        world_break("services: %u connections are left at the end", services_connections());
}
