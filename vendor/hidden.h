/*
 * In front of each file for arm64: all that is linked is within one file, so that what another part defines is reached
 * as what is one's own, and not by way of a table of addresses.
 */
#pragma GCC visibility push(hidden)
