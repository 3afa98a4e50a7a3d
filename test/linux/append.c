/* SPDX-License-Identifier: MIT */
/* O_APPEND: each write lands at the end, whatever the position; several writers lose nothing. */
#include "try.h"

int main(void)
{
    struct stat s;
    char text[8];
    int fd, status, counts[3] = {0};
    FILE *file;

    put("file", "start ");
    fd = open("file", O_RDWR | O_APPEND);
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(write(fd, "one", 3));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(read(fd, text, 5));
    TRY(write(fd, "two", 3));
    TRY(pwrite(fd, "P", 1, 0)); // Linux appends here, against POSIX
    show_file("file");
    IS(fcntl(fd, F_GETFL) & O_APPEND);
    TRY(fcntl(fd, F_SETFL, 0));
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(write(fd, "S", 1));
    show_file("file");
    TRY(fcntl(fd, F_SETFL, O_APPEND));
    TRY(write(fd, ".", 1));
    show_file("file");
    TRY(open("missing", O_WRONLY | O_APPEND));
    TRY(open(".", O_WRONLY | O_APPEND));
    for (int child = 0; child < 3; child++)
        if (fork() == 0) {
            fd = open("many", O_WRONLY | O_APPEND | O_CREAT, 0644);
            for (int i = 0; i < 100; i++) {
                char line[4] = {(char)('a' + child), '-', '-', '\n'};

                if (write(fd, line, 4) != 4)
                    _exit(1);
            }
            _exit(0);
        }
    while (wait(&status) > 0)
        show_status("writer", status);
    TRY(stat("many", &s));
    VAL(s.st_size);
    file = fopen("many", "r");
    while (fgets(text, sizeof text, file))
        if (strcmp(text + 1, "--\n") == 0 && text[0] >= 'a' && text[0] < 'd')
            counts[text[0] - 'a']++;
    say("whole lines: %d %d %d", counts[0], counts[1], counts[2]);
    return 0;
}
