/* SPDX-License-Identifier: MIT */
/* Sessions: who asks, what their root is, and what they may do, by Linux's rules. */
#include "ramfs.h"
#include <rt/sort.h>
#include <rt/string.h>

#define STICKY 01000u
#define SET_GROUP 02000u

/* Of those that the system description lets in. */
static const struct session super;

static struct node *root_of(const struct session *s)
{
    return s && s->root ? s->root : fs->root;
}

static struct mount *mount_of(const struct session *s)
{
    return s && s->root ? s->mount : fs->mounts;
}

static const struct session *session_of(uint64_t badge)
{
    if (badge < DESCRIBED_MAX)
        return &super;
    return badge & SESSION_BIT ? (const struct session *)(badge - SESSION_BIT) : 0;
}

uint32_t caller_of(uint64_t badge, uint32_t at, struct caller *c)
{
    const struct open_file *o = (const struct open_file *)badge;
    c->session = session_of(badge);
    c->foreign = false;
    c->at = c->session ? root_of(c->session) : o->node;
    c->at_mount = c->session ? mount_of(c->session) : o->mount;
    c->root = c->at; /* no session: not above it, as a session's root decides whether that may be */
    c->root_mount = c->at_mount;
    if (!at)
        return 0;
    struct pith_result r = pith_gate_badge(at, file_service);
    if (r.status)
        return FILE_ERROR_XDEV;
    const struct session *other = session_of(r.value);
    o = (const struct open_file *)r.value;
    c->at = other ? root_of(other) : o->node;
    c->at_mount = other ? mount_of(other) : o->mount;
    return 0;
}

/* ---- what they may ------------------------------------------------------------------------ */

bool is_super(const struct session *s)
{
    return s && !s->user;
}

static bool member(const struct session *s, uint32_t own, uint32_t group)
{
    uint32_t low = 0, high = s->group_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (s->groups[middle] < group)
            low = middle + 1;
        else
            high = middle;
    }
    return own == group || (low < s->group_count && s->groups[low] == group);
}

bool in_group(const struct session *s, uint32_t group)
{
    return s && member(s, s->group, group);
}

bool is_owner(const struct session *s, const struct node *n)
{
    return s && (!s->user || s->user == n->owner);
}

static bool allowed(
    const struct session *s, uint32_t user, uint32_t group, const struct node *n, unsigned want)
{
    unsigned mode = n->mode;
    if (!user) {
        bool program = (mode & S_TYPE) == S_DIRECTORY || mode & 0111;
        return !(want & MAY_EXECUTE) || program;
    }
    if (user == n->owner)
        mode >>= 6;
    else if (member(s, group, n->group))
        mode >>= 3;
    return !(want & ~mode);
}

bool may(const struct session *s, const struct node *n, unsigned want)
{
    if (s)
        return allowed(s, s->user, s->group, n, want);
    return !(want & ~(n->mode & n->mode >> 3 & n->mode >> 6)); /* whoever it is */
}

bool may_really(const struct session *s, const struct node *n, unsigned want)
{
    return s ? allowed(s, s->real_user, s->real_group, n, want) : may(s, n, want);
}

uint32_t read_only(const struct mount *m)
{
    return m->flags & FILE_MOUNT_READ_ONLY ? FILE_ERROR_ROFS : 0;
}

uint32_t may_add(const struct caller *c, const struct mount *mount, const struct node *directory)
{
    bool good = c->session && may(c->session, directory, MAY_WRITE | MAY_EXECUTE);
    return good ? read_only(mount) : FILE_ERROR_ACCES;
}

uint32_t may_remove(const struct caller *c, const struct mount *mount, const struct entry *e)
{
    const struct node *directory = e->directory;
    uint32_t status = may_add(c, mount, directory);
    if (!status && directory->mode & STICKY && !is_owner(c->session, directory) &&
        !is_owner(c->session, e->node))
        status = FILE_ERROR_PERM;
    return status;
}

