/* SPDX-License-Identifier: MIT */
/* Paths: ENAMETOOLONG by name and by length, ENOTDIR, ENOENT, dots, slashes, odd bytes. */
#include "try.h"

int main(void)
{
    char name[300], path[5000];
    struct stat s;

    memset(name, 'n', sizeof name);
    name[255] = 0;
    TRY(open(name, O_CREAT | O_WRONLY, 0644));
    TRY(stat(name, &s));
    name[255] = 'n', name[256] = 0;
    TRY(open(name, O_CREAT | O_WRONLY, 0644));
    TRY(stat(name, &s));
    TRY(unlink(name));
    memset(path, '/', sizeof path);
    strcpy(path + 4093, ".");
    TRY(stat(path, &s));
    strcpy(path + 4094, ".");
    memset(path, '/', 4094);
    TRY(stat(path, &s));
    memset(path, '/', 4095);
    strcpy(path + 4095, ".");
    TRY(stat(path, &s));
    path[0] = 0;
    for (int i = 0; i < 1000; i++)
        strcat(path, "./");
    TRY(stat(path, &s));
    put("file", "x");
    TRY(mkdir("folder", 0755));
    TRY(stat("folder/", &s));
    TRY(stat("folder//.//", &s));
    TRY(stat("folder/../file", &s));
    TRY(stat("file/", &s));
    TRY(stat("file/.", &s));
    TRY(stat("file/..", &s));
    TRY(stat("missing/..", &s));
    TRY(stat("folder/..", &s));
    TRY(mkdir("folder/new/", 0755));
    TRY(stat("folder/new", &s));
    TRY(rmdir("folder/new/"));
    TRY(creat("with\nnewline", 0644));
    TRY(creat("\xff\xfe", 0644));
    TRY(creat(" ", 0644));
    TRY(access("\xff\xfe", F_OK));
    TRY(creat("..", 0644));
    TRY(creat("/", 0644));
    TRY(mkdir("..", 0755));
    TRY(unlink(".."));
    TRY(unlink("/"));
    TRY(rmdir(""));
    TRY(link("file", "folder"));
    TRY(symlink("x", "folder/"));
    return 0;
}
