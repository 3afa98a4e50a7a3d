// SPDX-License-Identifier: MIT
/*
 * A server of protocol file that keeps nothing: it checks with assertions that what reaches it is
 * within the protocol's limits, reads and writes what it was granted, and answers with the error
 * or success that file_server_answer asks for.
 */
#include "file_server.h"

#include <assert.h>
#include <string.h>

uint32_t file_server_answer;

static uint32_t take(struct rpc_in in, uint64_t minimum, uint64_t maximum)
{
    static char buffer[FILE_TRANSFER_MAX];

    assert(in.length >= minimum && in.length <= maximum);
    return rt_copy_from_client(in.offset, buffer, in.length) ? 0 : RPC_BAD_BUFFER;
}

static uint32_t give(struct rpc_out *out, uint64_t maximum)
{
    static const char data[] = "some bytes of a file";
    size_t bytes = sizeof(data) < out->capacity ? sizeof(data) : out->capacity;

    assert(out->capacity <= maximum && !out->length);
    if (!rt_copy_to_client(out->offset, data, bytes))
        return RPC_BAD_BUFFER;
    out->length = bytes;
    return 0;
}

/* Most operations: a path in, something out, then the answer. */
static uint32_t walk_and_answer(
    struct rpc_in path, uint64_t path_minimum, struct rpc_out *out, uint64_t out_maximum)
{
    uint32_t status = take(path, path_minimum, FILE_PATH_MAX);

    if (!status && out)
        status = give(out, out_maximum);
    return status ? status : file_server_answer;
}

static void check_sequence(uint64_t sequence)
{
    assert(rpc_sequence_number(sequence) != 0 && sequence >> 48 == 0);
}

uint32_t file_serve_open(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct file_attributes *attributes, struct rpc_out *content, uint32_t *file)
{
    (void)at;
    (void)server, (void)badge;
    assert(!(flags & ~FILE_OPEN_ALL) && content->offset == sizeof(*attributes));
    *walk = FILE_WALK_LINK;
    *walked = 0x1234;
    attributes->node = 77;
    *file = 9;
    return walk_and_answer(path, 0, content, FILE_INLINE_MAX);
}

uint32_t file_serve_create(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, struct rpc_in path, uint32_t flags, uint16_t mode, uint8_t *walk, uint16_t *walked,
    bool *created, struct file_attributes *attributes, struct rpc_out *content, uint32_t *file)
{
    (void)at;
    check_sequence(sequence);
    assert(mode <= 07777);
    *created = true;
    return file_serve_open(server, badge, at, path, flags, walk, walked, attributes, content, file);
}

uint32_t file_serve_look(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct file_attributes *attributes, struct rpc_out *target)
{
    (void)at;
    (void)server, (void)badge, (void)walk, (void)walked, (void)attributes;
    assert(!(flags & ~FILE_LOOK_ALL));
    return walk_and_answer(path, 0, target, FILE_PATH_MAX);
}

uint32_t file_serve_access(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t what, uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    (void)at;
    (void)server, (void)badge, (void)walk, (void)walked;
    assert(!(what & ~FILE_ACCESS_ALL));
    return walk_and_answer(path, 0, target, FILE_PATH_MAX);
}

uint32_t file_serve_read(struct file_server *server, uint64_t badge, uint32_t park,
    uint64_t position, struct rpc_out *data)
{
    uint32_t status = give(data, FILE_TRANSFER_MAX);

    (void)server, (void)badge, (void)park, (void)position;
    return status ? status : file_server_answer;
}

uint32_t file_serve_write(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t park, uint64_t position, uint32_t flags, struct rpc_in data, uint32_t *written,
    uint64_t *end)
{
    uint32_t status = take(data, 0, FILE_TRANSFER_MAX);

    (void)server, (void)badge, (void)park;
    check_sequence(sequence);
    assert(!(flags & ~FILE_WRITE_ALL));
    *written = (uint32_t)data.length;
    *end = position + data.length;
    return status ? status : file_server_answer;
}

uint32_t file_serve_read_next(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t park, struct rpc_out *data, uint64_t *end)
{
    check_sequence(sequence);
    *end = 5;
    return file_serve_read(server, badge, park, 0, data);
}

