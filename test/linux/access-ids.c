/* SPDX-License-Identifier: MIT */
/* access asks for the real ids, faccessat with AT_EACCESS for the effective ones; errors. */
#include "try.h"

static void mixed(void)
{
    TRY(setresuid(1000, 0, 0)); // real user, effective root
    TRY(access("secret", R_OK));
    TRY(SYS(faccessat2, AT_FDCWD, "secret", R_OK, AT_EACCESS));
    TRY(open("secret", O_RDONLY));
    TRY(access("everyone", R_OK | W_OK));
    TRY(access("everyone", X_OK));
    TRY(access("program", X_OK));
}

int main(void)
{
    int fd;

    chmod(".", 0755);
    put("secret", ""), chmod("secret", 0600);
    put("everyone", ""), chmod("everyone", 0666);
    put("program", ""), chmod("program", 0755);
    put("plain", ""), chmod("plain", 0);
    symlink("missing", "dangling");
    TRY(access("plain", R_OK | W_OK));
    TRY(access("plain", X_OK));
    TRY(access("program", X_OK));
    TRY(access("missing", F_OK));
    TRY(access("dangling", F_OK));
    TRY(SYS(faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
    TRY(access("plain", 8));
    TRY(access("plain/x", F_OK));
    TRY(access("", F_OK));
    TRY(access(BAD, F_OK));
    fd = open("plain", O_RDONLY);
    TRY(SYS(faccessat2, fd, "", R_OK, AT_EMPTY_PATH));
    TRY(SYS(faccessat2, AT_FDCWD, "plain", R_OK, 0x8));
    TRY(SYS(faccessat, 99, "plain", R_OK));
    CHILD(mixed);
    return 0;
}
