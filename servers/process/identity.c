/* SPDX-License-Identifier: MIT */
/* Users and groups, by Linux's rules; and the sessions at the file system that go with them. */
#include "process.h"
#include <proto/file_client.h>
#include <rt/sort.h>
#include <rt/string.h>

bool is_super(const struct process *p)
{
    return !p->credentials->ids.user;
}

bool may_signal(const struct process *me, const struct process *p, uint32_t signal)
{
    const struct process_ids *mine = &me->credentials->ids, *its = &p->credentials->ids;
    return !mine->user || mine->user == its->real_user || mine->user == its->saved_user ||
           mine->real_user == its->real_user || mine->real_user == its->saved_user || me == p ||
           (signal == SIGCONT && me->session == p->session);
}

/* ptrace(2), access mode read: what /proc tells of what a process runs. */
bool may_look(const struct process *me, const struct process *p)
{
    if (!me || is_super(me))
        return me != 0;
    const struct process_ids *mine = &me->credentials->ids, *its = &p->credentials->ids;
    return mine->file_user == its->real_user && mine->file_user == its->user &&
           mine->file_user == its->saved_user && mine->file_group == its->real_group &&
           mine->file_group == its->group && mine->file_group == its->saved_group;
}

/* ---- credentials ---------------------------------------------------------------------------- */

/* The gate comes into a slot of its own: the usual ones may hold what our caller has sent. */
static uint32_t session_ask(const struct credentials *c, uint32_t root)
{
    struct rt_self *self = rt_self();
    uint32_t usual = self->recv_slot, slot = rt_slot_alloc(), got;
    if (!slot)
        return 0;
    self->recv_slot = slot;
    int64_t status = file_session(rt_cap("file"), root, c->ids.file_user, c->ids.file_group,
        c->ids.real_user, c->ids.real_group, c->groups, c->group_count * sizeof *c->groups, &got);
    self->recv_slot = usual;
    pith_receive(usual, 4);
    if (!status)
        return slot;
    rt_slot_free(slot);
    return 0;
}

struct credentials *credentials_new(
    const struct process_ids *ids, const uint32_t *groups, uint32_t group_count, uint32_t root)
{
    size_t bytes = group_count * sizeof *groups;
    struct credentials *c = capsule_alloc(sizeof *c + bytes);
    _Static_assert(sizeof *c + PROCESS_GROUPS_BYTES <= 4096, "they fit in a block");
    if (!c)
        return 0;
    c->uses = 1;
    c->ids = *ids;
    c->group_count = group_count;
    if (bytes)
        memcpy(c->groups, groups, bytes);
    c->session = session_ask(c, root);
    return c->session ? c : 0;
}

void credentials_drop(struct credentials *c)
{
    TX_SET(c->uses, c->uses - 1);
    if (c->uses)
        return;
    TX_SET(c->next_unused, processes->unused);
    TX_SET(processes->unused, c);
}

void credentials_sweep(void)
{
    while (processes->unused) {
        tx_begin();
        struct credentials *c = processes->unused;
        if (c) {
            rt_slot_free(c->session);
            TX_SET(processes->unused, c->next_unused);
            capsule_free(c, sizeof *c + c->group_count * sizeof *c->groups);
        }
        tx_commit();
    }
}

/* A slot that was emptied can be filled when every core has passed. */
static bool replace(struct process *p, uint32_t from, uint32_t to)
{
    pith_cap_delete(p->space, to);
    return give(p, from, to);
}

bool credentials_give(struct process *p)
{
    /* Only the super-user ends and replaces servers. */
    if (p->credentials->ids.user)
        pith_cap_delete(p->space, TO_SUPERVISOR);
    else
        (void)replace(p, rt_cap("supervisor"), TO_SUPERVISOR);
    return replace(p, p->credentials->session, TO_ROOT);
}

static bool change(struct process *p, const struct process_ids *ids, const uint32_t *groups,
    uint32_t group_count, uint32_t root)
{
    struct credentials *old = p->credentials;
    struct credentials *new = credentials_new(ids, groups, group_count, root ? root : old->session);
    if (!new)
        return false;
    TX_SET(p->credentials, new);
    credentials_drop(old);
    return credentials_give(p);
}

