/* SPDX-License-Identifier: MIT */
/*
 * execve: ELF programs (static, static-PIE) and #! scripts.
 *
 * Everything that can be refused is checked before the old program is gone: the header and
 * segments are read, argv and envp are saved in the layer's own pages. After memory.reset
 * there is no way back, and an error ends the process. References: ELF-64 object file format
 * 1.5; System V ABI, AMD64 supplement 3.4.1 (the stack at the start).
 */
#include "layer.h"
#include <proto/file_client.h>
#include <proto/memory_client.h>
#include <proto/process_client.h>

#define STACK_LEAST (128ull << 10)
#define STACK_MOST (1ull << 30)
#define STACK_UNLIMITED (64ull << 20)
#define STRINGS_MAX (2ull << 20) /* a quarter of the stack, as Linux has it */
#define STRING_MAX (128ull * 1024)
#define WORDS_MAX 65536u
#define SEGMENTS_MAX 32u
#define PIE_BASE 0x555555554000ull
#define SCRIPTS_MAX 4u
#define HEAD_BYTES 256u

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment { uint32_t type, flags; uint64_t offset, vaddr, paddr, filesz, memsz, align; };
enum { PT_LOAD = 1, PT_INTERP = 3, PT_PHDR = 6, PF_X = 1, PF_W = 2, PF_R = 4 };

/* The strings and words of the new program, in pages of the layer's own. */
struct words {
    uint64_t pages;                 /* address; STRINGS_MAX of text, then the pointers */
    size_t used;
    unsigned argc, envc;
    const char **argv, **envp;
};

struct image {
    struct file *file;
    struct elf_header header;
    struct elf_segment segments[SEGMENTS_MAX];
    uint64_t base, low, high, phdr;
};

/* ---- arguments ---------------------------------------------------------------------------- */

#define WORDS_BYTES (STRINGS_MAX + 2 * WORDS_MAX * sizeof(char *))

static int64_t words_make(struct words *w)
{
    memset(w, 0, sizeof *w);
    int64_t e = layer_pages(WORDS_BYTES, &w->pages);
    if (e)
        return e;
    w->argv = (const char **)(w->pages + STRINGS_MAX);
    w->envp = w->argv + WORDS_MAX;
    return 0;
}

static void words_free(struct words *w)
{
    layer_pages_free(w->pages, WORDS_BYTES);
}

static int64_t word_add(struct words *w, const char **list, unsigned *count, const char *text)
{
    size_t n = strlen(text) + 1;
    if (*count + 1 >= WORDS_MAX || n > STRING_MAX || n > STRINGS_MAX - w->used)
        return -E2BIG;
    char *copy = memcpy((char *)w->pages + w->used, text, n);
    w->used += n;
    list[(*count)++] = copy;
    return 0;
}

static int64_t words_user(struct words *w, const char **list, unsigned *count, uint64_t from)
{
    for (uint64_t i = 0; from; i++) {
        uint64_t text;
        if (!user_read(&text, from + i * 8, 8))
            return -EFAULT;
        if (!text)
            break;
        if (*count + 1 >= WORDS_MAX)
            return -E2BIG;
        char *to = (char *)w->pages + w->used;
        size_t room = STRINGS_MAX - w->used < STRING_MAX ? STRINGS_MAX - w->used : STRING_MAX;
        int64_t n = user_text(to, text, room);
        if (n < 0)
            return n == -ENAMETOOLONG ? -E2BIG : n;
        w->used += (size_t)n + 1;
        list[(*count)++] = to;
    }
    return 0;
}

/* ---- the program ----------------------------------------------------------------------------- */

