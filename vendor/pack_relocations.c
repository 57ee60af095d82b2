/*
 * usage: pack_relocations FILE
 *
 * Makes a stripped static-pie smaller, in place, in two ways.
 *
 * Writes the list of what is to be relocated in a static-pie shorter, in place: DT_RELR in the stead of DT_RELA, a bit
 * for most pointers where there are 24 bytes, which do not compress well. The rest of the list's room becomes zeros.
 * start.c reads both. GNU ld 2.40 can do so itself (-z pack-relative-relocs), but not for arm64.
 *
 * Cuts off what is behind the last segment: the list of sections, which is for linkers and debuggers, and those that are
 * not loaded. The unstripped twin has them.
 *
 * Runs during the build, on a machine of the same byte order.
 *
 * Source: System V ABI, generic, relative relocations.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#define DT_RELRENT 37
#endif

static char *file;

static void
need(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "pack_relocations: %s\n", what);
    exit(1);
}

/* What will lie at this address. */
static void *
at(uint64_t address)
{
    const Elf64_Ehdr *head = (void *)file;
    const Elf64_Phdr *p = (void *)(file + head->e_phoff);

    for (unsigned i = 0; i < head->e_phnum; i++, p++)
        if (p->p_type == PT_LOAD && address - p->p_vaddr < p->p_filesz)
            return file + p->p_offset + (address - p->p_vaddr);
    need(0, "an address that is not in the file");
    return NULL;
}

/* to: may be the list itself, since what is written never overtakes what is read. Returns the bytes written. */
static uint64_t
pack(const Elf64_Rela *list, uint64_t n, uint64_t *to)
{
    uint64_t *start = to;
    uint64_t *bits = NULL;
    uint64_t next = 0; /* the address of the first bit */

    for (uint64_t i = 0; i < n; i++) {
        Elf64_Rela r = list[i];
        uint64_t distance = (r.r_offset - next) / 8;

        need(ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE || ELF64_R_TYPE(r.r_info) == R_AARCH64_RELATIVE,
             "a relocation of another kind");
        need(r.r_offset % 8 == 0 && (i == 0 || r.r_offset >= next), "a pointer out of order");
        *(uint64_t *)at(r.r_offset) = (uint64_t)r.r_addend;
        if (bits != NULL && distance >= 63 && distance < 126) {
            *to++ = 1;
            bits = to - 1;
            next += 63 * 8;
            distance -= 63;
        }
        if (bits == NULL || distance >= 63) {
            *to++ = r.r_offset;
            *to = 1;
            bits = to++;
            next = r.r_offset + 8;
        } else {
            *bits |= (uint64_t)2 << distance;
        }
    }
    return (uint64_t)(to - start) * 8;
}

/* Without its sections. Returns the length that is left. */
static off_t
cut(void)
{
    Elf64_Ehdr *head = (void *)file;
    const Elf64_Phdr *p = (void *)(file + head->e_phoff);
    uint64_t end = 0;

    for (unsigned i = 0; i < head->e_phnum; i++, p++)
        if (p->p_type == PT_LOAD && p->p_offset + p->p_filesz > end)
            end = p->p_offset + p->p_filesz;
    head->e_shoff = 0;
    head->e_shentsize = head->e_shnum = head->e_shstrndx = 0;
    return (off_t)end;
}

static Elf64_Dyn *
dynamic(Elf64_Sxword tag)
{
    const Elf64_Ehdr *head = (void *)file;
    const Elf64_Phdr *p = (void *)(file + head->e_phoff);
    Elf64_Dyn *d;

    while (p->p_type != PT_DYNAMIC)
        p++;
    for (d = at(p->p_vaddr); d->d_tag != tag; d++)
        need(d->d_tag != DT_NULL, "no list");
    return d;
}

int
main(int argc, char **argv)
{
    struct stat status;
    int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;

    need(fd >= 0 && fstat(fd, &status) == 0, "no such file");
    file = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(file != MAP_FAILED, "no memory");

    Elf64_Rela *list = at(dynamic(DT_RELA)->d_un.d_ptr);
    uint64_t room = dynamic(DT_RELASZ)->d_un.d_val;
    uint64_t size = pack(list, room / sizeof *list, (uint64_t *)(void *)list);

    for (char *p = (char *)list + size; p < (char *)list + room; p++)
        *p = 0;
    dynamic(DT_RELA)->d_tag = DT_RELR;
    dynamic(DT_RELASZ)->d_un.d_val = size;
    dynamic(DT_RELASZ)->d_tag = DT_RELRSZ;
    dynamic(DT_RELAENT)->d_un.d_val = 8;
    dynamic(DT_RELAENT)->d_tag = DT_RELRENT;
    dynamic(DT_RELACOUNT)->d_un.d_val = 0;
    need(ftruncate(fd, cut()) == 0, "it cannot be cut");
    return 0;
}