void credentials_exec(struct process *p)
{
    struct process_ids ids = p->credentials->ids;
    ids.saved_user = ids.file_user = ids.user;
    ids.saved_group = ids.file_group = ids.group;
    if (!memcmp(&ids, &p->credentials->ids, sizeof ids))
        return;
    if (!change(p, &ids, p->credentials->groups, p->credentials->group_count, 0))
        rt_log("process %u keeps its saved ids: no memory", p->pid);
}

/* ---- requests -------------------------------------------------------------------------------- */

struct stored {
    uint32_t status, pad;
    struct process_ids ids;
};

static bool repeated(uint64_t badge, uint64_t sequence, struct stored *r)
{
    tx_begin();
    memset(r, 0, sizeof *r);
    if (!capsule_reply_find(badge, sequence, r, sizeof *r))
        return false;
    tx_commit();
    return true;
}

static uint32_t finish(uint64_t badge, uint64_t sequence, struct stored *r, uint32_t status)
{
    r->status = status;
    capsule_reply_store(badge, sequence, r, sizeof *r);
    tx_commit();
    return status;
}

static uint32_t undo(uint32_t status)
{
    tx_abort();
    return status;
}

/* One kind of ids, users or groups, in the order of struct process_ids. */
struct four {
    uint32_t real, effective, saved, file;
};

static bool has(const struct four *f, uint32_t id)
{
    return id == f->real || id == f->effective || id == f->saved;
}

static bool set_one(struct four *f, bool super, uint32_t id)
{
    if (!super && id != f->real && id != f->saved)
        return false;
    if (super)
        f->real = f->saved = id;
    f->effective = f->file = id;
    return true;
}

static bool set_two(struct four *f, bool super, uint32_t real, uint32_t effective)
{
    uint32_t old = f->real;
    if (real != PROCESS_SAME && !super && real != f->real && real != f->effective)
        return false;
    if (effective != PROCESS_SAME && !super && !has(f, effective))
        return false;
    if (real != PROCESS_SAME)
        f->real = real;
    if (effective != PROCESS_SAME)
        f->effective = effective;
    if (real != PROCESS_SAME || (effective != PROCESS_SAME && effective != old))
        f->saved = f->effective;
    f->file = f->effective;
    return true;
}

static bool set_three(struct four *f, bool super, const uint32_t new[3])
{
    uint32_t *const to[3] = {&f->real, &f->effective, &f->saved};
    const struct four old = *f;
    for (unsigned i = 0; i < 3; i++) {
        if (new[i] == PROCESS_SAME)
            continue;
        if (!super && !has(&old, new[i]))
            return false;
        *to[i] = new[i];
    }
    f->file = f->effective;
    return true;
}

static uint32_t ids_change(struct process_ids *ids, uint8_t what, const uint32_t new[3])
{
    bool users =
        what == PROCESS_IDENTITY_CHANGE_USER || what == PROCESS_IDENTITY_CHANGE_REAL_USER ||
        what == PROCESS_IDENTITY_CHANGE_SAVED_USER || what == PROCESS_IDENTITY_CHANGE_FILE_USER;
    bool super = !ids->user, allowed = true;
    struct four f =
        users ? (struct four){ids->real_user, ids->user, ids->saved_user, ids->file_user}
              : (struct four){ids->real_group, ids->group, ids->saved_group, ids->file_group};
    switch (what) {
    case PROCESS_IDENTITY_CHANGE_USER:
    case PROCESS_IDENTITY_CHANGE_GROUP:
        if (new[0] == PROCESS_SAME)
            return PROCESS_ERROR_INVAL;
        allowed = set_one(&f, super, new[0]);
        break;
    case PROCESS_IDENTITY_CHANGE_REAL_USER:
    case PROCESS_IDENTITY_CHANGE_REAL_GROUP:
        allowed = set_two(&f, super, new[0], new[1]);
        break;
    case PROCESS_IDENTITY_CHANGE_SAVED_USER:
    case PROCESS_IDENTITY_CHANGE_SAVED_GROUP:
        allowed = set_three(&f, super, new);
        break;
    default: /* the file ids: Linux says nothing if it is not allowed */
        if (new[0] != PROCESS_SAME && (super || has(&f, new[0]) || new[0] == f.file))
            f.file = new[0];
        break;
    }
    if (!allowed)
        return PROCESS_ERROR_PERM;
    if (users) {
        ids->real_user = f.real;
        ids->user = f.effective;
        ids->saved_user = f.saved;
        ids->file_user = f.file;
    } else {
        ids->real_group = f.real;
        ids->group = f.effective;
        ids->saved_group = f.saved;
        ids->file_group = f.file;
    }
    return 0;
}

