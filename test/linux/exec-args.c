/* SPDX-License-Identifier: MIT */
/* execve: arguments and environment, sizes, E2BIG, empty and missing vectors, many arguments. */
#include "try.h"

static char *arguments[20001];

static void run(char **argv, char **environment)
{
    pid_t pid = fork();

    if (pid == 0) {
        SYS(execve, "/proc/self/exe", argv, environment);
        say("execve = -1 %s", errno_name(errno));
        _exit(1);
    }
    reap("it", pid);
}

int main(int count, char **argv, char **environment)
{
    static char big[200000];
    int variables = 0;
    size_t bytes = 0;

    while (environment[variables])
        variables++;
    if (count != 1 || strcmp(argv[0], "start") != 0) {
        if (count > 0 && strstr(argv[0], "exec-args") && count == 1)
            goto start;
        for (int i = 0; i < count; i++)
            bytes += strlen(argv[i]) + 1;
        say("%d arguments, %d variables, %zu bytes, first \"%.20s\", last \"%.20s\"", count,
            variables, bytes, count ? argv[0] : "(none)", count ? argv[count - 1] : "(none)");
        return count & 63;
    }
start:
    memset(big, 'b', sizeof big - 1);
    run((char *[]){"a", "", "c d", NULL}, (char *[]){"X=1", "Y=", NULL});
    run((char *[]){"a", NULL}, (char *[]){NULL});
    run((char *[]){"no-environment", "x", NULL}, NULL);
    for (int i = 0; i < 20000; i++)
        arguments[i] = "argument";
    run(arguments, (char *[]){NULL});
    big[131071] = 0; // the longest that one may be
    run((char *[]){"big", big, NULL}, (char *[]){NULL});
    big[131071] = 'b', big[131072] = 0;
    run((char *[]){"too-big", big, NULL}, (char *[]){NULL});
    run((char *[]){"e", NULL}, (char *[]){big, NULL});
    big[131072] = 'b', big[100000] = 0;
    for (int i = 0; i < 40; i++)
        arguments[i] = big;
    arguments[40] = NULL;
    run(arguments, (char *[]){NULL});
    run((char *[]){(char *)BAD, NULL}, (char *[]){NULL});
    run(BAD, (char *[]){NULL});
    run((char *[]){"x", NULL}, BAD);
    return 0;
}