void node_own(struct node *n, const struct session *s, const struct node *directory)
{
    n->owner = s->user;
    n->group = s->group;
    if (!(directory->mode & SET_GROUP))
        return;
    n->group = directory->group;
    if ((n->mode & S_TYPE) == S_DIRECTORY)
        n->mode |= SET_GROUP;
    else if ((n->mode & (SET_GROUP | 010)) == (SET_GROUP | 010) && !is_super(s) &&
             !in_group(s, n->group))
        n->mode &= ~SET_GROUP;
}

/* ---- their lives ----------------------------------------------------------------------------- */

static void session_end(struct session *s)
{
    rt_gate_free(s->gate);
    if (s->prev)
        TX_SET(s->prev->next, s->next);
    else
        TX_SET(fs->sessions, s->next);
    if (s->next)
        TX_SET(s->next->prev, s->prev);
    if (s->root) {
        TX_SET(s->root->opens, s->root->opens - 1);
        node_drop(s->root);
        mount_left(s->mount);
    }
    capsule_free(s, sizeof *s + s->group_count * sizeof *s->groups);
}

void session_closed(uint64_t badge)
{
    struct session *s = (struct session *)(badge - SESSION_BIT);
    if (rt_gate_is(s->gate, file_service, badge))
        session_end(s);
}

void sessions_check(void)
{
    for (struct session *s = fs->sessions, *next; s; s = next) {
        next = s->next;
        struct pith_result r = pith_gate_info(s->gate);
        if (r.status || r.value <= 1)
            session_end(s);
        if (tx_full())
            tx_split();
    }
}

static int by_number(const void *a, const void *b, void *context)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    (void)context;
    return (x > y) - (x < y);
}

static uint32_t session_make(
    const struct session *head, struct rpc_in groups, struct session **made)
{
    uint32_t count = (uint32_t)(groups.length / sizeof(uint32_t));
    struct session *s = capsule_alloc(sizeof *s + count * sizeof *s->groups);
    _Static_assert(sizeof *s + FILE_GROUPS_BYTES <= PAGE, "a session fits in a block");
    if (!s)
        return FILE_ERROR_NOMEM;
    *s = *head;
    s->group_count = count;
    if (count && !rt_copy_from_client(groups.offset, s->groups, groups.length))
        return RPC_BAD_BUFFER;
    sort(s->groups, count, sizeof *s->groups, by_number, 0);
    s->gate = rt_gate_create(file_service, (uint64_t)s | SESSION_BIT);
    if (!s->gate)
        return FILE_ERROR_MFILE;
    s->next = fs->sessions;
    if (fs->sessions)
        TX_SET(fs->sessions->prev, s);
    TX_SET(fs->sessions, s);
    if (s->root)
        TX_SET(s->root->opens, s->root->opens + 1);
    *made = s;
    return 0;
}

uint32_t file_serve_session(struct file_server *server, uint64_t badge, uint32_t root,
    uint32_t user, uint32_t group, uint32_t real_user, uint32_t real_group, struct rpc_in groups,
    uint32_t *session)
{
    struct session *made = 0, head = {.user = user,
                                  .group = group,
                                  .real_user = real_user,
                                  .real_group = real_group};
    struct caller c;
    (void)server;
    if (badge >= DESCRIBED_MAX)
        return FILE_ERROR_PERM;
    if (groups.length % sizeof(uint32_t))
        return FILE_ERROR_INVAL;
    tx_begin();
    uint32_t status = caller_of(badge, root, &c);
    if (!status && (c.at->mode & S_TYPE) != S_DIRECTORY)
        status = FILE_ERROR_NOTDIR;
    head.root = c.at == fs->root && c.at_mount == fs->mounts ? 0 : c.at;
    head.mount = c.at_mount;
    if (!status)
        status = session_make(&head, groups, &made);
    if (status) {
        tx_abort();
        return status == FILE_ERROR_XDEV ? FILE_ERROR_INVAL : status;
    }
    *session = made->gate;
    tx_commit();
    return 0;
}