static int64_t elf_check(struct image *m)
{
    const struct elf_header *h = &m->header;
    if (memcmp(h->ident, "\177ELF\2\1", 6) || (h->type != 2 && h->type != 3) || h->machine != 62)
        return -ENOEXEC;
    if (h->phentsize != sizeof *m->segments || !h->phnum || h->phnum > SEGMENTS_MAX)
        return -ENOEXEC;
    size_t bytes = h->phnum * sizeof *m->segments;
    int64_t n = file_read_at(m->file, h->phoff, m->segments, bytes);
    if (n != (int64_t)bytes)
        return n < 0 ? n : -ENOEXEC;
    m->low = UINT64_MAX;
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf_segment *s = &m->segments[i];
        if (s->type == PT_INTERP) {
            layer_print("[linux] %s: dynamic programs are not supported yet\n", self.command);
            return -ENOEXEC;
        }
        if (s->type != PT_LOAD || !s->memsz)
            continue;
        if (s->filesz > s->memsz || s->vaddr > MEMORY_MAP_TOP ||
            s->memsz > MEMORY_MAP_TOP - s->vaddr || (s->vaddr ^ s->offset) & (PAGE - 1))
            return -ENOEXEC;
        if (s->vaddr < m->low)
            m->low = s->vaddr & ~(PAGE - 1);
        if (s->vaddr + s->memsz > m->high)
            m->high = s->vaddr + s->memsz;
        if (h->phoff >= s->offset && h->phoff + bytes <= s->offset + s->filesz)
            m->phdr = s->vaddr + (h->phoff - s->offset);
    }
    if (m->low == UINT64_MAX)
        return -ENOEXEC;
    m->base = h->type == 3 ? PIE_BASE - m->low : 0;
    return m->high + m->base > MEMORY_MAP_TOP ? -ENOEXEC : 0;
}

/* The file's pages, and zeros behind what it holds. */
static int64_t segment_share(struct image *m, const struct elf_segment *s, uint64_t prot)
{
    uint64_t start = m->base + s->vaddr, first = start & ~(PAGE - 1), got;
    uint64_t filled = start + s->filesz, shown = (filled + PAGE - 1) & ~(PAGE - 1);
    uint64_t end = (start + s->memsz + PAGE - 1) & ~(PAGE - 1);
    int64_t e = map_file(m->file, first, shown - first, s->offset - (start - first), prot, false);
    if (!e && s->memsz > s->filesz && !user_zero(filled, shown - filled))
        e = -EFAULT;
    if (!e && end > shown)
        e = errno_of(memory_map(SLOT_MEMORY, shown, end - shown,
                                (uint8_t)(prot | PROT_READ), MEMORY_MAP_FIXED, &got));
    return e;
}

static int64_t segment_map(struct image *m, const struct elf_segment *s)
{
    uint64_t start = m->base + s->vaddr, first = start & ~(PAGE - 1), got;
    uint64_t end = (start + s->memsz + PAGE - 1) & ~(PAGE - 1);
    uint8_t protection = (uint8_t)((s->flags & PF_R ? MEMORY_PROTECTION_READ : 0) |
                                   (s->flags & PF_W ? MEMORY_PROTECTION_WRITE : 0) |
                                   (s->flags & PF_X ? MEMORY_PROTECTION_EXEC : 0));
    uint8_t full = MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE;
    if (s->filesz && (start - s->offset) % PAGE == 0 &&
        (s->filesz == s->memsz || s->flags & PF_W)) {
        uint64_t prot = (s->flags & PF_R ? PROT_READ : 0) | (s->flags & PF_W ? PROT_WRITE : 0) |
                        (s->flags & PF_X ? PROT_EXEC : 0);
        int64_t e = segment_share(m, s, prot);
        if (e != -ENODEV)
            return e;
    }
    int64_t e = errno_of(memory_map(SLOT_MEMORY, first, end - first, full, MEMORY_MAP_FIXED, &got));
    if (!e && s->filesz)
        e = map_fill(m->file, start, s->filesz, s->offset);
    if (!e && protection != full)
        e = errno_of(memory_protect(SLOT_MEMORY, first, end - first, protection, 0));
    return e;
}

/* ---- the stack ------------------------------------------------------------------------------- */

enum {
    AT_NULL, AT_PHDR = 3, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY, AT_UID = 11,
    AT_EUID, AT_GID, AT_EGID, AT_PLATFORM, AT_HWCAP, AT_CLKTCK, AT_SECURE = 23, AT_RANDOM = 25,
    AT_HWCAP2, AT_EXECFN = 31, AT_SYSINFO_EHDR = 33, AT_MINSIGSTKSZ = 51,
};

static uint64_t cpu_features(void)
{
    uint32_t a = 1, b, c, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return d;
}

static uint64_t push(uint64_t *sp, const void *from, size_t bytes, int64_t *e)
{
    *sp -= bytes;
    if (!user_write(*sp, from, bytes))
        *e = -EFAULT;
    return *sp;
}

