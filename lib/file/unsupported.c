/* SPDX-License-Identifier: MIT */
/*
 * Operations of the file protocol that a stream (terminal, pipe) does not have. Each is weak:
 * a server that has it defines its own.
 */
#include <proto/file_server.h>

#define UNSUPPORTED __attribute__((weak))
#define UNUSED(x) (void)(x)

UNSUPPORTED uint32_t file_serve_open(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct file_attributes *attributes, struct rpc_out *content, uint32_t *file)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(path);
    UNUSED(flags);
    UNUSED(walk);
    UNUSED(walked);
    UNUSED(attributes); UNUSED(content); UNUSED(file);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_create(struct file_server *server, uint64_t badge,
    uint64_t sequence, uint32_t at, struct rpc_in path, uint32_t flags, uint16_t mode,
    uint8_t *walk, uint16_t *walked, bool *created, struct file_attributes *attributes,
    struct rpc_out *content, uint32_t *file)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(sequence);
    UNUSED(path);
    UNUSED(flags);
    UNUSED(mode);
    UNUSED(walk); UNUSED(walked); UNUSED(created); UNUSED(attributes); UNUSED(content);
    UNUSED(file);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_look(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct file_attributes *attributes, struct rpc_out *target)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(path);
    UNUSED(flags);
    UNUSED(walk);
    UNUSED(walked);
    UNUSED(attributes); UNUSED(target);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_access(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t what, uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(path);
    UNUSED(what);
    UNUSED(walk);
    UNUSED(walked);
    UNUSED(target);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_read(struct file_server *server, uint64_t badge, uint32_t park,
    uint64_t position, struct rpc_out *data)
{
    UNUSED(server); UNUSED(badge); UNUSED(park); UNUSED(position); UNUSED(data);
    return FILE_ERROR_INVAL;
}

UNSUPPORTED uint32_t file_serve_write(struct file_server *server, uint64_t badge, uint64_t
    sequence, uint32_t park, uint64_t position, uint32_t flags, struct rpc_in data, uint32_t
    *written, uint64_t *end)
{
    UNUSED(server); UNUSED(badge); UNUSED(sequence); UNUSED(park); UNUSED(position);
    UNUSED(flags); UNUSED(data); UNUSED(written); UNUSED(end);
    return FILE_ERROR_BADF;
}

UNSUPPORTED uint32_t file_serve_read_next(struct file_server *server, uint64_t badge, uint64_t
    sequence, uint32_t park, struct rpc_out *data, uint64_t *end)
{
    UNUSED(server); UNUSED(badge); UNUSED(sequence); UNUSED(park); UNUSED(data); UNUSED(end);
    return FILE_ERROR_BADF;
}

UNSUPPORTED uint32_t file_serve_seek(struct file_server *server, uint64_t badge, uint64_t
    sequence, int64_t offset, uint8_t whence, uint64_t *position)
{
    UNUSED(server); UNUSED(badge); UNUSED(sequence); UNUSED(offset); UNUSED(whence);
    UNUSED(position);
    return FILE_ERROR_SPIPE;
}

UNSUPPORTED uint32_t file_serve_getdents(struct file_server *server, uint64_t badge,
    uint64_t position, bool brief, struct rpc_out *entries, uint32_t *count)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(position);
    UNUSED(brief);
    UNUSED(entries);
    UNUSED(count);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_make(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, struct rpc_in path, uint32_t mode, uint64_t special, uint8_t *walk,
    uint16_t *walked, struct rpc_out *target)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(sequence);
    UNUSED(path);
    UNUSED(mode);
    UNUSED(special); UNUSED(walk); UNUSED(walked); UNUSED(target);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_unlink(struct file_server *server, uint64_t badge,
    uint64_t sequence, uint32_t at, struct rpc_in path, uint32_t flags, uint8_t *walk,
    uint16_t *walked, struct rpc_out *target)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(sequence);
    UNUSED(path);
    UNUSED(flags);
    UNUSED(walk);
    UNUSED(walked); UNUSED(target);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_rename(struct file_server *server, uint64_t badge,
    uint64_t sequence, uint32_t at, uint32_t new_at, struct rpc_in old_path, struct rpc_in new_path,
    uint32_t flags)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(new_at);
    UNUSED(sequence);
    UNUSED(old_path);
    UNUSED(new_path); UNUSED(flags);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_link(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, uint32_t new_at, struct rpc_in old_path, struct rpc_in new_path, uint32_t flags)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(new_at);
    UNUSED(sequence);
    UNUSED(old_path);
    UNUSED(new_path); UNUSED(flags);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_symlink(struct file_server *server, uint64_t badge,
    uint64_t sequence, uint32_t at, struct rpc_in target, struct rpc_in path)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(sequence);
    UNUSED(target);
    UNUSED(path);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_readlink(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(path);
    UNUSED(walk);
    UNUSED(walked);
    UNUSED(target);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_truncate(struct file_server *server, uint64_t badge, uint64_t
    sequence, uint64_t size)
{
    UNUSED(server); UNUSED(badge); UNUSED(sequence); UNUSED(size);
    return FILE_ERROR_INVAL;
}

UNSUPPORTED uint32_t file_serve_set_attributes(struct file_server *server, uint64_t badge,
    uint64_t sequence, uint32_t at, const struct file_changes *changes, struct rpc_in path,
    uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(sequence);
    UNUSED(changes);
    UNUSED(path);
    UNUSED(walk); UNUSED(walked); UNUSED(target);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_allocate(struct file_server *server, uint64_t badge, uint64_t
    sequence, uint64_t position, uint64_t size, uint32_t flags)
{
    UNUSED(server); UNUSED(badge); UNUSED(sequence); UNUSED(position); UNUSED(size);
    UNUSED(flags);
    return FILE_ERROR_INVAL;
}

UNSUPPORTED uint32_t file_serve_sync(struct file_server *server, uint64_t badge, uint32_t park,
    bool data_only)
{
    UNUSED(server); UNUSED(badge); UNUSED(park); UNUSED(data_only);
    return FILE_ERROR_INVAL;
}

UNSUPPORTED uint32_t file_serve_lock(struct file_server *server, uint64_t badge, uint64_t
    sequence, uint32_t park, uint8_t kind, bool wait, uint64_t owner, uint64_t start, uint64_t
    length)
{
    UNUSED(server); UNUSED(badge); UNUSED(sequence); UNUSED(park); UNUSED(kind); UNUSED(wait);
    UNUSED(owner); UNUSED(start); UNUSED(length);
    return FILE_ERROR_INVAL;
}

UNSUPPORTED uint32_t file_serve_lock_query(struct file_server *server, uint64_t badge, uint8_t
    kind, uint64_t owner, uint64_t start, uint64_t length, uint8_t *held_kind, uint64_t
    *held_owner, uint64_t *held_start, uint64_t *held_length)
{
    UNUSED(server); UNUSED(badge); UNUSED(kind); UNUSED(owner); UNUSED(start); UNUSED(length);
    UNUSED(held_kind); UNUSED(held_owner); UNUSED(held_start); UNUSED(held_length);
    return FILE_ERROR_INVAL;
}

UNSUPPORTED uint32_t file_serve_map(struct file_server *server, uint64_t badge, uint32_t memory,
    uint64_t address, uint64_t length, uint64_t offset, uint8_t protection, bool shared)
{
    UNUSED(server); UNUSED(badge); UNUSED(memory); UNUSED(address); UNUSED(length);
    UNUSED(offset); UNUSED(protection); UNUSED(shared);
    return FILE_ERROR_NODEV;
}

UNSUPPORTED uint32_t file_serve_file_system(struct file_server *server, uint64_t badge, struct
    file_file_system *file_system)
{
    UNUSED(server); UNUSED(badge); UNUSED(file_system);
    return FILE_ERROR_IO;
}

UNSUPPORTED uint32_t file_serve_session(struct file_server *server, uint64_t badge, uint32_t root,
    uint32_t user, uint32_t group, uint32_t real_user, uint32_t real_group, struct rpc_in groups,
    uint32_t *session)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(root);
    UNUSED(user);
    UNUSED(group);
    UNUSED(real_user);
    UNUSED(real_group);
    UNUSED(groups);
    UNUSED(session);
    return FILE_ERROR_PERM;
}

UNSUPPORTED uint32_t file_serve_locate(
    struct file_server *server, uint64_t badge, uint32_t at, struct rpc_out *path)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(at);
    UNUSED(path);
    return FILE_ERROR_NOTDIR;
}

UNSUPPORTED uint32_t file_serve_mount(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, uint32_t source, struct rpc_in path, uint8_t kind,
    const struct file_mount_options *options, struct rpc_in type, struct rpc_in name, uint8_t *walk,
    uint16_t *walked, struct rpc_out *target)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(sequence);
    UNUSED(at);
    UNUSED(source);
    UNUSED(path);
    UNUSED(kind);
    UNUSED(options);
    UNUSED(type);
    UNUSED(name);
    UNUSED(walk);
    UNUSED(walked);
    UNUSED(target);
    return FILE_ERROR_PERM;
}

UNSUPPORTED uint32_t file_serve_unmount(struct file_server *server, uint64_t badge,
    uint64_t sequence, uint32_t at, struct rpc_in path, uint32_t flags, uint8_t *walk,
    uint16_t *walked, struct rpc_out *target)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(sequence);
    UNUSED(at);
    UNUSED(path);
    UNUSED(flags);
    UNUSED(walk);
    UNUSED(walked);
    UNUSED(target);
    return FILE_ERROR_PERM;
}

UNSUPPORTED uint32_t file_serve_mounts(struct file_server *server, uint64_t badge, uint64_t after,
    struct rpc_out *list, uint32_t *count)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(after);
    UNUSED(list);
    UNUSED(count);
    return 0; /* none */
}

UNSUPPORTED uint32_t file_serve_watch(
    struct file_server *server, uint64_t badge, uint32_t memory, uint64_t address)
{
    UNUSED(server);
    UNUSED(badge);
    UNUSED(memory);
    UNUSED(address);
    return FILE_ERROR_OPNOTSUPP;
}
