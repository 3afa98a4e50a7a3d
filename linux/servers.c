/* SPDX-License-Identifier: MIT */
/*
 * The supervisor as files: /proc/pith/servers lists the components, /proc/pith/log has the last
 * lines that they logged, and a line written to /dev/pith says what to do: "kill NAME",
 * "restart NAME" or "replace NAME BINARY" (a program of the boot archive). Only processes that
 * hold the supervisor's gate can.
 */
#include "layer.h"
#include <proto/supervisor_client.h>

#define WORDS_MAX 3u
#define LINE_MAX 128u

size_t servers_text(char *to, size_t size)
{
    size_t n = 0;
    if (supervisor_list(SLOT_SUPERVISOR, to, size, &n))
        return 0;
    return n;
}

size_t servers_log(char *to, size_t size)
{
    size_t n = 0, most = size < SUPERVISOR_TEXT_MAX ? size : SUPERVISOR_TEXT_MAX;
    if (supervisor_log(SLOT_SUPERVISOR, to, most, &n))
        return 0;
    return n;
}

int64_t servers_command(uint64_t from, size_t bytes)
{
    char line[LINE_MAX], *word[WORDS_MAX];
    unsigned words = 0;
    if (bytes >= sizeof line)
        return -EINVAL;
    if (!user_read(line, from, bytes))
        return -EFAULT;
    line[bytes] = 0;
    for (char *c = line; *c;) {
        c += strspn(c, " \n\t");
        if (!*c)
            break;
        if (words == WORDS_MAX)
            return -EINVAL;
        word[words++] = c;
        c += strcspn(c, " \n\t");
        if (*c)
            *c++ = 0;
    }
    int64_t status = -1;
    if (words == 2 && (!strcmp(word[0], "kill") || !strcmp(word[0], "restart")))
        status = supervisor_kill(SLOT_SUPERVISOR, word[1], strlen(word[1]));
    else if (words == 3 && !strcmp(word[0], "replace"))
        status = supervisor_replace(SLOT_SUPERVISOR, word[1], strlen(word[1]), word[2],
                                    strlen(word[2]));
    else
        return -EINVAL;
    if (status == -E_CAP)
        return -EPERM;
    return status ? errno_of(status) : (int64_t)bytes;
}