static struct { uint64_t from, bytes, low, high; } running; /* the program that runs */

void exec_environment(uint64_t *from, uint64_t *bytes)
{
    *from = running.from;
    *bytes = running.bytes;
}

void exec_extent(uint64_t *low, uint64_t *high)
{
    *low = running.low;
    *high = running.high;
}

/* Writes everything below top; the stack pointer for the program's first instruction. */
static int64_t stack_build(struct image *m, struct words *w, uint64_t top, uint64_t *result)
{
    uint64_t sp = top, word = 0;
    int64_t e = 0;
    uint8_t random[16];
    random_fill(random, sizeof random);
    push(&sp, &word, 8, &e);
    uint64_t name = push(&sp, self.executable, strlen(self.executable) + 1, &e);
    uint64_t texts = push(&sp, (const void *)w->pages, w->used, &e);
    uint64_t arguments = w->envc ? (uint64_t)w->envp[0] - w->pages : w->used;
    running.from = texts + arguments;
    running.bytes = w->used - arguments;
    running.low = m->base + m->low;
    running.high = m->base + m->high;
    uint64_t platform = push(&sp, "x86_64", 7, &e);
    sp &= ~15ull;
    uint64_t seed = push(&sp, random, sizeof random, &e);
    const uint64_t aux[][2] = {
        {AT_HWCAP, cpu_features()},
        {AT_PAGESZ, PAGE},
        {AT_CLKTCK, 100},
        {AT_PHDR, m->base + m->phdr},
        {AT_PHENT, sizeof(struct elf_segment)},
        {AT_PHNUM, m->header.phnum},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, m->base + m->header.entry},
        {AT_UID, self.ids.real_user},
        {AT_EUID, self.ids.user},
        {AT_GID, self.ids.real_group},
        {AT_EGID, self.ids.group},
        {AT_SECURE, 0},
        {AT_RANDOM, seed},
        {AT_HWCAP2, 2},
        {AT_EXECFN, name},
        {AT_PLATFORM, platform},
        {AT_SYSINFO_EHDR, LAYER_BASE_ADDRESS},
        {AT_MINSIGSTKSZ, 4096},
        {AT_NULL, 0},
    };
    uint64_t words = 1 + w->argc + 1 + w->envc + 1;
    sp -= sizeof aux + words * 8;
    sp &= ~15ull;
    uint64_t at = sp;
    word = w->argc;
    if (!user_write(at, &word, 8))
        return -EFAULT;
    at += 8;
    for (unsigned i = 0; i <= w->argc; i++, at += 8) {
        word = i < w->argc ? texts + ((uint64_t)w->argv[i] - w->pages) : 0;
        if (!user_write(at, &word, 8))
            return -EFAULT;
    }
    for (unsigned i = 0; i <= w->envc; i++, at += 8) {
        word = i < w->envc ? texts + ((uint64_t)w->envp[i] - w->pages) : 0;
        if (!user_write(at, &word, 8))
            return -EFAULT;
    }
    if (!user_write(at, aux, sizeof aux))
        return -EFAULT;
    *result = sp;
    return e;
}

/* ---- execve ---------------------------------------------------------------------------------- */

static void name_set(struct words *w)
{
    char line[PROCESS_NAME_MAX];
    size_t n = 0;
    for (unsigned i = 0; i < w->argc && n < sizeof line; i++)
        n += strlcpy(line + n, w->argv[i], sizeof line - n) + 1;
    self.ids.saved_user = self.ids.file_user = self.ids.user; /* as the server does */
    self.ids.saved_group = self.ids.file_group = self.ids.group;
    size_t length = strnlen(self.executable, PROCESS_EXECUTABLE_MAX);
    process_name(
        SLOT_PROCESS, true, line, n < sizeof line ? n : sizeof line, self.executable, length);
}

/* Reserved for a stack under RLIMIT_STACK; memory is taken as it is touched. */
static uint64_t stack_bytes(uint64_t limit)
{
    if (limit == UINT64_MAX)
        return STACK_UNLIMITED;
    limit = (limit + PAGE - 1) & ~(PAGE - 1);
    return limit < STACK_LEAST ? STACK_LEAST : limit > STACK_MOST ? STACK_MOST : limit;
}