uint32_t file_serve_seek(struct file_server *server, uint64_t badge, uint64_t sequence,
    int64_t offset, uint8_t whence, uint64_t *position)
{
    (void)server, (void)badge;
    check_sequence(sequence);
    assert(whence <= FILE_WHENCE_HOLE);
    *position = (uint64_t)offset;
    return file_server_answer;
}

uint32_t file_serve_getdents(struct file_server *server, uint64_t badge, uint64_t position,
    bool brief, struct rpc_out *entries, uint32_t *count)
{
    uint32_t status = give(entries, FILE_ENTRIES_MAX);

    (void)server, (void)badge, (void)position, (void)brief;
    *count = 1;
    return status ? status : file_server_answer;
}

uint32_t file_serve_make(struct file_server *server, uint64_t badge, uint64_t sequence, uint32_t at,
    struct rpc_in path, uint32_t mode, uint64_t special, uint8_t *walk, uint16_t *walked,
    struct rpc_out *target)
{
    (void)at;
    (void)server, (void)badge, (void)mode, (void)special, (void)walk, (void)walked;
    check_sequence(sequence);
    return walk_and_answer(path, 1, target, FILE_PATH_MAX);
}

uint32_t file_serve_unlink(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct rpc_out *target)
{
    (void)at;
    (void)server, (void)badge, (void)walk, (void)walked;
    check_sequence(sequence);
    assert(!(flags & ~FILE_UNLINK_ALL));
    return walk_and_answer(path, 1, target, FILE_PATH_MAX);
}

static uint32_t two_paths(struct rpc_in old_path, uint64_t old_minimum, struct rpc_in new_path)
{
    assert(new_path.offset == old_path.length);
    if (take(old_path, old_minimum, FILE_PATH_MAX))
        return RPC_BAD_BUFFER;
    return walk_and_answer(new_path, 1, NULL, 0);
}

uint32_t file_serve_rename(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, uint32_t new_at, struct rpc_in old_path, struct rpc_in new_path, uint32_t flags)
{
    (void)at;
    (void)new_at;
    (void)server, (void)badge;
    check_sequence(sequence);
    assert(!(flags & ~FILE_RENAME_ALL));
    return two_paths(old_path, 1, new_path);
}

uint32_t file_serve_link(struct file_server *server, uint64_t badge, uint64_t sequence, uint32_t at,
    uint32_t new_at, struct rpc_in old_path, struct rpc_in new_path, uint32_t flags)
{
    (void)at;
    (void)new_at;
    (void)server, (void)badge;
    check_sequence(sequence);
    assert(!(flags & ~FILE_LOOK_ALL));
    return two_paths(old_path, 0, new_path);
}

uint32_t file_serve_symlink(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, struct rpc_in target, struct rpc_in path)
{
    (void)at;
    (void)server, (void)badge;
    check_sequence(sequence);
    return two_paths(target, 1, path);
}

uint32_t file_serve_readlink(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    (void)at;
    (void)server, (void)badge, (void)walk, (void)walked;
    return walk_and_answer(path, 0, target, FILE_PATH_MAX);
}

uint32_t file_serve_truncate(
    struct file_server *server, uint64_t badge, uint64_t sequence, uint64_t size)
{
    (void)server, (void)badge, (void)size;
    check_sequence(sequence);
    return file_server_answer;
}

uint32_t file_serve_set_attributes(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, const struct file_changes *changes, struct rpc_in path, uint8_t *walk,
    uint16_t *walked, struct rpc_out *target)
{
    (void)at;
    (void)server, (void)badge, (void)walk, (void)walked;
    check_sequence(sequence);
    assert(
        changes->accessed.nanoseconds <= 999999999 && changes->modified.nanoseconds <= 999999999);
    assert(changes->mode <= 07777 && !(changes->what & ~FILE_CHANGE_ALL));
    assert(path.offset == sizeof(*changes));
    return walk_and_answer(path, 0, target, FILE_PATH_MAX);
}

