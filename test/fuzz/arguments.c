/* SPDX-License-Identifier: MIT */
/* Every operation, how often it is tried, what it makes in which argument's slot, and the
 * kinds of its arguments. */
#include "fuzz.h"

/* r region  p page  w place  s new slot  x any slot  S space (0: own)  t thread  m time
 * n notification  g gate  v service  P pool  i interrupt  o I/O  c control
 * a address  f map flags  C count  b buffer  X transfer  d deadline  k core  q priority
 * h core and priority  E entry  e stack  H shape of stacks  M core mask  B budget
 * R rights  # small number  * anything */
const struct operation operations[] = {
    { 1, 8, 0, 0, "X" },      { 2, 2, 0, 0, "X" },      { 3, 4, 0, 0, "x" },
    { 4, 12, 0, 0, "xSsR" },  { 5, 10, 0, 0, "Ss" },    { 6, 2, 0, 0, "Srp#" },
    { 7, 4, K_REGION, 3, "rwsp" },                      { 8, 4, 0, 0, "rrC" },
    { 9, 2, 0, 0, "r" },      { 10, 14, 0, 0, "rp" },   { 11, 2, 0, 0, "rp" },
    { 12, 5, 0, 0, "rp" },    { 13, 8, 0, 0, "rw" },    { 14, 4, K_SPACE, 3, "rps" },
    { 15, 6, 0, 0, "Srp" },   { 16, 16, 0, 0, "Sarpf" }, { 17, 2, 0, 0, "Sao#f" },
    { 18, 8, 0, 0, "SaC" },   { 19, 4, 0, 0, "Saf" },   { 20, 6, 0, 0, "SSaaf" },
    { 21, 3, 0, 0, "Sa" },    { 22, 3, 0, 0, "Sg" },    { 23, 2, 0, 0, "Sn*" },
    { 24, 1, 0, 0, "K" },     { 25, 2, 0, 0, "Sb" },    { 26, 4, 0, 0, "Sa" },
    { 27, 2, 0, 0, "#" },     { 28, 4, K_TIME, 4, "mrwsMq" }, { 29, 3, 0, 0, "mBB" },
    { 30, 5, K_THREAD, 3, "rpsS" },                     { 31, 6, 0, 0, "tmhEe*" },
    { 32, 3, 0, 0, "t" },     { 33, 4, 0, 0, "t" },     { 34, 3, 0, 0, "tmq" },
    { 35, 2, 0, 0, "tk" },    { 36, 3, 0, 0, "tb" },    { 37, 3, 0, 0, "tb" },
    { 38, 1, 0, 0, "tb" },    { 39, 4, 0, 0, "t" },     { 40, 3, 0, 0, "tv" },
    { 41, 1, 0, 0, "tb" },    { 42, 1, 0, 0, "" },      { 43, 3, 0, 0, "" },
    { 44, 1, 0, 0, "Ubu" },   { 45, 1, 0, 0, "Ub##" },  { 46, 1, 0, 0, "" },
    { 47, 1, 0, 0, "##*" },   { 48, 3, K_SERVICE, 3, "rps#B" }, { 49, 3, 0, 0, "vn*" },
    { 50, 4, K_POOL, 4, "vrpsSE" },                     { 51, 5, 0, 0, "PrpkeH" },
    { 52, 4, 0, 0, "v" },     { 53, 5, 0, 0, "vP" },    { 54, 8, 0, 0, "v" },
    { 55, 2, 0, 0, "v" },     { 56, 2, 0, 0, "v" },     { 57, 6, K_GATE, 4, "vrws*" },
    { 58, 2, 0, 0, "g" },     { 59, 3, 0, 0, "gk" },    { 60, 5, K_NOTIFICATION, 3, "rws" },
    { 61, 16, 0, 0, "n*" },   { 62, 10, 0, 0, "nd" },   { 63, 2, K_INTERRUPT, 4, "crwsIk" },
    { 64, 2, 0, 0, "in*" },   { 65, 2, 0, 0, "i" },     { 66, 2, 0, 0, "i" },
    { 67, 2, K_IO, 4, "orws##" },                       { 68, 2, 0, 0, "o##" },
    { 69, 2, 0, 0, "o##*" },  { 70, 1, 0, 0, "##bC" },  { 71, 1, 0, 0, "##bC" },
    { 72, 1, 0, 0, "ck#b" },  { 73, 1, 0, 0, "c#" },    { 74, 2, 0, 0, "s#" },
    { 75, 3, 0, 0, "tn" },    { 76, 1, 0, 0, "c#" },    { 77, 3, 0, 0, "SabC" },
    { 78, 3, 0, 0, "SabC" },  { 79, 1, 0, 0, "#" },     { 81, 2, 0, 0, "rL" },
    { 82, 1, 0, 0, "b" },     { 83, 1, 0, 0, "b" },     { 84, 4, 0, 0, "v" },
    { 85, 1, 0, 0, "SS#" },   { 86, 2, 0, 0, "SSs#" },  { 87, 2, 0, 0, "xx" },
    { 88, 2, 0, 0, "S#" },
    { 89, 2, 0, 0, "gv" },     { 200, 1, 0, 0, "***" },
};
const uint32_t operation_count = sizeof operations / sizeof operations[0];

