#ifndef SETTINGS_PROXY_H
#define SETTINGS_PROXY_H
/*
 * The proxy: none, this extension's own, or the function's. TELEMETRY_PROXY, and with TELEMETRY_PROXY=environment
 * https_proxy, HTTPS_PROXY, no_proxy and NO_PROXY.
 *
 * Lower case wins over upper, and what is empty counts as not set, as curl has it; for botocore an empty variable in
 * lower case hides the other. There a proxy needs no scheme ("proxy.example:3128"), for both. HTTP_PROXY and ALL_PROXY
 * are not read: endpoints are https, and botocore does not know the latter.
 *
 * A proxy that is refused is none: what it should have carried is sent directly. Its value is not told, since it may
 * be, or contain, a password.
 */
#include "protocol/proxy.h"
#include "protocol/settings_source.h"

void settings_proxy_read(struct proxy *proxy, const struct settings_source *source);

#endif