void stack_limit(uint64_t limit)
{
    uint64_t low = self.stack_high - stack_bytes(limit), got;
    uint64_t used = block_self()->regs.rsp & ~(PAGE - 1);
    if (used > self.stack_low && used < self.stack_high && low > used)
        low = used; /* what is in use stays */
    if (low > self.stack_low && memory_unmap(SLOT_MEMORY, self.stack_low, low - self.stack_low, 0))
        return;
    /* A larger one only where nothing else has come. */
    if (low < self.stack_low && memory_map(SLOT_MEMORY, low, self.stack_low - low,
                                    MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE,
                                    MEMORY_MAP_FIXED | MEMORY_MAP_NO_REPLACE, &got))
        return;
    self.stack_low = low;
}

/* The point of no return and what follows. */
static int64_t image_run(struct block *b, struct image *m, struct words *w)
{
    uint64_t stack = 0, sp = 0, bytes = stack_bytes(limit_of(LIMIT_STACK));
    if (bytes < 4 * w->used)
        bytes = (4 * w->used + PAGE - 1) & ~(PAGE - 1); /* what was given with a larger stack */
    threads_end_others();
    int64_t e = errno_of(memory_reset(SLOT_MEMORY));
    for (unsigned i = 0; !e && i < m->header.phnum; i++)
        if (m->segments[i].type == PT_LOAD && m->segments[i].memsz)
            e = segment_map(m, &m->segments[i]);
    if (!e)
        e = errno_of(memory_map(
            SLOT_MEMORY, 0, bytes, MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE, 0, &stack));
    if (!e)
        e = stack_build(m, w, stack + bytes, &sp);
    if (e) {
        layer_print("[linux] %u %s: exec failed late: %ld\n", self.pid, self.command, -e);
        process_end(SIGKILL);
    }
    self.stack_low = stack;
    self.stack_high = stack + bytes;
    uint64_t gap;
    random_fill(&gap, sizeof gap);
    self.brk_start = ((m->base + m->high + PAGE - 1) & ~(PAGE - 1)) + (gap & 0x1fff) * PAGE;
    self.brk_end = self.brk_mapped = self.brk_start;
    name_set(w);
    fd_close_exec();
    signals_exec();
    settings_exec();
    memory_scratch_forget();
    memset(&b->regs, 0, sizeof b->regs);
    b->regs.rsp = sp;
    b->site.rip = m->base + m->header.entry;
    b->site.flags = 0x202;
    b->fs_base = b->gs_base = b->tid_address = b->robust_list = 0;
    pith_thread_bases(0, 0, 3);
    __asm__ volatile("fninit");
    uint32_t mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    return 0;
}

/* "#!interpreter argument" in head: the words become those, the path, and the rest. */
static int64_t script_words(
    char *head, size_t n, const char *path, struct words *w, char *interpreter)
{
    char *end = memchr(head, '\n', n), *at = head + 2, *argument;
    if (!end && n == HEAD_BYTES) {
        /* The line is longer than what is looked at: an argument may be cut, a name not. */
        head[n] = 0;
        char *name = at + strspn(at, " \t");
        if (!name[strcspn(name, " \t")])
            return -ENOEXEC;
    }
    if (!end)
        end = head + n;
    *end = 0;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = 0;
    at += strspn(at, " \t");
    if (!*at)
        return -ENOEXEC;
    argument = at + strcspn(at, " \t");
    if (*argument) {
        *argument++ = 0;
        argument += strspn(argument, " \t");
    }
    if (strlcpy(interpreter, at, PATH_MAX) >= PATH_MAX)
        return -ENAMETOOLONG;
    unsigned extra = *argument ? 2 : 1, old = w->argc ? w->argc - 1 : 0;
    if (old + extra + 2 >= WORDS_MAX)
        return -E2BIG;
    for (unsigned i = old; i > 0; i--)
        w->argv[i + extra] = w->argv[i];
    unsigned count = 0, total = 1 + extra + old;
    int64_t e = word_add(w, w->argv, &count, at);
    if (!e && *argument)
        e = word_add(w, w->argv, &count, argument);
    if (!e)
        e = word_add(w, w->argv, &count, path);
    w->argc = total;
    return e;
}

