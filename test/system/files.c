/* SPDX-License-Identifier: MIT */
/*
 * files: a workload on the file server that checks every answer, meant to run while servers
 * are killed. It makes directories, writes, reads back, renames, links and removes, and
 * ends with PASS only if no byte and no error was unexpected.
 */
#include <proto/file_client.h>
#include <rt/component.h>
#include <rt/format.h>
#include <rt/string.h>

#define ROUNDS 40u
#define CHUNK 4096u
#define CHUNKS 24u

static uint32_t root;
static uint64_t wrong, calls;

#define EXPECT(call, want)                                                                   \
    do {                                                                                     \
        int64_t got_ = (call);                                                               \
        calls++;                                                                             \
        if (got_ != (want) && wrong++ < 10)                                                  \
            rt_log("%s: %ld, not %ld (line %u)", #call, got_, (int64_t)(want), __LINE__);    \
    } while (0)

static void pattern(uint8_t *to, uint64_t seed)
{
    for (unsigned i = 0; i < CHUNK; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        to[i] = (uint8_t)(seed >> 56);
    }
}

static int64_t create(const char *path, uint32_t flags, uint32_t *file)
{
    uint8_t walk;
    uint16_t walked;
    bool created;
    struct file_attributes a;
    size_t length = 0;
    return file_create(
        root, 0, path, strlen(path), flags, 0644, &walk, &walked, &created, &a, 0, &length, file);
}

static int64_t open(const char *path, uint32_t flags, uint32_t *file, struct file_attributes *a)
{
    uint8_t walk;
    uint16_t walked;
    size_t length = 0;
    return file_open(root, 0, path, strlen(path), flags, &walk, &walked, a, 0, &length, file);
}

static int64_t look(const char *path, struct file_attributes *a)
{
    uint8_t walk;
    uint16_t walked;
    size_t length = 0;
    return file_look(
        root, 0, path, strlen(path), FILE_LOOK_NO_FOLLOW, &walk, &walked, a, 0, &length);
}

static int64_t make(const char *path, uint32_t mode)
{
    uint8_t walk;
    uint16_t walked;
    char target[256];
    size_t length = 0;
    return file_make(
        root, 0, path, strlen(path), mode, 0, &walk, &walked, target, sizeof target, &length);
}

static int64_t remove_name(const char *path, uint32_t flags)
{
    uint8_t walk;
    uint16_t walked;
    char target[256];
    size_t length = 0;
    return file_unlink(
        root, 0, path, strlen(path), flags, &walk, &walked, target, sizeof target, &length);
}

static int64_t rename(const char *from, const char *to)
{
    return file_rename(root, root, 0, from, strlen(from), to, strlen(to), 0);
}

/* Keeps a capability that came with a reply: out of the receive slots. */
static uint32_t keep(uint32_t slot, uint32_t to)
{
    struct pith_result r;
    pith_cap_delete(SPACE_SELF, to);
    do
        r = pith_cap_copy(slot, SPACE_SELF, to, RIGHT_ALL);
    while (r.status == -E_AGAIN);
    if (r.status)
        rt_log("keep: %ld", r.status);
    pith_cap_delete(SPACE_SELF, slot);
    return to;
}

static uint8_t buffer[CHUNK], expected[CHUNK];

static void write_and_read(unsigned round)
{
    char name[64], other[64];
    uint32_t file = 0;
    struct file_attributes a;
    snprintf(name, sizeof name, "tree/file-%u", round);
    snprintf(other, sizeof other, "tree/renamed-%u", round);
    EXPECT(create(name, FILE_OPEN_READ | FILE_OPEN_WRITE | FILE_OPEN_EXCLUSIVE, &file), 0);
    file = keep(file, 300);
    for (unsigned i = 0; i < CHUNKS; i++) {
        uint32_t written = 0;
        uint64_t end = 0;
        pattern(buffer, round * 1000 + i);
        EXPECT(file_write(file, FILE_SHARED_POSITION, 0, buffer, CHUNK, &written, &end), 0);
        EXPECT(written, CHUNK);
        EXPECT((int64_t)end, (int64_t)(i + 1) * CHUNK);
    }
    EXPECT(create(name, FILE_OPEN_READ | FILE_OPEN_EXCLUSIVE, &file), FILE_ERROR_EXIST);
    EXPECT(rename(name, other), 0);
    EXPECT(look(name, &a), FILE_ERROR_NOENT);
    EXPECT(look(other, &a), 0);
    EXPECT((int64_t)a.size, (int64_t)CHUNKS * CHUNK);
    file = 300;
    for (unsigned i = 0; i < CHUNKS; i++) {
        size_t length = 0;
        pattern(expected, round * 1000 + i);
        memset(buffer, 0, CHUNK);
        EXPECT(file_read(file, i * CHUNK, buffer, CHUNK, &length), 0);
        EXPECT((int64_t)length, CHUNK);
        EXPECT(memcmp(buffer, expected, CHUNK), 0);
    }
    pith_cap_delete(SPACE_SELF, 300);
    uint32_t again = 0;
    EXPECT(open(other, FILE_OPEN_READ, &again, &a), 0);
    keep(again, 301);
    EXPECT(file_symlink(root, 0, other + 5, strlen(other + 5), "tree/link", 9), 0);
    EXPECT(open("tree/link", FILE_OPEN_READ, &again, &a), 0);
    keep(again, 302);
    pith_cap_delete(SPACE_SELF, 302);
    EXPECT(remove_name("tree/link", 0), 0);
    EXPECT(remove_name(other, 0), 0);
    EXPECT(look(other, &a), FILE_ERROR_NOENT);
    size_t length = 0;
    EXPECT(file_read(301, 0, buffer, CHUNK, &length), 0); /* unlinked but open */
    EXPECT((int64_t)length, CHUNK);
    pith_cap_delete(SPACE_SELF, 301);
}

/* ---- who may: straight at the server, as a process could whose layer does what it wants ------ */

enum { STRANGER = 303, FOLDER = 304, OPENED = 305 };

static int64_t create_at(uint32_t gate, uint32_t at, const char *path, uint16_t mode)
{
    uint8_t walk;
    uint16_t walked;
    bool created;
    struct file_attributes a;
    size_t length = 0;
    uint32_t file = 0;
    int64_t status = file_create(gate, at, path, strlen(path), FILE_OPEN_WRITE, mode, &walk,
        &walked, &created, &a, 0, &length, &file);
    if (!status)
        keep(file, OPENED);
    return status;
}

static int64_t open_at(uint32_t gate, uint32_t at, const char *path, uint32_t flags)
{
    uint8_t walk;
    uint16_t walked;
    struct file_attributes a;
    size_t length = 0;
    uint32_t file = 0;
    int64_t status =
        file_open(gate, at, path, strlen(path), flags, &walk, &walked, &a, 0, &length, &file);
    if (!status)
        keep(file, OPENED);
    return status;
}

static int64_t change_mode(uint32_t gate, uint32_t at, const char *path)
{
    const struct file_changes c = {.mode = 0777, .what = FILE_CHANGE_MODE};
    uint8_t walk;
    uint16_t walked;
    char target[8];
    size_t length = 0;
    return file_set_attributes(
        gate, at, &c, path, strlen(path), &walk, &walked, target, sizeof target, &length);
}

static void stranger(void)
{
    uint32_t session = 0;
    char path[64];
    size_t length = 0;
    EXPECT(create_at(root, 0, "tree/secret", 0600), 0);
    EXPECT(create_at(root, 0, "tree/open", 0644), 0);
    EXPECT(file_session(root, 0, 1000, 100, 1000, 100, "abc", 3, &session), FILE_ERROR_INVAL);
    EXPECT(file_session(root, 0, 1000, 100, 1000, 100, "", 0, &session), 0);
    keep(session, STRANGER);
    EXPECT(open_at(STRANGER, 0, "tree/open", FILE_OPEN_READ), 0);
    EXPECT(open_at(STRANGER, 0, "tree/open", FILE_OPEN_WRITE), FILE_ERROR_ACCES);
    EXPECT(open_at(STRANGER, 0, "tree/secret", FILE_OPEN_READ), FILE_ERROR_ACCES);
    EXPECT(create_at(STRANGER, 0, "tree/new", 0644), FILE_ERROR_ACCES);
    EXPECT(change_mode(STRANGER, 0, "tree/open"), FILE_ERROR_PERM);
    EXPECT(file_session(STRANGER, 0, 0, 0, 0, 0, "", 0, &session), FILE_ERROR_PERM);
    /* A folder that the super-user has opened gives a stranger who holds it nothing more. */
    EXPECT(open_at(root, 0, "tree", FILE_OPEN_READ | FILE_OPEN_DIRECTORY), 0);
    keep(OPENED, FOLDER);
    EXPECT(open_at(FOLDER, 0, "open", FILE_OPEN_READ), 0);
    EXPECT(open_at(FOLDER, 0, "secret", FILE_OPEN_READ), FILE_ERROR_ACCES);
    EXPECT(open_at(FOLDER, 0, "../tree/open", FILE_OPEN_READ), FILE_ERROR_ACCES);
    EXPECT(create_at(FOLDER, 0, "new", 0644), FILE_ERROR_ACCES);
    EXPECT(change_mode(FOLDER, 0, ""), FILE_ERROR_ACCES);
    EXPECT(file_session(FOLDER, 0, 0, 0, 0, 0, "", 0, &session), FILE_ERROR_PERM);
    EXPECT(open_at(STRANGER, FOLDER, "secret", FILE_OPEN_READ), FILE_ERROR_ACCES);
    EXPECT(change_mode(STRANGER, FOLDER, ""), FILE_ERROR_PERM);
    EXPECT(open_at(root, FOLDER, "secret", FILE_OPEN_READ), 0);
    EXPECT(file_locate(root, FOLDER, path, sizeof path, &length), 0);
    EXPECT((int64_t)length == 4 && !memcmp(path, "tree", 4), 1);
    EXPECT(open_at(root, rt_cap("debug-exit"), "open", FILE_OPEN_READ), FILE_ERROR_XDEV);
    for (uint32_t slot = STRANGER; slot <= OPENED; slot++)
        pith_cap_delete(SPACE_SELF, slot);
    EXPECT(remove_name("tree/secret", 0), 0);
    EXPECT(remove_name("tree/open", 0), 0);
}

void component_main(void)
{
    root = rt_cap("file");
    EXPECT(make("tree", 0040755), 0);
    EXPECT(make("tree", 0040755), FILE_ERROR_EXIST);
    for (unsigned round = 0; round < ROUNDS; round++)
        write_and_read(round);
    for (unsigned round = 0; round < ROUNDS; round++)
        stranger();
    EXPECT(remove_name("tree", 0), FILE_ERROR_ISDIR);
    EXPECT(remove_name("tree", FILE_UNLINK_DIRECTORY), 0);
    rt_log("%lu calls, %lu unexpected", calls, wrong);
    rt_log("%s", wrong ? "FAIL files: unexpected answers" : "PASS files");
    pith_io_out(rt_cap("debug-exit"), 0, 1, wrong ? 1 : 0);
}
