/* SPDX-License-Identifier: MIT */
/*
 * sysc IN.sys OUT: checks a system description and writes it as struct system_header.
 *
 * A description is a list of components:
 *
 *     component ramfs {
 *         binary ramfs            # member of the boot archive; the name if left out
 *         priority 40
 *         offers file level 12    # a service; its level orders calls
 *         uses memory             # a gate to another's service: uses NAME [as NAME] [badge N]
 *         capsule 4M log 256K     # memory that survives its death, of it for the undo log (1/16,
 *                                 # 64K to 512K, if left out)
 *         heap 256K               # other memory
 *         objects 64              # pages for kernel objects that it makes
 *         pages 96                # for program, stacks of one core and its own tables (64)
 *         ports log-port 0x3f8 8  irq serial 4  device vga 0xa0000 0x20000
 *         module rootfs first     # a file of the archive, mapped read-only; first: only until
 *                                 # the component has been ready once, and after deaths before
 *         gets ram|control|bus|supervision
 *         restart always|never
 *         heartbeat-ms 1000       # started again when it has missed three of these periods
 *         vital                   # the machine stops, with a line, if it cannot be kept running
 *         arguments "words"
 *     }
 *
 * Errors name file and line: unknown words, missing services, a call that the levels
 * would refuse, authority twice.
 */
#include <errno.h>
#include <spawn/system.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct system_component list[SYSTEM_COMPONENTS_MAX];
static unsigned count, line = 1;
static const char *file;
static FILE *in;

static void die(const char *format, ...)
{
    va_list a;
    va_start(a, format);
    fprintf(stderr, "%s:%u: ", file, line);
    vfprintf(stderr, format, a);
    fputc('\n', stderr);
    va_end(a);
    exit(1);
}

/* The next word or brace or quoted string; false at the end. */
static int next(char *word, size_t size)
{
    int c;
    size_t n = 0;
    for (;;) {
        c = fgetc(in);
        if (c == '#')
            while (c != '\n' && c != EOF)
                c = fgetc(in);
        if (c == '\n')
            line++;
        if (c == EOF)
            return 0;
        if (c > ' ')
            break;
    }
    if (c == '"') {
        while ((c = fgetc(in)) != '"') {
            if (c == EOF || c == '\n')
                die("a quoted text does not end on its line");
            if (n + 1 >= size)
                die("text too long");
            word[n++] = (char)c;
        }
    } else {
        do {
            if (n + 1 >= size)
                die("word too long");
            word[n++] = (char)c;
            c = fgetc(in);
        } while (c > ' ' && c != '#' && word[0] != '{' && word[0] != '}');
        ungetc(c, in);
    }
    word[n] = 0;
    return 1;
}

static void need(char *word, size_t size, const char *what)
{
    if (!next(word, size) || !strcmp(word, "}") || !strcmp(word, "{"))
        die("expected %s", what);
}

static uint64_t number(const char *what)
{
    char w[64], *end;
    need(w, sizeof w, what);
    errno = 0;
    uint64_t v = strtoull(w, &end, 0);
    if (end == w || errno)
        die("expected %s, not %s", what, w);
    if (*end == 'K')
        v <<= 10, end++;
    else if (*end == 'M')
        v <<= 20, end++;
    else if (*end == 'G')
        v <<= 30, end++;
    if (*end)
        die("expected %s, not %s", what, w);
    return v;
}

static uint32_t pages(const char *what)
{
    uint64_t v = number(what);
    if (v >> 44)
        die("%s: too large", what);
    return (uint32_t)((v + 4095) >> 12);
}

#define ADD(array, counter, max, what)                                                             \
    (c->counter == max ? (die("%s: more than %u %s", c->name, max, what), (void *)0)               \
                       : (void *)&c->array[c->counter++])

/* A word that may follow on the same statement; puts it back if it is another. */
static int option(const char *name)
{
    long at = ftell(in);
    unsigned was = line;
    char w[64];
    if (next(w, sizeof w) && !strcmp(w, name))
        return 1;
    fseek(in, at, SEEK_SET);
    line = was;
    return 0;
}