/* at and flags as execveat has them; an empty text is the descriptor itself. */
static int64_t image_open(
    struct image *m, int64_t at, const char *text, uint32_t flags, struct path *p)
{
    int64_t e;
    struct file *named = *text ? 0 : file_of((uint32_t)at);
    if (!*text && !named)
        return -EBADF;
    if (named && named->kind != FILE_PATH) {
        m->file = named;
        named->users++;
    } else { /* it is not open yet */
        bool stay = flags & AT_SYMLINK_NOFOLLOW && !named;
        e = named ? 0 : path_set(p, at, text);
        if (named)
            path_descriptor(p, (uint32_t)at);
        if (!e)
            e = open_path(p, O_EXECUTE | (stay ? O_NOFOLLOW : 0), 0, &m->file);
        if (e)
            return e;
    }
    if (named)
        path_descriptor(p, (uint32_t)at);
    e = m->file->kind == FILE_PLAIN && (*text || may_search(m->file->slot)) ? 0 : -EACCES;
    if (e)
        file_drop(m->file);
    return e;
}

static int64_t words_run(
    struct block *b, int64_t at, const char *path, uint32_t flags, struct words *w)
{
    struct image m;
    struct path p;
    char text[PATH_MAX];
    if (strlcpy(text, path, sizeof text) >= sizeof text)
        return -ENAMETOOLONG;
    for (unsigned depth = 0; depth <= SCRIPTS_MAX; depth++) {
        char head[HEAD_BYTES + 1];
        memset(&m, 0, sizeof m);
        int64_t e = image_open(&m, at, text, flags, &p);
        if (e)
            return e;
        int64_t n = file_read_at(m.file, 0, head, HEAD_BYTES);
        if (n > 2 && head[0] == '#' && head[1] == '!') {
            file_drop(m.file);
            char script[PATH_MAX];
            strlcpy(script, text, sizeof script);
            if (!*script)
                strlcpy(script, p.full, sizeof script); /* what the interpreter can open */
            else if ((int32_t)at != AT_FDCWD && *script != '/')
                snprintf(script, sizeof script, "/dev/fd/%u/%s", (unsigned)at, text);
            e = script_words(head, (size_t)n, script, w, text);
            if (e)
                return e;
            at = AT_FDCWD;
            flags = 0;
            continue;
        }
        const char *last = strrchr(p.full, '/');
        if (n < (int64_t)sizeof m.header) {
            e = n < 0 ? n : -ENOEXEC;
        } else {
            memcpy(&m.header, head, sizeof m.header);
            e = elf_check(&m);
        }
        if (!e) {
            strlcpy(self.command, last ? last + 1 : text, sizeof self.command);
            strlcpy(self.executable, full_shown(p.full), sizeof self.executable);
            e = image_run(b, &m, w);
        }
        file_drop(m.file);
        return e;
    }
    return -ELOOP;
}

int64_t exec_run(struct block *b, const char *path, char *const *argv, char *const *envp)
{
    struct words w;
    int64_t e = words_make(&w);
    if (e)
        return e;
    for (; !e && *argv; argv++)
        e = word_add(&w, w.argv, &w.argc, *argv);
    for (; !e && *envp; envp++)
        e = word_add(&w, w.envp, &w.envc, *envp);
    if (!e)
        e = words_run(b, AT_FDCWD, path, 0, &w);
    words_free(&w);
    return e;
}

static int64_t exec_at(int64_t at, uint64_t text, uint64_t argv, uint64_t envp, uint32_t flags)
{
    struct words w;
    char path[PATH_MAX];
    struct block *b = block_self();
    int64_t e = user_text(path, text, sizeof path);
    if (e < 0)
        return e;
    if (!e && !(flags & AT_EMPTY_PATH))
        return -ENOENT;
    e = words_make(&w);
    if (e)
        return e;
    e = words_user(&w, w.argv, &w.argc, argv);
    if (!e && !w.argc)
        e = word_add(&w, w.argv, &w.argc, "");
    if (!e)
        e = words_user(&w, w.envp, &w.envc, envp);
    if (!e)
        e = words_run(b, at, path, flags, &w);
    words_free(&w);
    return e;
}

int64_t sys_execve(const uint64_t *a)
{
    return exec_at(AT_FDCWD, a[0], a[1], a[2], 0);
}

int64_t sys_execveat(const uint64_t *a)
{
    if (a[4] & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return exec_at((int64_t)a[0], a[1], a[2], a[3], (uint32_t)a[4]);
}
