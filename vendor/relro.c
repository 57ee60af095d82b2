/*
 * Makes the linker's RELRO region read-only before main() runs.
 *
 * That is the dynamic linker's work, and a static-pie has none: musl's rcrt1.o relocates the tables
 * of function pointers (BearSSL is full of them) but leaves them writable. One system call here
 * turns the PT_GNU_RELRO header that -z relro writes into what it promises. Linked into the product
 * by way of toolchain.mk; a constructor, so that no caller can forget it.
 */
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* Laid over the file's own header by the linker. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

__attribute__((constructor)) static void
seal(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const ElfW(Phdr) *header = (const void *)(base + __ehdr_start.e_phoff);
    uintptr_t page = getauxval(AT_PAGESZ);

    for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
        if (header[i].p_type != PT_GNU_RELRO)
            continue;
        /* Both ends down: what shares a page with .data has to stay writable. */
        uintptr_t from = (base + header[i].p_vaddr) & ~(page - 1);
        uintptr_t to = (base + header[i].p_vaddr + header[i].p_memsz) & ~(page - 1);
        if (to > from)
            (void)mprotect((void *)from, to - from, PROT_READ);
    }
}
