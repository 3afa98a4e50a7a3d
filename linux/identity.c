/* SPDX-License-Identifier: MIT */
/*
 * Users and groups. The process server keeps them and decides; self.ids is a copy to answer from.
 * Threads of a process share them: glibc and musl make it look so on Linux too.
 */
#include "layer.h"
#include <proto/file_client.h>
#include <proto/process_client.h>

#define CAPABILITIES ((1ull << 41) - 1) /* those that Linux 6.1 knows */

int64_t sys_getuid(const uint64_t *a)
{
    (void)a;
    return self.ids.real_user;
}

int64_t sys_geteuid(const uint64_t *a)
{
    (void)a;
    return self.ids.user;
}

int64_t sys_getgid(const uint64_t *a)
{
    (void)a;
    return self.ids.real_group;
}

int64_t sys_getegid(const uint64_t *a)
{
    (void)a;
    return self.ids.group;
}

static int64_t three_out(const uint64_t *a, uint32_t real, uint32_t effective, uint32_t saved)
{
    return user_write(a[0], &real, 4) && user_write(a[1], &effective, 4) &&
                   user_write(a[2], &saved, 4)
               ? 0
               : -EFAULT;
}

int64_t sys_getresuid(const uint64_t *a)
{
    return three_out(a, self.ids.real_user, self.ids.user, self.ids.saved_user);
}

int64_t sys_getresgid(const uint64_t *a)
{
    return three_out(a, self.ids.real_group, self.ids.group, self.ids.saved_group);
}

static int64_t change(uint8_t what, uint64_t real, uint64_t effective, uint64_t saved)
{
    struct process_ids new;
    own_ready(&new, sizeof new);
    int64_t e = errno_of(process_set_ids(
        SLOT_PROCESS, what, (uint32_t)real, (uint32_t)effective, (uint32_t)saved, &new));
    if (!e)
        self.ids = new;
    listings_forget(0);
    return e;
}

int64_t sys_setuid(const uint64_t *a)
{
    return change(PROCESS_IDENTITY_CHANGE_USER, a[0], 0, 0);
}

int64_t sys_setgid(const uint64_t *a)
{
    return change(PROCESS_IDENTITY_CHANGE_GROUP, a[0], 0, 0);
}

int64_t sys_setreuid(const uint64_t *a)
{
    return change(PROCESS_IDENTITY_CHANGE_REAL_USER, a[0], a[1], 0);
}

int64_t sys_setregid(const uint64_t *a)
{
    return change(PROCESS_IDENTITY_CHANGE_REAL_GROUP, a[0], a[1], 0);
}

int64_t sys_setresuid(const uint64_t *a)
{
    return change(PROCESS_IDENTITY_CHANGE_SAVED_USER, a[0], a[1], a[2]);
}

int64_t sys_setresgid(const uint64_t *a)
{
    return change(PROCESS_IDENTITY_CHANGE_SAVED_GROUP, a[0], a[1], a[2]);
}

/* These answer what was before, whether it has changed or not. */
int64_t sys_setfsuid(const uint64_t *a)
{
    uint32_t old = self.ids.file_user;
    (void)change(PROCESS_IDENTITY_CHANGE_FILE_USER, a[0], 0, 0);
    return old;
}

int64_t sys_setfsgid(const uint64_t *a)
{
    uint32_t old = self.ids.file_group;
    (void)change(PROCESS_IDENTITY_CHANGE_FILE_GROUP, a[0], 0, 0);
    return old;
}

int64_t sys_getgroups(const uint64_t *a)
{
    struct {
        struct process_ids ids;
        uint32_t groups[PROCESS_GROUPS_MAX];
    } all;
    size_t bytes = 0;
    own_ready(&all, sizeof all);
    if ((int32_t)a[0] < 0)
        return -EINVAL;
    int64_t e = errno_of(process_ids(SLOT_PROCESS, 0, &all.ids, sizeof all.groups, &bytes));
    if (e)
        return e;
    int64_t count = (int64_t)(bytes / sizeof *all.groups);
    if (!a[0])
        return count;
    if ((int32_t)a[0] < count)
        return -EINVAL;
    return user_write(a[1], all.groups, bytes) ? count : -EFAULT;
}

int64_t sys_setgroups(const uint64_t *a)
{
    uint32_t groups[PROCESS_GROUPS_MAX];
    if (self.ids.user)
        return -EPERM;
    if ((uint32_t)a[0] > PROCESS_GROUPS_MAX)
        return -EINVAL;
    size_t bytes = (uint32_t)a[0] * sizeof *groups;
    if (!user_read(groups, a[1], bytes))
        return -EFAULT;
    listings_forget(0);
    return errno_of(process_set_groups(SLOT_PROCESS, groups, bytes));
}

