/* SPDX-License-Identifier: MIT */
/* Entries of a directory on their way to the program (entries.c). */
#pragma once
#include "layer.h"

struct entry {
    uint64_t inode;
    uint64_t next;     /* the position behind it */
    uint8_t type;      /* DT_ of readdir(3): the mode's S_IFMT >> 12 */
    size_t name_bytes; /* at most FILE_NAME_MAX */
    const char *name;
};

struct entries {
    uint64_t to; /* the program's buffer */
    size_t room; /* its bytes */
    size_t done; /* bytes written */
    bool old;    /* getdents, not getdents64 */
};

/* 0, or -EINVAL: no room for it; -EFAULT. */
int64_t entry_out(struct entries *out, const struct entry *entry);

/* A directory of /proc; like getdents, from f->position on. 0, or entry_out's errors. */
int64_t proc_entries(struct file *f, struct entries *out);
