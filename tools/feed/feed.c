/* SPDX-License-Identifier: MIT */
/*
 * feed: stdin to stdout for a serial line that cannot say "end of file". The byte 0xff is
 * sent twice; at the end of stdin 0xff 0x04 is sent, and then feed waits for its reader to
 * go away. drivers/console undoes it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define ESCAPE 0xff
#define END 4

static int put(const unsigned char *p, size_t n)
{
    while (n) {
        ssize_t done = write(1, p, n);
        if (done < 0 && errno != EINTR)
            return -1;
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

int main(void)
{
    static unsigned char in[4096], out[8192];
    struct pollfd p[2] = { { 0, POLLIN, 0 }, { 1, 0, 0 } };
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return 1;
        if (p[1].revents & (POLLERR | POLLHUP | POLLNVAL))
            return 0;
        if (p[0].fd < 0 || !p[0].revents)
            continue;
        ssize_t n = read(0, in, sizeof in);
        size_t m = 0;
        for (ssize_t i = 0; i < n; i++) {
            out[m++] = in[i];
            if (in[i] == ESCAPE)
                out[m++] = ESCAPE;
        }
        if (n <= 0) {
            out[m++] = ESCAPE;
            out[m++] = END;
            p[0].fd = -1; /* wait for the reader to end */
        }
        if (put(out, m))
            return 0;
    }
}