static void statement(struct system_component *c, const char *w)
{
    char t[64];
    if (!strcmp(w, "binary")) {
        need(c->binary, sizeof c->binary, "a file name");
    } else if (!strcmp(w, "priority")) {
        c->priority = (uint32_t)number("a priority");
        if (c->priority > 63)
            die("%s: priorities are 0 to 63", c->name);
    } else if (!strcmp(w, "offers")) {
        struct system_offer *o = ADD(offers, offer_count, SYSTEM_OFFERS, "services");
        need(o->name, sizeof o->name, "a service name");
        o->stacks = 1;
        if (!option("level"))
            die("%s: service %s has no level", c->name, o->name);
        o->level = (uint32_t)number("a level");
        if (o->level > 31)
            die("%s: levels are 0 to 31", o->name);
        if (option("limit-ms"))
            o->limit_ns = number("milliseconds") * 1000000;
        if (option("stacks"))
            o->stacks = (uint32_t)number("stacks");
    } else if (!strcmp(w, "uses")) {
        struct system_use *u = ADD(uses, use_count, SYSTEM_USES, "gates");
        need(u->name, sizeof u->name, "a service name");
        strcpy(u->as, u->name);
        if (option("as"))
            need(u->as, sizeof u->as, "a name");
        if (option("badge"))
            u->badge = number("a badge");
    } else if (!strcmp(w, "capsule")) {
        c->capsule_pages = pages("a size");
        if (option("log"))
            c->log_pages = pages("a size");
        if (c->log_pages > c->capsule_pages)
            die("%s: the log is larger than the capsule", c->name);
    } else if (!strcmp(w, "heap")) {
        c->heap_pages = pages("a size");
    } else if (!strcmp(w, "objects")) {
        c->object_pages = (uint32_t)number("a number of pages");
    } else if (!strcmp(w, "pages")) {
        c->volatile_pages = (uint32_t)number("a number of pages");
    } else if (!strcmp(w, "ports") || !strcmp(w, "device")) {
        struct system_range *r = *w == 'p' ? ADD(ports, port_count, SYSTEM_DEVICES, "port ranges")
                                           : ADD(memory, memory_count, SYSTEM_DEVICES, "devices");
        need(r->name, sizeof r->name, "a name");
        r->first = number("the first port or address");
        r->count = number("a length");
        if (*w == 'd') {
            r->first >>= 12;
            r->count = (r->count + 4095) >> 12;
        } else if (r->first + r->count > 0x10000) {
            die("%s: no such ports", r->name);
        }
    } else if (!strcmp(w, "irq")) {
        struct system_irq *i = ADD(irqs, irq_count, SYSTEM_DEVICES, "interrupts");
        need(i->name, sizeof i->name, "a name");
        i->source = number("a line");
        if (option("level"))
            i->source |= 1ull << 32;
    } else if (!strcmp(w, "module")) {
        char *m = ADD(modules, module_count, SYSTEM_MODULES, "modules");
        need(m, 32, "a file name");
        if (option("first"))
            c->modules_first |= 1u << (c->module_count - 1);
    } else if (!strcmp(w, "gets")) {
        need(t, sizeof t, "an authority");
        if (!strcmp(t, "ram"))
            c->flags |= SYSTEM_RAM;
        else if (!strcmp(t, "control"))
            c->flags |= SYSTEM_CONTROL;
        else if (!strcmp(t, "bus"))
            c->flags |= SYSTEM_BUS;
        else if (!strcmp(t, "supervision"))
            c->flags |= SYSTEM_SUPERVISES;
        else
            die("no authority is called %s", t);
    } else if (!strcmp(w, "restart")) {
        need(t, sizeof t, "always or never");
        if (!strcmp(t, "always"))
            c->flags |= SYSTEM_RESTART;
        else if (strcmp(t, "never"))
            die("restart always or never, not %s", t);
    } else if (!strcmp(w, "heartbeat-ms")) {
        c->heartbeat_ns = number("milliseconds") * 1000000;
        if (!c->heartbeat_ns || c->heartbeat_ns > 3600000000000ull)
            die("%s: a heartbeat's period is 1 ms to an hour", c->name);
    } else if (!strcmp(w, "vital")) {
        c->flags |= SYSTEM_VITAL;
    } else if (!strcmp(w, "arguments")) {
        need(c->arguments, sizeof c->arguments, "a text");
    } else {
        die("%s: unknown word %s", c->name, w);
    }
}