uint32_t process_serve_set_ids(struct process_server *server, uint64_t badge, uint64_t sequence,
    uint8_t what, uint32_t real, uint32_t effective, uint32_t saved, struct process_ids *ids)
{
    const uint32_t new[3] = {real, effective, saved};
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r)) {
        *ids = r.ids;
        return r.status;
    }
    struct process *p = process_find(badge);
    if (!p)
        return undo(PROCESS_ERROR_PERM);
    r.ids = p->credentials->ids;
    uint32_t status = ids_change(&r.ids, what, new);
    if (!status && memcmp(&r.ids, &p->credentials->ids, sizeof r.ids) &&
        !change(p, &r.ids, p->credentials->groups, p->credentials->group_count, 0))
        return undo(PROCESS_ERROR_NOMEM);
    *ids = r.ids;
    (void)finish(badge, sequence, &r, status);
    credentials_sweep();
    return status;
}

static int by_number(const void *a, const void *b, void *context)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    (void)context;
    return (x > y) - (x < y);
}

uint32_t process_serve_set_groups(
    struct process_server *server, uint64_t badge, uint64_t sequence, struct rpc_in groups)
{
    static uint32_t list[PROCESS_GROUPS_MAX]; /* used under the transaction's lock only */
    uint32_t count = (uint32_t)(groups.length / sizeof *list);
    struct stored r;
    (void)server;
    if (groups.length % sizeof *list)
        return PROCESS_ERROR_INVAL;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    if (!p || !is_super(p))
        return undo(PROCESS_ERROR_PERM);
    if (groups.length && !rt_copy_from_client(groups.offset, list, groups.length))
        return undo(RPC_BAD_BUFFER);
    sort(list, count, sizeof *list, by_number, 0);
    if (!change(p, &p->credentials->ids, list, count, 0))
        return undo(PROCESS_ERROR_NOMEM);
    (void)finish(badge, sequence, &r, 0);
    credentials_sweep();
    return 0;
}

uint32_t process_serve_ids(struct process_server *server, uint64_t badge, uint32_t process,
    struct process_ids *ids, struct rpc_out *groups)
{
    uint32_t status = PROCESS_ERROR_SRCH;
    (void)server;
    tx_begin();
    const struct process *p = process_find(process ? process : badge);
    if (p) {
        const struct credentials *c = p->credentials;
        size_t bytes = c->group_count * sizeof *c->groups;
        *ids = c->ids;
        groups->length = bytes < groups->capacity ? bytes : groups->capacity;
        status = rt_copy_to_client(groups->offset, c->groups, groups->length) ? 0 : RPC_BAD_BUFFER;
    }
    tx_commit();
    return status;
}

uint32_t process_serve_root(
    struct process_server *server, uint64_t badge, uint64_t sequence, uint32_t directory)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    if (!p || !is_super(p))
        return undo(PROCESS_ERROR_PERM);
    const struct credentials *c = p->credentials;
    if (!change(p, &c->ids, c->groups, c->group_count, directory))
        return undo(PROCESS_ERROR_INVAL);
    (void)finish(badge, sequence, &r, 0);
    credentials_sweep();
    return 0;
}