/* A slot that was filled with an object of the kind, as far as is known. */
static uint64_t slot_of(struct random *r, uint8_t kind)
{
    if (one_in(r, 30))
        return one_in(r, 4) ? random_next(r) : random_below(r, 256);
    uint64_t s = random_below(r, W_LIMIT);
    for (unsigned i = 0; i < 24 && WORLD->kinds[s] != kind; i++)
        s = random_below(r, one_in(r, 2) ? W_FIRST : W_LIMIT);
    return s;
}

static uint64_t region_of(struct random *r)
{
    if (one_in(r, 1500))
        return W_CORE;
    return one_in(r, 4) ? slot_of(r, K_REGION) : W_PLAY;
}

static uint64_t address_of(struct random *r)
{
    if (one_in(r, 2000))
        return random_next(r);
    if (one_in(r, 40))
        return (random_next(r) & 0x7fffffffffff) & ~4095ull;
    uint64_t page = random_below(r, 4) ? random_below(r, 32) : random_below(r, WINDOW_PAGES);
    return WINDOW_VA + page * 4096 + (one_in(r, 30) ? random_below(r, 4096) : 0);
}

static uint64_t flags_of(struct random *r)
{
    static const uint64_t rights[] = { MAP_READ, MAP_READ | MAP_WRITE, MAP_READ | MAP_EXEC,
                                       MAP_READ | MAP_WRITE };
    uint64_t count = one_in(r, 4) ? random_below(r, 70) : 1 + random_below(r, 8);
    if (one_in(r, 60))
        return random_next(r);
    return count | rights[random_below(r, 4)] | (one_in(r, 12) ? MAP_DEMOTE : 0) |
           (one_in(r, 12) ? MAP_2M : 0) | (one_in(r, 60) ? MAP_1G : 0) |
           (one_in(r, 30) ? MAP_UNCACHED : 0);
}

static uint64_t space_of(struct random *r)
{
    if (one_in(r, 3))
        return SPACE_SELF;
    return slot_of(r, K_SPACE);
}

/* A space to kill: seldom one that the world lives in. */
static uint64_t victim_of(struct random *r)
{
    uint64_t s = slot_of(r, K_SPACE);
    bool own = s < W_FIRST;
    return own && !one_in(r, s == W_SPACE ? 100 : 10) ? W_LIMIT : s;
}

static uint64_t buffer_of(struct random *r, uint64_t buffer)
{
    if (one_in(r, 30))
        return address_of(r);
    return one_in(r, 10) ? buffer + random_below(r, 4096) : buffer;
}

static uint64_t transfer_make(struct random *r, uint64_t buffer)
{
    struct pith_transfer *x = (struct pith_transfer *)buffer;
    for (unsigned i = 0; i < 6; i++)
        x->words[i] = random_next(r);
    for (unsigned i = 0; i < 2; i++) {
        x->grants[i].address = one_in(r, 8) ? random_next(r) : address_of(r);
        x->grants[i].length = random_below(r, 10000);
        x->grants[i].direction = random_below(r, one_in(r, 20) ? 6 : 4);
    }
    x->gate = (uint32_t)slot_of(r, K_GATE);
    x->cap_count = (uint32_t)(one_in(r, 2) ? 0 : random_below(r, 6));
    for (unsigned i = 0; i < 4; i++)
        x->caps[i] = (uint32_t)random_below(r, W_LIMIT);
    return one_in(r, 40) ? address_of(r) : buffer;
}

