#include "protocol/no_proxy.h"

#include "protocol/address.h"

/* see no_proxy.h */

static bool
in_network(const struct address *a, struct span token)
{
    struct address network;
    struct span length;
    uint64_t bits = 8 * (uint64_t)a->len;
    size_t whole;

    if (address_read(span_cut(token, '/', &length), &network) != 0 || network.len != a->len ||
        (length.p != NULL && (span_number(length, bits, &bits) != 0 || bits == 0)))
        return false;
    whole = (size_t)bits / 8;
    return memcmp(a->bytes, network.bytes, whole) == 0 &&
           (bits % 8 == 0 || (a->bytes[whole] ^ network.bytes[whole]) >> (8 - bits % 8) == 0);
}

static struct span
without_dot(struct span name)
{
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    return name;
}

static bool
in_domain(struct span host, struct span token)
{
    struct span domain = without_dot(token);
    struct span end;

    if (span_starts(domain, SPAN(".")))
        domain = span_skip(domain, 1);
    if (domain.len == 0 || domain.len > host.len)
        return false;
    end = span_skip(host, host.len - domain.len);
    return span_same_case(end, domain) && (end.len == host.len || end.p[-1] == '.');
}

bool
no_proxy(struct span list, struct span host)
{
    struct address address;
    bool numeric = address_read(host, &address) == 0;
    bool found = span_same(list, SPAN("*"));

    while (!found && list.len > 0) {
        struct span token = span_trim(span_cut(list, ',', &list));

        found = numeric ? in_network(&address, token) : in_domain(without_dot(host), token);
    }
    return found;
}
