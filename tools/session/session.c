/* SPDX-License-Identifier: MIT */
/*
 * session: types at a program as a person at a terminal would, and looks at what it shows.
 *
 *     session SCRIPT COMMAND…
 *
 * The command gets a new terminal. Each line of the script is one step:
 *     size ROWS COLUMNS     the terminal's size, also while the command runs
 *     type TEXT             types it; \r \e \\ and \xNN are characters
 *     see TEXT              waits until it is shown (since the last `type`)
 *     wait MS               lets time pass
 *     end STATUS            waits for the command's end
 * Prints a line for each `see` and `end` and exits with 0 if all came true; 1 if not; 2: wrong use.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define SHOWN_MAX (1 << 20)

static char shown[SHOWN_MAX];
static size_t shown_length;
static int terminal;
static pid_t child;

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Takes what is shown for at most that long; 0 when the terminal is closed. */
static int look(long ms)
{
    struct pollfd p = { terminal, POLLIN, 0 };
    if (poll(&p, 1, (int)ms) <= 0)
        return 1;
    ssize_t n = read(terminal, shown + shown_length, sizeof shown - 1 - shown_length);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    shown_length += (size_t)n;
    shown[shown_length] = 0;
    return shown_length < sizeof shown - 1;
}

static void pass(long ms)
{
    for (long end = now_ms() + ms; now_ms() < end;)
        if (!look(end - now_ms() > 50 ? 50 : 1))
            usleep(10000);
}

static size_t unescape(const char *from, char *to)
{
    size_t n = 0;
    for (; *from; from++) {
        if (*from != '\\') {
            to[n++] = *from;
            continue;
        }
        switch (*++from) {
        case 'r': to[n++] = '\r'; break;
        case 'e': to[n++] = 27; break;
        case 'x': {
            char hex[3] = { from[1], from[1] ? from[2] : 0, 0 };
            to[n++] = (char)strtol(hex, 0, 16);
            from += strlen(hex);
            break;
        }
        default: to[n++] = *from;
        }
    }
    return n;
}

static int see(const char *text)
{
    long end = now_ms() + PATIENCE_MS;
    while (!strstr(shown, text) && now_ms() < end)
        if (!look(200))
            break;
    int found = strstr(shown, text) != 0;
    printf("%s \"%s\"\n", found ? "saw" : "did not see", text);
    if (!found)
        printf("shown: %s\n", shown);
    return found;
}

static int ended(int wanted)
{
    int status = 0;
    for (long end = now_ms() + PATIENCE_MS; now_ms() < end; look(50)) {
        if (waitpid(child, &status, WNOHANG) != child)
            continue;
        child = 0;
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        printf("ended with %d\n", code);
        return code == wanted;
    }
    printf("did not end\n");
    return 0;
}

static int step(char *line)
{
    char text[1024];
    struct winsize w = { 24, 80, 0, 0 };
    char *rest = strchr(line, ' ');
    rest = rest ? rest + 1 : line + strlen(line);
    if (!strncmp(line, "size ", 5) && sscanf(rest, "%hu %hu", &w.ws_row, &w.ws_col) == 2)
        return ioctl(terminal, TIOCSWINSZ, &w) == 0;
    if (!strncmp(line, "type ", 5) && strlen(rest) < sizeof text) {
        size_t n = unescape(rest, text);
        shown_length = 0;
        shown[0] = 0;
        return write(terminal, text, n) == (ssize_t)n;
    }
    if (!strncmp(line, "see ", 4))
        return see(rest);
    if (!strncmp(line, "wait ", 5)) {
        pass(atol(rest));
        return 1;
    }
    if (!strncmp(line, "end ", 4))
        return ended(atoi(rest));
    fprintf(stderr, "session: no such step: %s\n", line);
    return 0;
}

int main(int argc, char **argv)
{
    char line[1024];
    FILE *script = argc > 2 ? fopen(argv[1], "re") : 0;
    if (!script) {
        fprintf(stderr, "usage: session SCRIPT COMMAND…\n");
        return 2;
    }
    child = forkpty(&terminal, 0, 0, 0);
    if (child < 0) {
        perror("session: no terminal");
        fclose(script);
        return 2;
    }
    if (!child) {
        fclose(script);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int good = 1;
    while (good && fgets(line, sizeof line, script)) {
        line[strcspn(line, "\n")] = 0;
        if (*line && *line != '#')
            good = step(line);
    }
    fclose(script);
    if (child) {
        kill(child, SIGTERM);
        waitpid(child, 0, 0);
    }
    return !good;
}
