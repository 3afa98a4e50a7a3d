/* SPDX-License-Identifier: MIT */
/* stat, lstat, fstat, fstatat: kinds, sizes, inode identity, empty paths, errors. */
#include "try.h"

static const char *kind(mode_t mode)
{
    return S_ISREG(mode)    ? "file"
           : S_ISDIR(mode)  ? "folder"
           : S_ISLNK(mode)  ? "link"
           : S_ISFIFO(mode) ? "fifo"
           : S_ISCHR(mode)  ? "character device"
           : S_ISBLK(mode)  ? "block device"
                            : "?";
}

int main(void)
{
    struct stat s, t;
    int fd, ends[2];

    put("file", "12345");
    symlink("file", "link");
    mkfifo("fifo", 0600);
    TRY(stat("file", &s));
    STR(kind(s.st_mode));
    VAL(s.st_size);
    VAL(s.st_nlink);
    VAL(s.st_uid);
    VAL(s.st_gid);
    VAL(s.st_blksize);
    VAL(s.st_rdev);
    TRY(stat("link", &t));
    IS(s.st_ino == t.st_ino && s.st_dev == t.st_dev);
    TRY(lstat("link", &t));
    IS(s.st_ino == t.st_ino);
    STR(kind(t.st_mode));
    fd = open("file", O_RDONLY);
    TRY(fstat(fd, &t));
    IS(s.st_ino == t.st_ino);
    TRY(fstatat(fd, "", &t, AT_EMPTY_PATH));
    IS(s.st_ino == t.st_ino);
    TRY(fstatat(fd, "", &t, 0));
    TRY(fstatat(fd, "x", &t, 0));
    TRY(fstatat(99, "x", &t, 0));
    TRY(fstatat(99, "/", &t, 0));
    TRY(fstatat(AT_FDCWD, "file", &t, 0x8000));
    TRY(stat("fifo", &t));
    STR(kind(t.st_mode));
    TRY(stat("/dev/null", &t));
    STR(kind(t.st_mode));
    VAL(t.st_rdev);
    TRY(stat(".", &t));
    STR(kind(t.st_mode));
    TRY(stat("/", &s));
    TRY(stat("/..", &t));
    IS(s.st_ino == t.st_ino);
    pipe(ends);
    TRY(fstat(ends[0], &t));
    STR(kind(t.st_mode));
    VAL(t.st_size);
    TRY(stat("missing", &t));
    TRY(stat("file/x", &t));
    TRY(stat("", &t));
    TRY(stat(BAD, &t));
    TRY(SYS(stat, "file", BAD));
    TRY(fstat(-1, &t));
    return 0;
}
