/* SPDX-License-Identifier: MIT */
/* O_PATH: an fd that only names a file; what it refuses, what it is good for. */
#include "try.h"

int main(void)
{
    char text[16] = "";
    struct stat s;
    int file, folder, link;

    put("file", "text"), chmod("file", 0);
    mkdir("folder", 0755), put("folder/in", "in");
    symlink("file", "link");
    file = open("file", O_PATH);
    IS(file >= 0);
    TRY(read(file, text, 4));
    TRY(write(file, text, 4));
    TRY(lseek(file, 0, SEEK_SET));
    TRY(ftruncate(file, 0));
    TRY(SYS(fchmod, file, 0644));
    TRY(SYS(fchown, file, 0, 0));
    TRY(fstat(file, &s));
    VAL(s.st_size);
    IS((fcntl(file, F_GETFL) & O_PATH) != 0);
    TRY(fcntl(file, F_SETFL, 0));
    IS(dup(file) > file);
    PTR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0));
    TRY(openat(file, "x", O_RDONLY));
    folder = open("folder", O_PATH | O_DIRECTORY);
    IS(openat(folder, "in", O_RDONLY) > folder);
    TRY(SYS(getdents64, folder, text, sizeof text));
    TRY(fchdir(folder));
    TRY(access("in", F_OK));
    TRY(chdir(".."));
    link = open("link", O_PATH | O_NOFOLLOW);
    IS(link >= 0);
    TRY(fstat(link, &s));
    IS(S_ISLNK(s.st_mode));
    TRY(readlinkat(link, "", text, sizeof text));
    STR(text);
    TRY(open("missing", O_PATH));
    TRY(open("file", O_PATH | O_DIRECTORY));
    TRY(open("missing", O_PATH | O_CREAT, 0644));
    return 0;
}
