/* SPDX-License-Identifier: MIT */
/* The vDSO: an ELF image whose functions are found by PT_DYNAMIC and by sections, and work. */
#include "try.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/time.h>

static const char *image;

// As glibc and musl look: the dynamic section's symbols; DT_HASH says how many.
static const void *by_dynamic(const char *name)
{
    const Elf64_Ehdr *head = (const void *)image;
    const Elf64_Phdr *program = (const void *)(image + head->e_phoff);
    const Elf64_Dyn *dynamic = NULL;
    const Elf64_Sym *symbols = NULL;
    const char *strings = NULL;
    const uint32_t *hash = NULL;

    for (int i = 0; i < head->e_phnum; i++)
        if (program[i].p_type == PT_DYNAMIC)
            dynamic = (const void *)(image + program[i].p_offset);
    for (; dynamic != NULL && dynamic->d_tag != DT_NULL; dynamic++) {
        const void *at = image + dynamic->d_un.d_ptr;

        if (dynamic->d_tag == DT_SYMTAB)
            symbols = at;
        if (dynamic->d_tag == DT_STRTAB)
            strings = at;
        if (dynamic->d_tag == DT_HASH)
            hash = at;
    }
    if (symbols == NULL || strings == NULL || hash == NULL)
        return NULL;
    for (uint32_t i = 1; i < hash[1]; i++)
        if (strcmp(strings + symbols[i].st_name, name) == 0)
            return image + symbols[i].st_value;
    return NULL;
}

// As dietlibc looks: a section of dynamic symbols, allocated strings, the symbol's own section.
static const void *by_sections(const char *name)
{
    const Elf64_Ehdr *head = (const void *)image;
    const Elf64_Shdr *sections = (const void *)(image + head->e_shoff), *symbols = NULL;
    const char *strings = NULL;

    for (int i = 0; i < head->e_shnum; i++) {
        if (sections[i].sh_type == SHT_DYNSYM)
            symbols = &sections[i];
        if (sections[i].sh_type == SHT_STRTAB && (sections[i].sh_flags & SHF_ALLOC) != 0)
            strings = image + sections[i].sh_offset;
    }
    if (symbols == NULL || strings == NULL)
        return NULL;
    for (size_t at = 0; at < symbols->sh_size; at += symbols->sh_entsize) {
        const Elf64_Sym *symbol = (const void *)(image + symbols->sh_offset + at);

        if (symbol->st_shndx < head->e_shnum && strcmp(strings + symbol->st_name, name) == 0)
            return image + sections[symbol->st_shndx].sh_offset + symbol->st_value -
                   sections[symbol->st_shndx].sh_addr;
    }
    return NULL;
}

int main(void)
{
    static const char *const names[] = {"__vdso_clock_gettime", "__vdso_gettimeofday",
        "__vdso_time", "__vdso_getcpu", "__vdso_clock_getres"};
    struct timespec t = {0, 0}, call;
    struct timeval micro = {0, 0};
    unsigned cpu = 99, node = 99;

    image = (const char *)getauxval(AT_SYSINFO_EHDR);
    IS(image != NULL && memcmp(image, ELFMAG, SELFMAG) == 0);
    if (image == NULL)
        return 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        say("%s: %s, %s", names[i], by_dynamic(names[i]) != NULL ? "there" : "absent",
            by_sections(names[i]) == by_dynamic(names[i]) ? "the same by sections" : "differs");
    IS(by_dynamic("__vdso_nothing") == NULL && by_sections("__vdso_nothing") == NULL);

    int (*gettime)(int, struct timespec *) =
        (int (*)(int, struct timespec *))(uintptr_t)by_sections(names[0]);
    int (*gettimeofday_)(struct timeval *, void *) =
        (int (*)(struct timeval *, void *))(uintptr_t)by_sections(names[1]);
    time_t (*time_)(time_t *) = (time_t(*)(time_t *))(uintptr_t)by_sections(names[2]);
    long (*getcpu_)(unsigned *, unsigned *, void *) =
        (long (*)(unsigned *, unsigned *, void *))(uintptr_t)by_sections(names[3]);
    VAL(gettime(CLOCK_MONOTONIC, &t));
    SYS(clock_gettime, CLOCK_MONOTONIC, &call);
    IS(t.tv_sec <= call.tv_sec && call.tv_sec - t.tv_sec < 5);
    VAL(gettime(CLOCK_THREAD_CPUTIME_ID, &t));
    VAL(gettime(4711, &t));
    VAL(gettimeofday_(&micro, NULL));
    IS(labs(time_(NULL) - micro.tv_sec) < 5);
    VAL(getcpu_(&cpu, &node, NULL));
    IS(cpu < 64 && node == 0);
    return 0;
}
