/* SPDX-License-Identifier: MIT */
/* readv, writev, preadv, pwritev: gathering, scattering, counts, bad vectors. */
#include "try.h"
#include <sys/uio.h>

int main(void)
{
    char a[4] = "", b[4] = "", c[20] = "";
    struct iovec out[3] = {{"one", 3}, {"", 0}, {"two!", 4}};
    struct iovec in[3] = {{a, 2}, {b, 3}, {c, 19}};
    struct iovec bad[2] = {{"ok", 2}, {BAD, 4}};
    struct iovec huge[2] = {{a, SSIZE_MAX}, {b, 4}};
    int ends[2], fd = open("file", O_RDWR | O_CREAT, 0644);

    TRY(writev(fd, out, 3));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(preadv(fd, in, 3, 0));
    STR(a);
    STR(b);
    STR(c);
    TRY(pwritev(fd, out, 3, 7));
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(readv(fd, in, 2));
    TRY(lseek(fd, 0, SEEK_CUR));
    show_file("file");
    TRY(writev(fd, out, 0));
    TRY(SYS(writev, fd, out, -1));
    TRY(SYS(writev, fd, out, 1025));
    TRY(SYS(writev, fd, BAD, 1));
    TRY(writev(fd, bad, 2));
    TRY(writev(fd, bad + 1, 1));
    TRY(readv(fd, bad + 1, 1));
    TRY(readv(fd, huge, 2));
    TRY(preadv(fd, in, 3, -1));
    TRY(readv(99, in, 1));
    pipe(ends);
    TRY(writev(ends[1], out, 3));
    TRY(readv(ends[0], in, 3));
    TRY(preadv(ends[0], in, 1, 0));
    TRY(pwritev(ends[1], out, 1, 0));
    TRY(pread(ends[0], a, 1, 0));
    TRY(writev(ends[0], out, 1));
    TRY(SYS(preadv2, fd, in, 1, 0, 0, 0));
    TRY(SYS(preadv2, fd, in, 1, 0, 0, 0x1000));
    TRY(SYS(pwritev2, fd, out, 1, 0, 0, 0));
    return 0;
}
