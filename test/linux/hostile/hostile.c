// SPDX-License-Identifier: MIT
/*
 * A program that is its own layer's enemy: with the authority that every Linux program here has,
 * it asks each server, and the kernel, for anything at all. It reaches them through the layer's own
 * functions (HOSTILE_CALL, HOSTILE_CALL_X: addresses in the layer, which lies at a fixed place),
 * on the layer's stack.
 *
 *     hostile REQUESTS [SEED [TARGET]]
 *
 * For each target children of one after the other make REQUESTS requests in all; many of them end
 * themselves that way, or stop, or wait for ever (then they are killed). After each target an
 * honest child does what programs do. Prints a line for each target; 1 if an answer was not one
 * that the protocol states, or if the honest child failed.
 */
#include "block.h"
#include <abi/contract.h>
#include <abi/operations.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <rt/call.h>
#include <rt/fuzz.h>
#include <rt/rpc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define BLOCK 8192u
#define STUCK_NS 60000000 /* without progress */
#define NAP_US 2000
#define UNSTATED_MAX 8u
#define OPERATIONS (OP_LIMIT + 6u) /* some are none */
#define SLOTS 300u
#define NOBODY 1000
#define LAYER_END (LAYER_BLOCKS + BLOCK_SIZE) /* of the first thread's block */
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

extern const struct rpc_fuzz_protocol memory_fuzz, process_fuzz, file_fuzz, pipe_fuzz,
    terminal_fuzz, ready_fuzz, supervisor_fuzz;

enum { KERNEL = -1, SCRIBBLE = -2 };
static const struct target {
    const char *name;
    const struct rpc_fuzz_protocol *protocol;
    int slot; /* layer.h */
    unsigned user;
} targets[] = {
    {"memory", &memory_fuzz, 2, NOBODY},
    {"process", &process_fuzz, 3, NOBODY},
    {"file", &file_fuzz, 4, NOBODY},
    {"file, root", &file_fuzz, 4, 0},
    {"pipe", &pipe_fuzz, 6, NOBODY},
    {"terminal", &terminal_fuzz, 8, NOBODY},
    {"terminal, root", &terminal_fuzz, 8, 0},
    {"terminal's file", &file_fuzz, 8, NOBODY},
    {"terminal's ready", &ready_fuzz, 8, NOBODY},
    {"stream's file", &file_fuzz, 10, NOBODY},
    {"stream's ready", &ready_fuzz, 11, NOBODY},
    {"supervisor, root", &supervisor_fuzz, 9, 0},
    {"kernel", 0, KERNEL, NOBODY},
    {"own layer", 0, SCRIBBLE, NOBODY},
};

static struct shared {
    volatile uint64_t made, answered, granted;
    volatile uint32_t unstated;
    struct {
        uint64_t request, answer;
    } first[UNSTATED_MAX];
} * shared;
static uint8_t in[BLOCK], out[BLOCK];

/* Calls f(a, b, c) on the first thread's stack in the layer. */
int64_t on_layer_stack(uint64_t f, uint64_t a, void *b, void *c);
__asm__(".text\n"
        "on_layer_stack:\n"
        "push %rbp\n"
        "mov %rsp, %rbp\n"
        "mov %rdi, %rax\n"
        "mov %rsi, %rdi\n"
        "mov %rdx, %rsi\n"
        "mov %rcx, %rdx\n"
        "movabs $" TEXT(LAYER_BLOCKS) " + " TEXT(
            BLOCK_SIZE) " - 4096, %rsp\n"
                        "push %rbx; push %r12; push %r13; push %r14; push %r15; push %rbp\n"
                        "call *%rax\n"
                        "pop %rbp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx\n"
                        "mov %rbp, %rsp\n"
                        "pop %rbp\n"
                        "ret\n");

