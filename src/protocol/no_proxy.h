#ifndef NO_PROXY_H
#define NO_PROXY_H
/*
 * Which hosts NO_PROXY exempts from a proxy. There is no specification; where curl (8.23) and botocore (urllib, 1.43)
 * read a list differently, curl is followed, since it knows networks and botocore does not; but for what has blanks:
 *
 *   list                 curl, and here                            botocore
 *   "*", nothing else    every host                                every host
 *   a.example            the name and those that end in            the same
 *   .a.example           ".a.example"; whatever the case
 *   a.example.           the dot at either's end does not count    no host without that dot
 *   10.0.0.1             that address, however it is written       the text
 *   10.0.0.0/8, fd00::/8 addresses of that network                 nothing
 *   0.0.0.0/0            nothing; curl: the address before it      nothing
 *   0.0.1                nothing: no part of an address            addresses that end in ".0.0.1"
 *   host:443             nothing                                   that host, if the URL has that port
 *   [::1]                nothing: no brackets                      that address
 *   "a b"                nothing: it is one name. curl: a, and     nothing
 *                        the list ends here
 *
 * Commas separate, with or without blanks around them. requests, which botocore is not, also takes networks, and any
 * end of a name, with no dot before it; that is not followed. Names are not looked up: an address exempts no name.
 */
#include "protocol/span.h"

/* host: a name, or an address without brackets. */
bool no_proxy(struct span list, struct span host);

#endif