/* ---- capabilities: the super-user has them all, others none ---------------------------------- */

enum { VERSION_1 = 0x19980330, VERSION_2 = 0x20071026, VERSION_3 = 0x20080522 };
struct capability_header {
    uint32_t version;
    int32_t pid;
};
struct capability_words {
    uint32_t effective, permitted, inheritable;
};

/* How many words of each kind; 0: the version is none, and ours has been written. */
static unsigned version_words(uint64_t header, struct capability_header *h)
{
    static const uint32_t ours = VERSION_3;
    if (h->version == VERSION_1)
        return 1;
    if (h->version == VERSION_2 || h->version == VERSION_3)
        return 2;
    user_write(header, &ours, sizeof ours);
    return 0;
}

int64_t sys_capget(const uint64_t *a)
{
    struct capability_header h;
    struct capability_words w[2] = {{0, 0, 0}, {0, 0, 0}};
    struct process_ids ids;
    size_t none = 0;
    if (!user_read(&h, a[0], sizeof h))
        return -EFAULT;
    unsigned words = version_words(a[0], &h);
    if (!words)
        return a[1] ? -EINVAL : 0;
    if (h.pid < 0)
        return -EINVAL;
    own_ready(&ids, sizeof ids);
    int64_t e = errno_of(process_ids(SLOT_PROCESS, (uint32_t)h.pid, &ids, 0, &none));
    if (e)
        return e;
    for (unsigned i = 0; i < words; i++) {
        uint32_t all = (uint32_t)(CAPABILITIES >> 32 * i);
        w[i].permitted = !ids.user || !ids.real_user || !ids.saved_user ? all : 0;
        w[i].effective = !ids.user ? all : 0;
    }
    return user_write(a[1], w, words * sizeof *w) ? 0 : -EFAULT;
}

/* What one has may be set again. Giving some up is not possible, and so is not said to be done. */
int64_t sys_capset(const uint64_t *a)
{
    struct capability_header h;
    struct capability_words w[2] = {{0, 0, 0}, {0, 0, 0}};
    if (!user_read(&h, a[0], sizeof h))
        return -EFAULT;
    unsigned words = version_words(a[0], &h);
    if (!words)
        return -EINVAL;
    if (h.pid && (uint32_t)h.pid != self.pid)
        return -EPERM;
    if (!user_read(w, a[1], words * sizeof *w))
        return -EFAULT;
    for (unsigned i = 0; i < words; i++) {
        uint32_t all = self.ids.user ? 0 : (uint32_t)(CAPABILITIES >> 32 * i);
        if ((w[i].effective & (uint32_t)(CAPABILITIES >> 32 * i)) != all)
            return -EPERM;
    }
    return 0;
}

/* ---- the root -------------------------------------------------------------------------------- */

bool may_search(uint32_t directory)
{
    uint8_t walk = 0;
    uint16_t walked = 0;
    size_t length = 0;
    char target[1];
    return !file_access(SLOT_ROOT, directory, "", 0, FILE_ACCESS_EXECUTE | FILE_ACCESS_EFFECTIVE,
        &walk, &walked, target, 0, &length);
}

/* The working directory stays where it is: as a gate of its own, if it was the root's. */
static int64_t cwd_keep(void)
{
    struct path p;
    struct file *f = 0;
    if (self.cwd_slot != SLOT_ROOT)
        return 0;
    int64_t e = path_set(&p, AT_FDCWD, "/");
    if (!e)
        e = open_path(&p, O_PATH | O_DIRECTORY, 0, &f);
    if (e)
        return e;
    self.cwd_slot = f->slot;
    f->slot = 0; /* it is the working directory's now */
    file_drop(f);
    return 0;
}

int64_t sys_chroot(const uint64_t *a)
{
    struct path p;
    struct file *f = 0;
    int64_t e = path_user(&p, AT_FDCWD, a[0]);
    if (!e)
        e = open_path(&p, O_PATH | O_DIRECTORY, 0, &f);
    if (e)
        return e;
    e = f->kind != FILE_DIRECTORY ? -ENOTDIR : !may_search(f->slot) ? -EACCES : 0;
    if (!e && self.ids.user)
        e = -EPERM;
    if (!e)
        e = cwd_keep();
    if (!e)
        e = errno_of(process_root(SLOT_PROCESS, f->slot));
    if (!e)
        strlcpy(self.root, f->path, sizeof self.root);
    listings_forget(0);
    file_drop(f);
    return e;
}
