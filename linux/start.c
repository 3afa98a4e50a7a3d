/* SPDX-License-Identifier: MIT */
/* How a process's first thread begins: a first process, or a fork's child. */
#include "layer.h"
#include <proto/process_client.h>
#include <proto/file_client.h>

struct self self;

void layer_print(const char *format, ...)
{
    char line[200];
    uint32_t written;
    uint64_t end;
    va_list a;
    va_start(a, format);
    int n = vsnprintf(line, sizeof line, format, a);
    va_end(a);
    if (n > (int)sizeof line - 1)
        n = sizeof line - 1;
    file_write(self.streams ? SLOT_ERRORS : SLOT_TTYS, FILE_SHARED_POSITION, 0, line, (size_t)n,
        &written, &end);
}

uint64_t now_ns(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    uint64_t tsc = (uint64_t)hi << 32 | lo;
    unsigned __int128 p = tsc - self.clock_base;
    return (uint64_t)(p * self.clock_mult >> self.clock_shift);
}

uint64_t realtime_ns(void)
{
    return self.realtime_ns + now_ns();
}

/* What this thread needs for calls. The lane comes later; until then no mutating request. */
static void rt_self_make(struct block *b, uint16_t lane)
{
    b->self.magic = RT_SELF_MAGIC;
    b->self.notification = SLOT_NOTE;
    b->self.recv_slot = SLOT_RECEIVE;
    b->self.lane = lane;
    b->self.deadline_ns = DEADLINE_NEVER;
}

static void take_start(struct block *b, const struct process_start *s)
{
    self.pid = s->process;
    self.parent = s->parent;
    self.clock_mult = s->clock_mult;
    self.clock_base = s->clock_base;
    self.clock_shift = s->clock_shift;
    self.realtime_ns = s->realtime_ns;
    self.tsc_hz = s->ticks_per_second;
    self.cores = s->cores;
    self.ids = s->ids;
    memcpy(self.random, s->random, sizeof self.random);
    rt_self_make(b, s->lane);
    random_fill(&b->self.number, sizeof b->self.number); /* nobody is to guess our sequences */
    b->tid = s->process;
}

struct first {
    struct process_start start;
    char words[PROCESS_ARGUMENTS_MAX];
};

/* The first program: a name without a slash is looked for where a shell would. */
static int64_t first_run(struct block *b, char **argv, char **envp)
{
    static const char *const places[] = {
        "/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"};
    static TABLE char found[PATH_MAX];
    int64_t status = -ENOENT;
    if (strchr(argv[0], '/'))
        return exec_run(b, argv[0], argv, envp);
    for (unsigned i = 0; i < sizeof places / sizeof *places && status == -ENOENT; i++) {
        snprintf(found, sizeof found, "%s%s", places[i], argv[0]);
        status = exec_run(b, found, argv, envp);
    }
    return status;
}

/* What keeps a first program from running, for whoever typed its name. */
static const char *reason_of(int64_t error)
{
    static const struct {
        int64_t error;
        const char *text;
    } reasons[] = {
        {ENOENT, "there is no such file"},
        {EACCES, "it may not be executed"},
        {ENOEXEC, "it is no program for this system"},
        {ENOTDIR, "part of its path is no directory"},
        {EISDIR, "it is a directory"},
        {ELOOP, "too many symbolic links"},
        {ENOMEM, "there is too little memory"},
    };
    for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].error == error)
            return reasons[i].text;
    return "it cannot be loaded";
}

/* Sorts the words of the command: the ones with '=' before the first without are the environment,
 * and our own options. Answers how many arguments there are. */
static unsigned words_sort(char *words, size_t length, char **argv, char **envp, unsigned room)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                home[] = "HOME=/root", term[] = "TERM=linux";
    unsigned arguments = 0, variables = 0;
    envp[variables++] = path;
    envp[variables++] = home;
    envp[variables++] = term;
    for (size_t at = 0; at < length;) {
        char *word = words + at;
        at += strnlen(word, length - at) + 1;
        if (!arguments && !*word)
            continue;
        if (!arguments && !strcmp(word, "log=calls"))
            self.log_calls = true;
        else if (!arguments && !strcmp(word, "stdio=streams"))
            self.streams = true;
        else if (!arguments && !strcmp(word, "log=unknown"))
            self.log_unknown = true;
        else if (!arguments && strchr(word, '=') && variables < room)
            envp[variables++] = word;
        else
            argv[arguments++] = word;
    }
    return arguments;
}

/* The first process gets its command from the server, which has it from the description or the
 * boot archive. */
static int64_t command_run(struct block *b)
{
    enum { VARIABLES = 64 };
    size_t length = 0;
    char *envp[VARIABLES + 1] = {0};
    uint64_t place = 0;
    const uint64_t bytes = (sizeof(struct first) + PAGE - 1) & ~(PAGE - 1);
    int64_t e = layer_shared(bytes, &place); /* not on the heap: children would inherit it */
    if (e)
        return e;
    struct first *first = (struct first *)place;
    e = errno_of(process_start(SLOT_PROCESS, &first->start, sizeof first->words, &length));
    char **argv = e ? 0 : layer_alloc((length + 1) * sizeof *argv); /* a word has a NUL at least */
    if (argv) {
        unsigned arguments = words_sort(first->words, length, argv, envp, VARIABLES);
        files_start();
        e = arguments ? first_run(b, argv, envp) : -ENOENT;
        if (e)
            layer_print("[linux] cannot run %s: %s (error %ld)\n", arguments ? argv[0] : "nothing",
                reason_of(-e), -e);
        layer_free(argv);
    } else {
        e = e ? e : -ENOMEM;
    }
    layer_shared_free(place, bytes);
    return e;
}

void layer_start(struct block *b)
{
    struct process_start start;
    size_t length = 0;
    layer_lock();
    b->busy = 1;
    block_touch(b);
    rt_self_make(b, 0);
    if (process_start(SLOT_PROCESS, &start, 0, &length))
        pith_thread_exit();
    take_start(b, &start);
    block_register(b);
    self.umask = 022;
    self.cwd_slot = SLOT_ROOT;
    strlcpy(self.root, "/", sizeof self.root);
    strlcpy(self.cwd, "/", sizeof self.cwd);
    seen_start();
    if (command_run(b))
        process_end(127 << 8);
    layer_unlock();
}

/* Its parent held the lock when this copy was made, so we do. */
void layer_child(struct block *b)
{
    struct process_start start;
    size_t length = 0;
    block_touch(b);
    block_register(b);
    b->self.reply_cap_count = 0;
    uint32_t notification = b->self.notification;
    b->self.notification = SLOT_NOTE;
    slots_child();
    threads_forget();
    if (notification != SLOT_NOTE)
        slot_delete(notification);
    if (process_start(SLOT_PROCESS, &start, 0, &length))
        pith_thread_exit();
    take_start(b, &start);
    signals_child(b);
    settings_child();
    memory_scratch_idle();
    pith_thread_bases(b->fs_base, b->gs_base, 3);
    if (b->child_set_tid)
        user_write(b->child_set_tid, &self.pid, 4);
    b->regs.rax = 0;
    layer_unlock();
}
