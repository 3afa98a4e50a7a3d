/* SPDX-License-Identifier: MIT */
/* Extended attributes on tmpfs: the calls answer, user attributes are not supported; errors. */
#include "try.h"
#include <sys/xattr.h>

int main(void)
{
    char text[64];
    int fd;

    put("file", "x");
    fd = open("file", O_RDWR);
    TRY(setxattr("file", "user.name", "v", 1, 0));
    TRY(getxattr("file", "user.name", text, sizeof text));
    TRY(lgetxattr("file", "user.name", text, sizeof text));
    TRY(fgetxattr(fd, "user.name", text, sizeof text));
    TRY(removexattr("file", "user.name"));
    TRY(fsetxattr(fd, "user.name", "v", 1, 0));
    TRY(listxattr("file", text, sizeof text));
    TRY(flistxattr(fd, text, sizeof text));
    TRY(llistxattr("file", NULL, 0));
    TRY(getxattr("missing", "user.name", text, sizeof text));
    TRY(getxattr("file", "strange.name", text, sizeof text));
    TRY(setxattr("file", "strange.name", "v", 1, 0));
    TRY(setxattr("file", "user.name", "v", 1, 8));
    TRY(setxattr("file", "", "v", 1, 0));
    TRY(fgetxattr(99, "user.name", text, sizeof text));
    TRY(listxattr("missing", text, sizeof text));
    TRY(flistxattr(99, text, sizeof text));
    TRY(getxattr(BAD, "user.name", text, sizeof text));
    return 0;
}