static uint64_t deadline_of(struct random *r)
{
    switch (random_below(r, 8)) {
    case 0:
        return DEADLINE_POLL;
    case 1:
        return one_in(r, 20) ? DEADLINE_NEVER : random_next(r);
    default:
        return guest_now_ns() + random_below(r, one_in(r, 10) ? 3000000 : 100000);
    }
}

static uint64_t entry_of(struct random *r)
{
    return one_in(r, 20) ? random_next(r) : (uint64_t)fuzz_child;
}

static uint64_t number_of(struct random *r, char kind)
{
    uint64_t v = random_next(r);
    switch (kind) {
    case 'p':
        return one_in(r, 100) ? v : random_below(r, PLAY_PAGES + 8);
    case 'L':
        return random_below(r, PLAY_PAGES / 512 + 1) * 512;
    case 'w':
        return one_in(r, 100) ? v : random_below(r, 96) << 8 | random_below(r, 36);
    case 'C':
        return one_in(r, 8) ? random_below(r, 5000) : random_below(r, 68);
    case 'k':
        return random_below(r, (uint64_t)WORLD->cores + one_in(r, 20));
    case 'q':
        return random_below(r, 26);
    case 'h':
        return random_below(r, (uint64_t)WORLD->cores + one_in(r, 20)) | random_below(r, 24) << 8;
    case 'H':
        return random_below(r, 23) << 32 | (one_in(r, 30) ? v & 0xffffffff : 0x1000);
    case 'M':
        return v & ((1ull << WORLD->cores) - 1);
    case 'B':
        return one_in(r, 2) ? 0 : one_in(r, 4) ? v : 100000 + random_below(r, 2000000);
    case 'I':
        return one_in(r, 2) ? UINT64_MAX : 16 + random_below(r, 12);
    case 'R':
        return one_in(r, 3) ? RIGHT_ALL : v & 0xff;
    case '#':
        return one_in(r, 30) ? v : random_below(r, 34);
    default:
        return one_in(r, 2) ? v : 1ull << random_below(r, 64);
    }
}

uint64_t argument_make(struct random *r, char kind, uint64_t buffer)
{
    switch (kind) {
    case 'r':
        return region_of(r);
    case 's':
        return one_in(r, 30) ? random_next(r) : W_FIRST + random_below(r, W_LIMIT - W_FIRST);
    case 'x':
        return one_in(r, 30) ? random_next(r) : random_below(r, W_LIMIT);
    case 'S':
        return space_of(r);
    case 'K':
        return victim_of(r);
    case 't':
        return slot_of(r, K_THREAD);
    case 'm':
        return one_in(r, 2) ? W_TIME : slot_of(r, K_TIME);
    case 'n':
        return slot_of(r, K_NOTIFICATION);
    case 'g':
        return slot_of(r, K_GATE);
    case 'v':
        return slot_of(r, K_SERVICE);
    case 'P':
        return slot_of(r, K_POOL);
    case 'i':
        return slot_of(r, K_INTERRUPT);
    case 'o':
        return slot_of(r, K_IO);
    case 'c':
        return one_in(r, 8) ? slot_of(r, K_GATE) : W_CONTROL;
    case 'a':
        return address_of(r);
    case 'f':
        return flags_of(r);
    case 'b':
        return buffer_of(r, buffer);
    case 'X':
        return transfer_make(r, buffer);
    case 'd':
        return deadline_of(r);
    case 'E':
        return entry_of(r);
    case 'e':
        return one_in(r, 30) ? random_next(r) : SERVER_VA + 0x1000 * (1 + random_below(r, 64));
    case 'U': /* an upcall or event entry: mostly none, so that the thread lives on */
        return one_in(r, 40) ? (uint64_t)fuzz_child : 0;
    case 'u':
        return 0;
    default:
        return number_of(r, kind);
    }
}