static void component_read(void)
{
    char w[64];
    if (count == SYSTEM_COMPONENTS_MAX)
        die("more than %u components", SYSTEM_COMPONENTS_MAX);
    struct system_component *c = &list[count];
    need(c->name, sizeof c->name, "a component's name");
    for (unsigned i = 0; i < count; i++)
        if (!strcmp(list[i].name, c->name))
            die("a second component %s", c->name);
    strcpy(c->binary, c->name);
    c->priority = 40;
    c->volatile_pages = 64;
    c->object_pages = 32;
    if (!next(w, sizeof w) || strcmp(w, "{"))
        die("expected { after component %s", c->name);
    for (;;) {
        if (!next(w, sizeof w))
            die("component %s does not end", c->name);
        if (!strcmp(w, "}"))
            break;
        statement(c, w);
    }
    count++;
}

static const struct system_offer *offer_find(const char *name, unsigned *owner)
{
    for (*owner = 0; *owner < count; (*owner)++)
        for (unsigned o = 0; o < list[*owner].offer_count; o++)
            if (!strcmp(list[*owner].offers[o].name, name))
                return &list[*owner].offers[o];
    return 0;
}

static void check(void)
{
    unsigned owner, ram = 0;
    for (unsigned i = 0; i < count; i++) {
        struct system_component *c = &list[i];
        ram += (c->flags & SYSTEM_RAM) != 0;
        for (unsigned o = 0; o < c->offer_count; o++) {
            offer_find(c->offers[o].name, &owner);
            if (owner != i)
                die("service %s is offered by %s and %s", c->offers[o].name, list[owner].name,
                    c->name);
        }
        for (unsigned u = 0; u < c->use_count; u++) {
            if (!strcmp(c->uses[u].name, "supervisor")) {
                if (!(c->flags & SYSTEM_SUPERVISES))
                    die("%s uses supervisor but does not get supervision", c->name);
                continue;
            }
            const struct system_offer *o = offer_find(c->uses[u].name, &owner);
            if (!o)
                die("%s uses %s, which nobody offers", c->name, c->uses[u].name);
            for (unsigned k = 0; k < c->offer_count; k++)
                if (c->offers[k].level <= o->level && owner != i)
                    die("%s (level %u) could not call %s (level %u): levels must fall", c->name,
                        c->offers[k].level, o->name, o->level);
        }
    }
    if (ram > 1)
        die("two components get ram");
}

int main(int argc, char **argv)
{
    char w[64];
    if (argc != 3) {
        fprintf(stderr, "usage: sysc IN.sys OUT\n");
        return 2;
    }
    file = argv[1];
    in = fopen(file, "r");
    if (!in) {
        fprintf(stderr, "sysc: %s: %s\n", file, strerror(errno));
        return 1;
    }
    while (next(w, sizeof w)) {
        if (strcmp(w, "component"))
            die("expected component, not %s", w);
        component_read();
    }
    check();
    struct system_header h = {SYSTEM_MAGIC, SYSTEM_VERSION, count};
    FILE *out = fopen(argv[2], "w");
    if (!out || fwrite(&h, sizeof h, 1, out) != 1 ||
        fwrite(list, sizeof *list, count, out) != count || fclose(out)) {
        fprintf(stderr, "sysc: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    return 0;
}
