#include "io/tls_curves.h"

/* see tls_curves.h */

static const br_ec_impl *
of(int curve)
{
    return curve == BR_EC_secp256r1 ? &br_ec_p256_m31 : &br_ec_prime_i31;
}

static const unsigned char *
generator(int curve, size_t *len)
{
    return of(curve)->generator(curve, len);
}

static const unsigned char *
order(int curve, size_t *len)
{
    return of(curve)->order(curve, len);
}

static size_t
x_offset(int curve, size_t *len)
{
    return of(curve)->xoff(curve, len);
}

static uint32_t
multiply(unsigned char *point, size_t point_len, const unsigned char *x, size_t x_len, int curve)
{
    return of(curve)->mul(point, point_len, x, x_len, curve);
}

static size_t
multiply_generator(unsigned char *result, const unsigned char *x, size_t x_len, int curve)
{
    return of(curve)->mulgen(result, x, x_len, curve);
}

static uint32_t
multiply_add(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
             size_t x_len, const unsigned char *y, size_t y_len, int curve)
{
    return of(curve)->muladd(a, b, len, x, x_len, y, y_len, curve);
}

const br_ec_impl tls_curves = {
    .supported_curves = 1u << BR_EC_secp256r1 | 1u << BR_EC_secp384r1 | 1u << BR_EC_secp521r1,
    .generator = generator,
    .order = order,
    .xoff = x_offset,
    .mul = multiply,
    .mulgen = multiply_generator,
    .muladd = multiply_add,
};
