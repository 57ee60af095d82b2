#include "protocol/settings_proxy.h"

/* see settings_proxy.h */

/* The one in lower case, unless it is empty. */
static struct span
either(const struct settings_source *source, const char **name, const char *upper)
{
    struct span value = settings_source_get(source, *name);

    if (value.len == 0)
        *name = upper;
    return settings_source_get(source, *name);
}

void
settings_proxy_read(struct proxy *proxy, const struct settings_source *source)
{
    static const char word[] = "environment";
    static const char allowed[] = "environment, http://[USER:PASSWORD@]HOST[:PORT]";
    const char *name = "TELEMETRY_PROXY";
    const char *exempt = "no_proxy";
    struct span value = settings_source_get(source, name);
    bool environment = span_same(value, SPAN(word));

    if (environment) {
        name = "https_proxy";
        value = either(source, &name, "HTTPS_PROXY");
    }
    if (value.len == 0 || proxy_url(value, environment, proxy) != 0) {
        if (value.len > 0)
            settings_source_refuse(source, name, SPAN("(a URL)"),
                                   allowed + (environment ? sizeof word + 1 : 0), "no proxy");
        proxy->host.len = 0;
    } else if (environment) {
        proxy->https_only = true;
        proxy->exempt = either(source, &exempt, "NO_PROXY");
    }
}
