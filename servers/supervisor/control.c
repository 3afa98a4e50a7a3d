/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's service. It runs on its callers' threads: it reads the state, which is
 * whole words, and leaves what is to be done to the main loop (kill_wanted, replacement).
 */
#include "supervisor.h"
#include <proto/supervisor_server.h>
#include <rt/format.h>
#include <rt/string.h>

static int name_read(struct rpc_in in, char name[32])
{
    if (!rt_copy_from_client(in.offset, name, in.length))
        return -1;
    name[in.length] = 0;
    for (unsigned i = 0; i < component_count(); i++)
        if (!strcmp(component(i)->name, name))
            return (int)i;
    return -1;
}

static const char *life(const struct component_state *s)
{
    switch (s->state) {
    case COMPONENT_RUNNING:
        return component_ready((unsigned)(s - state->of)) ? "running" : "starting";
    case COMPONENT_STARTING:
        return "starting";
    case COMPONENT_DEAD:
        return "dead";
    case COMPONENT_FAILED:
        return "failed";
    default:
        return "new";
    }
}

uint32_t supervisor_serve_list(
    struct supervisor_server *server, uint64_t badge, struct rpc_out *text)
{
    char line[160];
    uint64_t used = 0;
    (void)server;
    (void)badge;
    for (unsigned i = 0; i <= component_count(); i++) {
        if (!i) {
            snprintf(line, sizeof line, "%-15s %-9s %8s %10s  %s\n", "NAME", "STATE", "RESTARTS",
                "KIB", "LAST DEATH");
        } else {
            const struct component_state *s = &state->of[i - 1];
            const struct system_component *c = component(i - 1);
            uint64_t kib = (s->volatile_pages + c->capsule_pages + c->object_pages) * 4;
            snprintf(line, sizeof line, "%-15s %-9s %8lu %10lu  %s\n", c->name, life(s), s->deaths,
                kib, s->deaths ? s->why : "-");
        }
        size_t n = strlen(line);
        if (used + n > text->capacity)
            break;
        if (!rt_copy_to_client(text->offset + used, line, n))
            return RPC_BAD_BUFFER;
        used += n;
    }
    text->length = used;
    return 0;
}

uint32_t supervisor_serve_kill(struct supervisor_server *server, uint64_t badge, struct rpc_in name)
{
    char text[32];
    (void)server;
    (void)badge;
    int i = name_read(name, text);
    if (i < 0)
        return SUPERVISOR_ERROR_NOENT;
    component_kill((unsigned)i);
    return 0;
}

uint32_t supervisor_serve_replace(
    struct supervisor_server *server, uint64_t badge, struct rpc_in name, struct rpc_in binary)
{
    char text[32];
    size_t size;
    (void)server;
    (void)badge;
    int i = name_read(name, text);
    if (i < 0 || !rt_copy_from_client(binary.offset, text, binary.length))
        return SUPERVISOR_ERROR_NOENT;
    text[binary.length] = 0;
    if (!spawn_member((const void *)STARTUP->modules[0][0], STARTUP->modules[0][1], text, &size))
        return SUPERVISOR_ERROR_NOENT;
    strlcpy(state->of[i].replacement, text, sizeof state->of[i].replacement);
    component_kill((unsigned)i);
    return 0;
}

SERVER_ENTRY(control);
uint64_t control_handle(uint64_t badge, struct msg *m)
{
    return supervisor_dispatch(0, badge, m);
}

void control_open(void)
{
    (void)rt_service_serve(CONTROL_SERVICE, "supervisor", control_entry, 1);
}
