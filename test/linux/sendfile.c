/* SPDX-License-Identifier: MIT */
/* sendfile and copy_file_range: offsets, ends, to pipes, wrong fds; splice and tee. */
#include "try.h"
#include <sys/sendfile.h>

int main(void)
{
    char text[32] = "";
    off_t offset = 2;
    loff_t from = 0, to = 0;
    int in, out, ends[2], other[2];

    put("in", "0123456789");
    in = open("in", O_RDONLY);
    out = open("out", O_RDWR | O_CREAT, 0644);
    TRY(sendfile(out, in, NULL, 4));
    TRY(lseek(in, 0, SEEK_CUR));
    TRY(sendfile(out, in, &offset, 100));
    VAL(offset);
    TRY(lseek(in, 0, SEEK_CUR));
    show_file("out");
    TRY(sendfile(out, in, &offset, 100));
    pipe(ends);
    offset = 0;
    TRY(sendfile(ends[1], in, &offset, 5));
    TRY(read(ends[0], text, sizeof text));
    STR(text);
    TRY(sendfile(out, ends[0], NULL, 5));
    TRY(sendfile(in, out, NULL, 5));
    TRY(sendfile(99, in, NULL, 5));
    TRY(sendfile(out, 99, NULL, 5));
    TRY(SYS(sendfile, out, in, BAD, 5));
    offset = -1;
    TRY(sendfile(out, in, &offset, 5));
    TRY(ftruncate(out, 0));
    TRY(SYS(copy_file_range, in, &from, out, &to, 6, 0));
    VAL(from);
    VAL(to);
    show_file("out");
    from = 100;
    TRY(SYS(copy_file_range, in, &from, out, &to, 6, 0));
    TRY(SYS(copy_file_range, in, NULL, out, NULL, 6, 1));
    TRY(SYS(copy_file_range, ends[0], NULL, out, NULL, 6, 0));
    TRY(SYS(copy_file_range, out, NULL, in, NULL, 6, 0));
    from = to = 0;
    TRY(SYS(copy_file_range, out, &from, out, &to, 4, 0));
    TRY(SYS(copy_file_range, 99, NULL, out, NULL, 6, 0));
    from = 1;
    TRY(splice(in, &from, ends[1], NULL, 3, 0));
    TRY(read(ends[0], text, sizeof text));
    TRY(splice(in, NULL, out, NULL, 3, 0));
    TRY(splice(ends[0], &from, out, NULL, 3, 0));
    TRY(splice(99, NULL, ends[1], NULL, 3, 0));
    pipe(other);
    TRY(write(ends[1], "tee", 3));
    TRY(tee(ends[0], other[1], 10, 0));
    TRY(read(ends[0], text, sizeof text));
    TRY(read(other[0], text, sizeof text));
    TRY(tee(in, other[1], 10, 0));
    return 0;
}
