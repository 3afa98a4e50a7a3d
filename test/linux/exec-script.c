/* SPDX-License-Identifier: MIT */
/* Scripts: #! with and without an argument, nested, missing interpreters, long lines, loops. */
#include "try.h"

static void script(const char *path, const char *text)
{
    put(path, text);
    chmod(path, 0755);
}

static void run(const char *path)
{
    pid_t pid = fork();

    if (pid == 0) {
        execl(path, "name", "one", "two words", NULL);
        say("%s: %s", path, errno_name(errno));
        _exit(1);
    }
    reap(path, pid);
}

int main(int count, char **arguments)
{
    static char line[400];

    if (strcmp(arguments[0], "/tmp/exec-script-link") == 0) {
        for (int i = 1; i < count; i++)
            say("  argument %d: %s", i, arguments[i]);
        return count;
    }
    ssize_t length = readlink("/proc/self/exe", line, sizeof line - 1);

    line[length > 0 ? length : 0] = 0;
    unlink("/tmp/exec-script-link");
    TRY(symlink(line, "/tmp/exec-script-link"));
    script("plain", "#!/tmp/exec-script-link\nrest\n");
    script("argument", "#!/tmp/exec-script-link  -x y  \nrest\n");
    script("blank", "#! \t/tmp/exec-script-link\n");
    script("no-newline", "#!/tmp/exec-script-link -e");
    script("nothing", "#!\n");
    script("spaces", "#!   \n");
    script("missing", "#!/none/such\n");
    script("folder", "#!/tmp\n");
    script("outer", "#!./plain -o\n");
    script("loop", "#!./loop\n");
    script("shell", "#!/bin/sh\necho \"$0\" \"$@\"; exit 4\n");
    script("relative", "#!plain\n");
    snprintf(line, sizeof line, "#!/tmp/exec-script-link %0200d\n", 7);
    script("long", line);
    memset(line, 'x', 300);
    memcpy(line, "#!/", 3);
    strcpy(line + 300, "\n");
    script("too-long", line);
    run("./plain"), run("./argument"), run("./blank"), run("./no-newline"), run("./nothing");
    run("./spaces"), run("./missing"), run("./folder"), run("./outer"), run("./loop");
    run("./shell"), run("./relative"), run("./long"), run("./too-long");
    return 0;
}