static void note_answer(const struct rpc_fuzz_request *request, uint64_t asked, uint64_t answer)
{
    shared->answered++;
    if (!answer)
        shared->granted++;
    /* A number that is none here may be one of another protocol of the same gate. */
    if (!request->operation || rpc_fuzz_is_stated(request, answer))
        return;
    /* Who uses a sequence again, and for something else, gets what the first one got. */
    if (request->operation->mutating && answer <= RPC_ERROR_MAX)
        return;
    unsigned n = shared->unstated++;
    if (n < UNSTATED_MAX) {
        shared->first[n].request = asked;
        shared->first[n].answer = answer;
    }
}

static void ask_server(const struct target *t, struct rpc_fuzz *fuzz)
{
    struct rpc_fuzz_request request;
    struct msg m;
    rpc_fuzz_make(fuzz, &request, in, sizeof in);
    memcpy(m.w, request.words, sizeof m.w);
    struct xfer x = {.in = in,
        .in_len = request.in_bytes,
        .out = out,
        .out_len = request.out_bytes < sizeof out ? request.out_bytes : sizeof out};
    for (unsigned k = 0; k < request.caps && k < 4; k++)
        x.caps_in[x.n_caps_in++] = 2 + rpc_fuzz_random(fuzz) % 18;
    x.n_caps_out = rpc_fuzz_random(fuzz) % 2;
    for (uint64_t slot = 16; x.n_caps_out && slot < 20 && rpc_fuzz_random(fuzz) % 4 == 0; slot++)
        on_layer_stack(HOSTILE_CALL, OP_CODE(OP_CAP_DELETE), &(struct msg){{0, slot}}, 0);
    /* Mostly the server's gate; now and then one of those that its answers brought. */
    uint64_t slot = rpc_fuzz_random(fuzz) % 4 ? (uint64_t)t->slot : 16 + rpc_fuzz_random(fuzz) % 4;
    if (!on_layer_stack(HOSTILE_CALL_X, slot, &m, &x) && slot == (uint64_t)t->slot)
        note_answer(&request, request.words[0], m.w[0]);
}

/* An operation's code stands where a gate's slot would: the register is the same. */
static void ask_kernel(struct rpc_fuzz *fuzz)
{
    struct msg m;
    for (unsigned i = 0; i < 6; i++) {
        uint64_t r = rpc_fuzz_random(fuzz);
        m.w[i] = r % 5 == 0 ? r >> 8 : r % 5 == 1 ? (uint64_t)in + (r >> 8) % 64 : (r >> 8) % SLOTS;
    }
    uint64_t operation = rpc_fuzz_random(fuzz) % OPERATIONS;
    if (!on_layer_stack(HOSTILE_CALL, OP_CODE(operation), &m, 0))
        shared->granted++;
    shared->answered++;
}

/* Writes over what the layer keeps, then goes on calling Linux. */
static void scribble(struct rpc_fuzz *fuzz)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t at = LAYER_NATIVE + rpc_fuzz_random(fuzz) % (LAYER_END - LAYER_NATIVE);
        uint64_t r = rpc_fuzz_random(fuzz);
        at = r % 3 ? HOSTILE_DATA + at % (HOSTILE_DATA_END - HOSTILE_DATA) : at;
        *(volatile uint8_t *)at = (uint8_t)(r >> 8);
    }
    char c = 0;
    int fd = open("/tmp/hostile", O_RDWR | O_CREAT, 0666);
    (void)!write(fd, in, rpc_fuzz_random(fuzz) % sizeof in);
    (void)!pread(fd, out, sizeof out, 0);
    int ends[2];
    if (!pipe(ends)) {
        (void)!write(ends[1], &c, 1);
        (void)!read(ends[0], &c, 1);
    }
    close(ends[0]);
    close(ends[1]);
    close(fd);
    sbrk((intptr_t)(rpc_fuzz_random(fuzz) % 100000) - 50000);
    shared->answered++;
}

