// SPDX-License-Identifier: MIT
/*
 * Protocol file through its stubs, and under random requests: the dispatcher lets nothing outside
 * the limits through to the server (file_server.c asserts) and touches nothing outside the grants.
 */
#include "../../../lib/rt/test/test.h"

#include <errno.h>
#include <string.h>

#include <rt/fuzz.h>

#include <proto/file_client.h>

#include "file_server.h"
#include "loopback.h"

enum { GATE = 5, FUZZ_ROUNDS = 300000, OUT_MAX = 2 << 20 };

extern const struct rpc_fuzz_protocol file_fuzz;

static void serve_file(uint64_t badge, struct msg *m)
{
    m->w[0] = file_dispatch(NULL, badge, m);
}

static void reset(void)
{
    memset(&loopback, 0, sizeof(loopback));
    loopback.serve = serve_file;
    file_server_answer = 0;
}

static void errors_are_errnos(void)
{
    CHECK(FILE_ERROR_NOENT == ENOENT && FILE_ERROR_IO == EIO && FILE_ERROR_LOOP == ELOOP);
    CHECK(FILE_ERROR_NAMETOOLONG == ENAMETOOLONG && FILE_ERROR_STALE == ESTALE);
    CHECK(FILE_ERROR_DQUOT == EDQUOT && FILE_ERROR_OPNOTSUPP == EOPNOTSUPP);
    CHECK(FILE_ERROR_PERM == EPERM && FILE_ERROR_NXIO == ENXIO && FILE_ERROR_BADF == EBADF);
    CHECK(FILE_ERROR_AGAIN == EAGAIN && FILE_ERROR_NOMEM == ENOMEM && FILE_ERROR_ACCES == EACCES);
    CHECK(FILE_ERROR_BUSY == EBUSY && FILE_ERROR_EXIST == EEXIST && FILE_ERROR_XDEV == EXDEV);
    CHECK(FILE_ERROR_NODEV == ENODEV && FILE_ERROR_NOTDIR == ENOTDIR && FILE_ERROR_ISDIR == EISDIR);
    CHECK(FILE_ERROR_INVAL == EINVAL && FILE_ERROR_MFILE == EMFILE && FILE_ERROR_TXTBSY == ETXTBSY);
    CHECK(FILE_ERROR_FBIG == EFBIG && FILE_ERROR_NOSPC == ENOSPC && FILE_ERROR_SPIPE == ESPIPE);
    CHECK(FILE_ERROR_ROFS == EROFS && FILE_ERROR_MLINK == EMLINK && FILE_ERROR_DEADLK == EDEADLK);
    CHECK(FILE_ERROR_NOTEMPTY == ENOTEMPTY && FILE_ERROR_OVERFLOW == EOVERFLOW);
}

static void open_brings_all(void)
{
    struct {
        struct file_attributes attributes;
        char content[FILE_INLINE_MAX];
    } out;
    uint8_t walk;
    uint16_t walked;
    uint32_t file = 0;
    size_t length;

    reset();
    CHECK(file_open(GATE, 0, "etc/passwd", 10, FILE_OPEN_READ, &walk, &walked, &out.attributes,
              sizeof(out.content), &length, &file) == 0);
    CHECK(walk == FILE_WALK_LINK && walked == 0x1234 && out.attributes.node == 77);
    CHECK(length == 21 && !strcmp(out.content, "some bytes of a file"));
    CHECK(loopback.reply_caps[0] == 9 && file == LOOPBACK_RECEIVE_SLOT);
    CHECK(loopback.transfer.in_len == 10 && !memcmp(loopback.transfer.in, "etc/passwd", 10));
    file_server_answer = FILE_ERROR_NOENT;
    CHECK(file_open(GATE, 0, "x", 1, FILE_OPEN_READ, &walk, &walked, &out.attributes, 0, &length,
              &file) == ENOENT);
    CHECK(file_open(GATE, 0, "x", 1, 1u << 31, &walk, &walked, &out.attributes, 0, &length,
              &file) == RPC_BAD_FIELD);
}

static void rename_joins_paths(void)
{
    char path[FILE_PATH_MAX + 1] = "";

    reset();
    CHECK(file_rename(GATE, 11, 12, "old", 3, "newer", 5, FILE_RENAME_EXCHANGE) == 0);
    CHECK(loopback.transfer.in_len == 8 && loopback.transfer.caps_in[0] == 11 &&
          loopback.transfer.caps_in[1] == 12);
    CHECK(
        file_rename(GATE, 11, 0, "old", 3, "newer", 5, 0) == 0 && loopback.transfer.n_caps_in == 1);
    CHECK(loopback.request.w[0] >> RPC_SEQUENCE_SHIFT);
    CHECK(file_rename(GATE, 11, 0, "old", 3, "", 0, 0) == RPC_BAD_FIELD);
    CHECK(file_rename(GATE, 11, 0, path, sizeof(path), "x", 1, 0) == RPC_BAD_FIELD);
    CHECK(file_rename(GATE, 11, 0, path, FILE_PATH_MAX, path, FILE_PATH_MAX, 0) == 0);
}

static void read_and_write(void)
{
    static char data[FILE_TRANSFER_MAX + 1];
    uint32_t written;
    uint64_t end;
    size_t length;

    reset();
    CHECK(file_read(GATE, 4096, data, sizeof(data), &length) == 0 && length == 21);
    CHECK(loopback.transfer.out_len == FILE_TRANSFER_MAX);
    CHECK(file_write(GATE, 100, FILE_WRITE_APPEND, data, 50, &written, &end) == 0);
    CHECK(written == 50 && end == 150);
    CHECK(file_write(GATE, 0, 0, data, sizeof(data), &written, &end) == RPC_BAD_FIELD);
    CHECK(file_seek(GATE, -3, FILE_WHENCE_END, &end) == 0 && end == (uint64_t)-3);
}

static uint32_t random_answer(const struct rpc_fuzz_request *request)
{
    if (!request->operation || !request->operation->error_count || test_below(2))
        return 0;
    return request->operation->errors[test_below(request->operation->error_count)];
}

static void random_requests(void)
{
    struct rpc_fuzz fuzz = {.protocol = &file_fuzz, .state = test_random()};
    static char in[8192], out[OUT_MAX];
    unsigned accepted = 0;

    reset();
    for (int round = 0; round < FUZZ_ROUNDS; round++) {
        struct rpc_fuzz_request request;
        struct msg m;
        struct xfer x = {.in = in, .out = out};

        rpc_fuzz_make(&fuzz, &request, in, sizeof(in));
        file_server_answer = random_answer(&request);
        memcpy(m.w, request.words, sizeof(m.w));
        x.in_len = request.in_bytes;
        x.out_len = request.out_bytes;
        for (x.n_caps_in = 0; x.n_caps_in < request.caps && x.n_caps_in < 4; x.n_caps_in++)
            x.caps_in[x.n_caps_in] = 50 + x.n_caps_in;
        rt_call_x(GATE, &m, &x);
        accepted += m.w[0] <= RPC_ERROR_MAX;
        CHECK(rpc_fuzz_is_stated(&request, m.w[0]), "operation %llx answered %llx",
            (unsigned long long)request.words[0], (unsigned long long)m.w[0]);
    }
    CHECK(accepted > FUZZ_ROUNDS / 3, "only %u accepted", accepted);
}

int main(void)
{
    TEST(errors_are_errnos);
    TEST(open_brings_all);
    TEST(rename_joins_paths);
    TEST(read_and_write);
    TEST(random_requests);
    return test_result();
}
