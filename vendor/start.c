/*
 * The first instructions of the program, in the stead of musl's rcrt1.o, for two things more:
 *
 * The linker's list of what is to be relocated is read in both its forms. The packed one (DT_RELR) has a bit for each
 * pointer where the other one has 24 bytes; this musl does not read it. pack_relocations.c writes it in what ships.
 *
 * The linker's RELRO region becomes read-only before main() runs. That is the dynamic linker's work, and a static-pie
 * has none: musl leaves the tables of function pointers (BearSSL is full of them) writable. One system call here turns
 * the PT_GNU_RELRO header that -z relro writes into what it promises.
 *
 * Linked into the product by way of toolchain.mk.
 * Sources: System V ABI, chapter 5, and its relative relocations, section 5.3 (generic ABI, 2022).
 */
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define HIDDEN __attribute__((visibility("hidden")))

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

/* Laid over the file's own header by the linker. */
extern const ElfW(Ehdr) __ehdr_start HIDDEN;
extern const ElfW(Dyn) _DYNAMIC[] HIDDEN;

int main(int argc, char **argv, char **environment);
_Noreturn int __libc_start_main(int (*begin)(int, char **, char **), int argc, char **argv);
_Noreturn HIDDEN void start(uintptr_t *stack);

/* Of argc, argv and what follows, to which the stack pointer points. */
#ifdef __x86_64__
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#else
__asm__(".globl _start\n_start: mov x29, #0\n mov x30, #0\n mov x0, sp\n and sp, x0, #-16\n b start\n");
#endif

/* Both ends down: what shares a page with .data has to stay writable. */
static void
seal(uintptr_t base)
{
    const ElfW(Phdr) *header = (const void *)(base + __ehdr_start.e_phoff);
    uintptr_t page = getauxval(AT_PAGESZ);

    for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
        uintptr_t from = (base + header[i].p_vaddr) & -page;
        uintptr_t to = (base + header[i].p_vaddr + header[i].p_memsz) & -page;

        if (header[i].p_type == PT_GNU_RELRO && to > from)
            (void)mprotect((void *)from, to - from, PROT_READ);
    }
}

static int
begin(int argc, char **argv, char **environment)
{
    seal((uintptr_t)&__ehdr_start);
    return main(argc, argv, environment);
}

/* What the linker has to tell of this kind; 0: nothing. */
static uintptr_t
told(ElfW(Sxword) tag)
{
    const ElfW(Dyn) *d = _DYNAMIC;

    while (d->d_tag != tag && d->d_tag != DT_NULL)
        d++;
    return d->d_un.d_val;
}

/* All are of one kind, RELATIVE: a place in the file gets the address at which the file lies added. */
void
start(uintptr_t *stack)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    uintptr_t *place = 0;
    const ElfW(Rela) *rela = (const void *)(base + told(DT_RELA));
    const ElfW(Rela) *rela_end = (const void *)((uintptr_t)rela + told(DT_RELASZ));
    const uintptr_t *relr = (const void *)(base + told(DT_RELR));
    const uintptr_t *relr_end = (const void *)((uintptr_t)relr + told(DT_RELRSZ));

    for (; rela != rela_end; rela++)
        *(uintptr_t *)(base + rela->r_offset) = base + (uintptr_t)rela->r_addend;
    /* the address of a pointer, or bits, from the second one on, for the 63 pointers that follow */
    for (; relr != relr_end; relr++) {
        uintptr_t bits = *relr;
        unsigned most = 63;

        if ((bits & 1) == 0) {
            place = (uintptr_t *)(base + bits);
            bits = 2;
            most = 1;
        }
        for (; most > 0; most--, place++)
            if ((bits >>= 1) & 1)
                *place += base;
    }
    __libc_start_main(begin, (int)*stack, (char **)(stack + 1));
}
