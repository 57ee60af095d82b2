#ifndef RESOLV_CONF_H
#define RESOLV_CONF_H
/*
 * Which name servers to ask, and how: /etc/resolv.conf.
 * Source: resolv.conf(5); limits as musl has them.
 */
#include "protocol/address.h"
#include "protocol/out.h"

#define RESOLV_CONF_SERVERS_MAX 3
#define RESOLV_CONF_SEARCH_MAX 256 /* bytes of all search domains together */
#define RESOLV_CONF_SCOPE_MAX 16   /* an interface's name. Source: IFNAMSIZ of Linux */

struct resolv_conf_server {
    struct address address;
    char scope[RESOLV_CONF_SCOPE_MAX]; /* interface of a link-local address; often empty */
};

struct resolv_conf {
    unsigned servers_len;
    struct resolv_conf_server servers[RESOLV_CONF_SERVERS_MAX];
    unsigned timeout_s; /* 1 to 60: the look-up has then failed */
    unsigned attempts;  /* 1 to 10 within this time */
    unsigned ndots;     /* names with fewer dots are looked for in the search domains first */
    size_t search_len;
    char search[RESOLV_CONF_SEARCH_MAX]; /* words */
};

/* The defaults, which a file may change line by line. */
void resolv_conf_init(struct resolv_conf *c);

/* Lines that are not valid, or do not concern us, are ignored. */
void resolv_conf_line(struct resolv_conf *c, struct span line);

/* After the last line. If no server was named, this machine is asked. */
void resolv_conf_end(struct resolv_conf *c);

/*
 * Names to ask for, one after the other, until one exists: host in each search domain, if it has few
 * dots, then host itself. try is 0 for the first.
 *
 * Writes the name; one that is too long for the buffer is cut, and then not valid. Returns whether
 * another name follows.
 */
bool resolv_conf_name(const struct resolv_conf *c, struct span host, unsigned try, struct out *o);

#endif
