#ifndef CRC32_H
#define CRC32_H
/*
 * CRC-32 as gzip has it: polynomial 0x04c11db7, lowest bit first. Source: RFC 1952, section 8; ITU-T V.42, 8.1.1.6.2.
 *
 * By the CPU's instructions where it has them (carry-less multiplication on x86-64, CRC32 on arm64), else by tables,
 * eight bytes a step. The tables take 8 KiB and are made rather than kept as constants, since the layer's zips have
 * limits; ends shorter than a step, and short inputs, go through them in either case.
 */
#include "protocol/span.h"

struct crc32 {
    uint32_t tables[8][256]; /* [i][b]: what byte b leaves behind when i bytes follow it */
};

void crc32_init(struct crc32 *c);

/*
 * Whether the CPU has the instructions (io/cpu.h, cpu_has_crc32). Until this is called tables are used. Both give the
 * same sums.
 */
void crc32_use_cpu(bool has_instructions);

/* The sum of what `sum` stands for with these bytes behind it; 0 stands for nothing. */
uint32_t crc32_add(const struct crc32 *c, uint32_t sum, struct span bytes);

#endif