static void attack(const struct target *t, uint64_t requests, uint64_t seed)
{
    struct rpc_fuzz fuzz = {.protocol = t->protocol, .state = seed};
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    if (t->user && (setgroups(0, 0) || setgid(t->user) || setuid(t->user)))
        _exit(3);
    while (shared->made < requests) {
        shared->made++;
        if (t->slot == KERNEL)
            ask_kernel(&fuzz);
        else if (t->slot == SCRIBBLE)
            scribble(&fuzz);
        else
            ask_server(t, &fuzz);
    }
    _exit(0);
}

/* Waits until the child has ended; ends it when it makes no more requests. */
static int child_end(pid_t child)
{
    int status = 0;
    uint64_t before = shared->made;
    for (long waited = 0;; waited += NAP_US * 1000) {
        pid_t p = waitpid(child, &status, WNOHANG);
        if (p == child)
            return status;
        if (p < 0)
            return -1;
        if (shared->made != before) {
            before = shared->made;
            waited = 0;
        }
        if (waited > STUCK_NS)
            (void)kill(child, SIGKILL);
        usleep(NAP_US);
    }
}

/* Ends whatever the children have started. */
static void sweep(void)
{
    pid_t p = fork();
    if (!p) {
        if (setuid(NOBODY))
            _exit(1);
        kill(-1, SIGKILL);
        _exit(0);
    }
    waitpid(p, 0, 0);
    while (waitpid(-1, 0, WNOHANG) > 0)
        ;
}

static bool honest(void)
{
    int ends[2], fd, status = -1;
    char got[16] = "";
    pid_t p = fork();
    if (!p) {
        if (pipe(ends)) {
            printf("pipe: %s\n", strerror(errno));
            fflush(stdout);
            _exit(1);
        }
        p = fork();
        if (!p)
            _exit(write(ends[1], "through", 8) != 8);
        char *page = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(page, 1, 1 << 20);
        if (read(ends[0], got, sizeof got) != 8 || strcmp(got, "through") || wait(&status) != p ||
            status)
            _exit(2);
        mkdir("/tmp", 0777); /* the super-user among them may have removed it */
        fd = open("/tmp/honest", O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || write(fd, page, 100000) != 100000 || pread(fd, page, 100001, 0) != 100000) {
            printf("file %d: %s\n", fd, strerror(errno));
            fflush(stdout);
            _exit(3);
        }
        _exit(close(fd) || unlink("/tmp/honest") ? 4 : 0);
    }
    if (waitpid(p, &status, 0) != p || status)
        printf("the honest child %d: status %#x\n", p, (unsigned)status);
    return !status;
}

static bool target_try(const struct target *t, uint64_t requests, uint64_t seed)
{
    unsigned children = 0, ended = 0;
    if (t->slot == SCRIBBLE) /* nearly each ends its child */
        requests /= 10;
    memset(shared, 0, sizeof *shared);
    while (shared->made < requests) {
        pid_t p = fork();
        if (p < 0) {
            printf("%s: fork: %s\n", t->name, strerror(errno));
            return false;
        }
        if (!p)
            attack(t, requests, seed + children * 1000003);
        children++;
        ended += child_end(p) != 0;
        if (children % 16 == 0)
            sweep();
    }
    sweep();
    bool good = honest() && !shared->unstated;
    printf("%-18s %8lu requests, %8lu answered, %7lu granted, %6u of %6u children ended by them\n",
        t->name, shared->made, shared->answered, shared->granted, ended, children);
    for (unsigned i = 0; i < shared->unstated && i < UNSTATED_MAX; i++)
        printf("    request %#lx was answered %#lx\n", shared->first[i].request,
            shared->first[i].answer);
    fflush(stdout);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;
    uint64_t requests = argc > 1 ? strtoull(argv[1], 0, 10) : 1000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], 0, 10) : 1;
    const char *only = argc > 3 ? argv[3] : "";
    shared = mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    for (unsigned i = 0; i < COUNT(targets); i++)
        if (!strncmp(targets[i].name, only, strlen(only)))
            good &= target_try(&targets[i], requests, seed);
    printf("%s\n", good ? "all as stated" : "not as stated");
    return !good;
}
