// SPDX-License-Identifier: MIT
/*
 * testrun: runs one test program (an emulator, a host program, a script) and reports its tests.
 *
 *     testrun [OPTION VALUE]... COMMAND [ARG...]
 *       --name ID         put before each test's name: ID/NAME
 *       --log FILE        everything the command said
 *       --results FILE    one line a test is appended: "pass ID/NAME", "fail …", "skip …"
 *       --filter PREFIX   report only tests whose ID/NAME or NAME begins so (repeatable)
 *       --timeout S       the command's whole time
 *       --stall S         the longest time without a line from the command
 *       --status N        the status a good run ends with (0)
 *       --expect REGEX    do not read test lines: one test, called ID, which passes when
 *                         the status is N and a line matches
 *       --elf FILE        symbolise backtraces against this kernel
 *
 * The command says, a line each, between whatever else it prints:
 *     TEST name    PASS name    FAIL name: reason    SKIP name: reason    DONE
 * A test that was begun and never ended, a run without DONE and a wrong status are failures of
 * the running test. The exit status is 1 when a test failed, 2 on wrong use.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FILTERS = 64, LINE_BYTES = 4096, TAIL_LINES = 30, STATUS_TIMEOUT = 124 };

static struct {
    const char *name, *log, *results, *expect, *elf;
    const char *filters[MAX_FILTERS];
    int filter_count;
    double timeout_s, stall_s;
    int status;
    char **command;
} options = {.name = "", .log = "/dev/null", .results = "/dev/null"};

static FILE *log_file, *results_file;
static bool progress; // show the running test's name on the terminal
static char running[LINE_BYTES];
static char last[LINE_BYTES];
static bool done, matched;
static int failures, reported;
static regex_t expectation;

static void __attribute__((noreturn)) usage(const char *problem, const char *what)
{
    fprintf(stderr, "testrun: %s: %s\n", problem, what);
    exit(2);
}

static double number(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end)
        usage("not a number", text);
    return value;
}

static void option(const char *name, const char *value)
{
    if (strcmp(name, "--name") == 0)
        options.name = value;
    else if (strcmp(name, "--log") == 0)
        options.log = value;
    else if (strcmp(name, "--results") == 0)
        options.results = value;
    else if (strcmp(name, "--filter") == 0 && options.filter_count < MAX_FILTERS)
        options.filters[options.filter_count++] = value;
    else if (strcmp(name, "--timeout") == 0)
        options.timeout_s = number(value);
    else if (strcmp(name, "--stall") == 0)
        options.stall_s = number(value);
    else if (strcmp(name, "--status") == 0)
        options.status = (int)number(value);
    else if (strcmp(name, "--expect") == 0)
        options.expect = value;
    else if (strcmp(name, "--elf") == 0)
        options.elf = value;
    else
        usage("unknown option", name);
}

static void parse(char **arguments)
{
    for (; *arguments && strncmp(*arguments, "--", 2) == 0; arguments += 2) {
        if (!arguments[1])
            usage("lacks its value", *arguments);
        option(arguments[0], arguments[1]);
    }
    if (!*arguments)
        usage("wrong use", "no command");
    options.command = arguments;
    if (options.expect && regcomp(&expectation, options.expect, REG_EXTENDED | REG_NOSUB) != 0)
        usage("bad regular expression", options.expect);
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// ID is RING or RING/VARIANT: RING, RING/NAME, RING/VARIANT/NAME and NAME all select a test.
static bool is_wanted(const char *name)
{
    char id[2 * LINE_BYTES], ring[LINE_BYTES];
    size_t ring_bytes = strcspn(options.name, "/");

    snprintf(id, sizeof id, "%s/%s", options.name, name);
    snprintf(ring, sizeof ring, "%.*s", (int)ring_bytes, options.name);
    for (int i = 0; i < options.filter_count; i++) {
        const char *filter = options.filters[i];

        if (strcmp(filter, ring) == 0 || has_prefix(id, filter) || has_prefix(name, filter) ||
            has_prefix(strchr(id, '/') + 1, filter))
            return true;
        if (has_prefix(filter, ring) && filter[ring_bytes] == '/' &&
            has_prefix(name, filter + ring_bytes + 1))
            return true;
    }
    return options.filter_count == 0;
}

static void clear_progress(void)
{
    if (progress)
        fputs("\r\033[K", stdout);
}

// The last lines of the log, symbolised when there is a kernel to look addresses up in.
static void show_tail(void)
{
    char command[3 * LINE_BYTES];

    fflush(log_file);
    if (options.elf)
        snprintf(command, sizeof command,
            "tail -n %d '%s' | tools/symbolise '%s' | "
            "sed 's/^/    | /'",
            TAIL_LINES, options.log, options.elf);
    else
        snprintf(command, sizeof command, "tail -n %d '%s' | sed 's/^/    | /'", TAIL_LINES,
            options.log);
    fflush(stdout);
    if (system(command) != 0)
        puts("    (no log)");
    printf("    full log: %s\n", options.log);
}

static void report(const char *result, const char *word, const char *name, const char *reason)
{
    const char *slash = *name ? "/" : "";

    if (!is_wanted(name))
        return;
    reported++;
    clear_progress();
    printf("%s %s%s%s%s%s\n", word, options.name, slash, name, *reason ? ": " : "", reason);
    fprintf(results_file, "%s %s%s%s\n", result, options.name, slash, name);
    if (strcmp(result, "fail") == 0) {
        failures++;
        show_tail();
    }
    fflush(stdout);
}

static void report_failure(const char *name, const char *reason)
{
    report("fail", "FAIL", name, reason);
}

static void begin_test(const char *name)
{
    if (*running)
        report_failure(running, "did not say how it ended");
    snprintf(running, sizeof running, "%s", name);
    if (progress && is_wanted(name)) {
        printf("\r\033[K%s/%s ...", options.name, name);
        fflush(stdout);
    }
}

// `rest` is "name" or "name: reason".
static void end_test(const char *result, const char *word, char *rest)
{
    char *colon = strstr(rest, ": ");
    const char *reason = "";

    if (colon) {
        *colon = 0;
        reason = colon + 2;
    }
    snprintf(last, sizeof last, "%s", rest);
    *running = 0;
    report(result, word, rest, reason);
}

static void take_line(char *line)
{
    size_t length = strlen(line);

    if (length && line[length - 1] == '\r')
        line[--length] = 0;
    fprintf(log_file, "%s\n", line);
    if (options.expect) {
        matched |= regexec(&expectation, line, 0, NULL, 0) == 0;
        return;
    }
    if (has_prefix(line, "TEST "))
        begin_test(line + 5);
    else if (has_prefix(line, "PASS "))
        end_test("pass", "PASS", line + 5);
    else if (has_prefix(line, "FAIL "))
        end_test("fail", "FAIL", line + 5);
    else if (has_prefix(line, "SKIP "))
        end_test("skip", "SKIP", line + 5);
    else if (strcmp(line, "DONE") == 0)
        done = true;
}

// Splits what arrives into lines; a longer line than the buffer is cut in two.
static void take_bytes(const char *bytes, size_t count)
{
    static char line[LINE_BYTES];
    static size_t length;

    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n' || length == sizeof line - 1) {
            line[length] = 0;
            take_line(line);
            length = 0;
        }
        if (bytes[i] != '\n')
            line[length++] = bytes[i] ? bytes[i] : '?';
    }
    if (count == 0 && length) {
        line[length] = 0;
        take_line(line);
        length = 0;
    }
}

static volatile pid_t running_child;

// Whoever ends testrun ends what it runs.
static void stop(int number)
{
    if (running_child > 0)
        kill(-running_child, SIGTERM);
    _exit(128 + number);
}

static pid_t start(int *output)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        usage("pipe", strerror(errno));
    child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        signal(SIGPIPE, SIG_DFL), signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL), signal(SIGHUP, SIG_DFL);
        setpgid(0, 0);
        execvp(options.command[0], options.command);
        fprintf(stderr, "%s: %s\n", options.command[0], strerror(errno));
        _exit(127);
    }
    setpgid(child, child);
    running_child = child;
    close(ends[1]);
    *output = ends[0];
    return child;
}

// Reads until the command's output ends; true when it took too long and was ended.
static bool read_all(int output, pid_t child)
{
    double started_s = now_s(), heard_s = started_s;
    bool late = false;

    for (;;) {
        struct pollfd event = {.fd = output, .events = POLLIN};
        char bytes[LINE_BYTES];
        ssize_t count;
        double now = now_s();

        if (!late && ((options.timeout_s > 0 && now - started_s > options.timeout_s) ||
                         (options.stall_s > 0 && now - heard_s > options.stall_s))) {
            late = true;
            heard_s = now;
            kill(-child, SIGTERM);
        }
        if (late && now - heard_s > 10) {
            kill(-child, SIGKILL);
            return late;
        }
        if (poll(&event, 1, 200) <= 0)
            continue;
        count = read(output, bytes, sizeof bytes);
        if (count <= 0) {
            take_bytes(NULL, 0);
            return late;
        }
        take_bytes(bytes, (size_t)count);
        if (!late)
            heard_s = now_s();
    }
}

static void judge_one(bool late, int status)
{
    char reason[LINE_BYTES];

    options.filter_count = 0; // who names an expectation has already chosen

    if (late)
        report_failure("", "timed out");
    else if (status != options.status) {
        snprintf(reason, sizeof reason, "ended with status %d, not %d", status, options.status);
        report_failure("", reason);
    } else if (!matched) {
        snprintf(reason, sizeof reason, "no line matches \"%s\"", options.expect);
        report_failure("", reason);
    } else
        report("pass", "PASS", "", "");
}

// What went wrong beside the tests that said so themselves.
static void judge_run(bool late, int status)
{
    char reason[2 * LINE_BYTES], after[LINE_BYTES + 16];
    const char *name = *running ? running : after;

    // A run's abnormal end is everybody's failure: no filter hides it.
    if (!*running) {
        snprintf(after, sizeof after, "(after %s)", *last ? last : "start");
        options.filter_count = 0;
    }
    if (late || status == STATUS_TIMEOUT)
        report_failure(name, "timed out");
    else if (status == 125)
        report_failure(name, "the system died");
    else if (*running || !done) {
        snprintf(reason, sizeof reason, "ended without %s, status %d",
            *running ? "a result" : "DONE", status);
        report_failure(name, reason);
    } else if (status != options.status && failures == 0) {
        snprintf(reason, sizeof reason, "status %d although no test failed", status);
        report_failure(name, reason);
    }
}

int main(int argc, char **argv)
{
    int output, status;
    bool late;
    pid_t child;

    (void)argc;
    parse(argv + 1);
    log_file = fopen(options.log, "w");
    results_file = fopen(options.results, "a");
    if (!log_file || !results_file)
        usage("cannot write", options.log);
    progress = isatty(1);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop), signal(SIGINT, stop), signal(SIGHUP, stop);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (options.expect && progress) {
        printf("%s ...", options.name);
        fflush(stdout);
    }
    child = start(&output);
    late = read_all(output, child);
    waitpid(child, &status, 0);
    status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (options.expect)
        judge_one(late, status);
    else
        judge_run(late, status);
    clear_progress();
    return failures != 0;
}
