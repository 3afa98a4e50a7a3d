/* SPDX-License-Identifier: MIT */
/* Socket calls on what is no socket, and with families that do not exist. */
#include "try.h"
#include <sys/socket.h>

int main(void)
{
    char text[16];
    socklen_t length = sizeof text;

    TRY(socket(99, SOCK_STREAM, 0));
    TRY(socket(-1, SOCK_STREAM, 0));
    TRY(SYS(bind, 1, text, 16));
    TRY(SYS(connect, 1, text, 16));
    TRY(listen(1, 5));
    TRY(SYS(accept, 1, NULL, NULL));
    TRY(SYS(sendto, 1, text, 1, 0, NULL, 0));
    TRY(SYS(recvfrom, 1, text, 1, 0, NULL, NULL));
    TRY(shutdown(1, SHUT_RD));
    TRY(getsockopt(1, SOL_SOCKET, SO_ERROR, text, &length));
    TRY(setsockopt(1, SOL_SOCKET, SO_REUSEADDR, text, 4));
    TRY(SYS(getsockname, 1, text, &length));
    TRY(SYS(getpeername, 1, text, &length));
    TRY(SYS(connect, 99, text, 16));
    TRY(listen(-1, 5));
    TRY(SYS(socketpair, 99, SOCK_STREAM, 0, text));
    return 0;
}