uint32_t file_serve_allocate(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint64_t position, uint64_t size, uint32_t flags)
{
    (void)server, (void)badge, (void)position;
    check_sequence(sequence);
    assert(size && size <= INT64_MAX && !(flags & ~FILE_ALLOCATE_ALL));
    return file_server_answer;
}

uint32_t file_serve_sync(struct file_server *server, uint64_t badge, uint32_t park, bool data_only)
{
    (void)server, (void)badge, (void)park, (void)data_only;
    return file_server_answer;
}

uint32_t file_serve_lock(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t park, uint8_t kind, bool wait, uint64_t owner, uint64_t start, uint64_t length)
{
    (void)server, (void)badge, (void)park, (void)wait, (void)owner, (void)start, (void)length;
    check_sequence(sequence);
    assert(kind <= FILE_LOCK_KIND_UNLOCK);
    return file_server_answer;
}

uint32_t file_serve_lock_query(struct file_server *server, uint64_t badge, uint8_t kind,
    uint64_t owner, uint64_t start, uint64_t length, uint8_t *held_kind, uint64_t *held_owner,
    uint64_t *held_start, uint64_t *held_length)
{
    (void)server, (void)badge;
    *held_kind = kind;
    *held_owner = owner;
    *held_start = start;
    *held_length = length;
    return file_server_answer;
}

uint32_t file_serve_map(struct file_server *server, uint64_t badge, uint32_t memory,
    uint64_t address, uint64_t length, uint64_t offset, uint8_t protection, bool shared)
{
    (void)server, (void)badge, (void)memory, (void)address, (void)length, (void)offset;
    (void)protection, (void)shared;
    return file_server_answer;
}

uint32_t file_serve_file_system(
    struct file_server *server, uint64_t badge, struct file_file_system *file_system)
{
    (void)server, (void)badge;
    file_system->name_max = FILE_NAME_MAX;
    return file_server_answer;
}

uint32_t file_serve_session(struct file_server *server, uint64_t badge, uint32_t root,
    uint32_t user, uint32_t group, uint32_t real_user, uint32_t real_group, struct rpc_in groups,
    uint32_t *session)
{
    (void)server;
    (void)badge;
    (void)root;
    (void)user;
    (void)group;
    (void)real_user;
    (void)real_group;
    *session = 9;
    return take(groups, 0, FILE_GROUPS_BYTES);
}

uint32_t file_serve_locate(
    struct file_server *server, uint64_t badge, uint32_t at, struct rpc_out *path)
{
    (void)server;
    (void)badge;
    (void)at;
    return give(path, FILE_PATH_MAX);
}

uint32_t file_serve_mount(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, uint32_t source, struct rpc_in path, uint8_t kind,
    const struct file_mount_options *options, struct rpc_in type, struct rpc_in name,
    uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    (void)server, (void)badge, (void)at, (void)source, (void)walk, (void)walked, (void)target;
    check_sequence(sequence);
    assert(kind >= FILE_MOUNT_KIND_NEW && kind <= FILE_MOUNT_KIND_CHANGE);
    assert(options->mode <= 07777 && !(options->flags & ~FILE_MOUNT_ALL));
    assert(path.length <= FILE_PATH_MAX && name.length <= FILE_PATH_MAX);
    assert(type.length && type.length <= 31);
    return file_server_answer;
}

uint32_t file_serve_unmount(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t at, struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct rpc_out *target)
{
    (void)server, (void)badge, (void)at, (void)walk, (void)walked, (void)target;
    check_sequence(sequence);
    assert(path.length <= FILE_PATH_MAX && !(flags & ~FILE_UNMOUNT_ALL));
    return file_server_answer;
}

uint32_t file_serve_mounts(struct file_server *server, uint64_t badge, uint64_t after,
    struct rpc_out *list, uint32_t *count)
{
    (void)server, (void)badge, (void)after, (void)count;
    return give(list, FILE_ENTRIES_MAX);
}

uint32_t file_serve_watch(
    struct file_server *server, uint64_t badge, uint32_t memory, uint64_t address)
{
    (void)server, (void)badge, (void)memory, (void)address;
    return file_server_answer;
}
