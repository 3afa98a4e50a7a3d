/* SPDX-License-Identifier: MIT */
/*
 * sqlite: Debian's SQLite library in a static program: tables, indexes, transactions, a rollback,
 * an integrity check, a second connection, a journal of either kind, and a process that is killed
 * in the middle of a transaction, whose work must be undone.
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int print_row(void *first, int count, char **values, char **names)
{
    (void)first, (void)names;
    for (int i = 0; i < count; i++)
        printf("%s%s", i ? "|" : "  ", values[i] ? values[i] : "NULL");
    putchar('\n');
    return 0;
}

static int run(sqlite3 *database, const char *text)
{
    char *message = NULL;
    int code = sqlite3_exec(database, text, print_row, NULL, &message);

    if (code != SQLITE_OK)
        printf("  %s: %s\n", text, message);
    sqlite3_free(message);
    return code;
}

static void show(sqlite3 *database, const char *text)
{
    printf("%s\n", text);
    run(database, text);
}

static sqlite3 *open_database(const char *path)
{
    sqlite3 *database;

    if (sqlite3_open(path, &database) != SQLITE_OK) {
        printf("open: %s\n", sqlite3_errmsg(database));
        exit(1);
    }
    return database;
}

static void fill(sqlite3 *database, int rows)
{
    sqlite3_stmt *insert;
    char name[32];

    run(database, "BEGIN");
    sqlite3_prepare_v2(database, "INSERT INTO t VALUES (?, ?, ?)", -1, &insert, NULL);
    for (int i = 0; i < rows; i++) {
        snprintf(name, sizeof name, "name %d", i * 7919 % rows);
        sqlite3_bind_int(insert, 1, i);
        sqlite3_bind_text(insert, 2, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_double(insert, 3, i * 0.5);
        if (sqlite3_step(insert) != SQLITE_DONE)
            printf("insert: %s\n", sqlite3_errmsg(database));
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    run(database, "COMMIT");
}

static void interrupted(const char *path)
{
    int ready[2];
    char byte;
    pid_t child;

    if (pipe(ready) < 0)
        return;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        sqlite3 *database = open_database(path);

        run(database, "PRAGMA cache_size = 5");
        run(database, "BEGIN");
        run(database, "UPDATE t SET value = -1");
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        pause();
    }
    if (read(ready[0], &byte, 1) != 1)
        printf("the child ended early\n");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void work(const char *path, const char *journal, int rows)
{
    sqlite3 *database = open_database(path), *second;
    char text[100];

    snprintf(text, sizeof text, "PRAGMA journal_mode = %s", journal);
    show(database, text);
    run(database, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, value REAL)");
    fill(database, rows);
    show(database, "SELECT count(*), sum(value), min(name), max(name) FROM t");
    run(database, "CREATE INDEX by_name ON t (name)");
    show(database, "SELECT id FROM t WHERE name = 'name 500'");
    run(database, "BEGIN; DELETE FROM t WHERE id % 3 = 0; ROLLBACK");
    run(database, "BEGIN; DELETE FROM t WHERE id % 5 = 0; COMMIT");
    show(database, "SELECT count(*) FROM t");
    run(database, "UPDATE t SET value = value * 2 WHERE id < 1000");
    show(database, "SELECT sum(value) FROM t");
    show(database, "SELECT id % 4 AS k, count(*), avg(value) FROM t GROUP BY k ORDER BY k");
    show(database, "SELECT a.id, b.id FROM t a JOIN t b ON b.name = a.name WHERE a.id < 5");
    show(database, "INSERT INTO t VALUES (1, 'twice', 0)");
    show(database, "SELECT * FROM missing");
    second = open_database(path);
    run(database, "BEGIN IMMEDIATE");
    show(second, "BEGIN IMMEDIATE"); // locked
    run(database, "COMMIT");
    show(second, "BEGIN IMMEDIATE");
    run(second, "INSERT INTO t VALUES (1000000, 'second', 1); COMMIT");
    show(database, "SELECT * FROM t WHERE id = 1000000");
    sqlite3_close(second);
    sqlite3_close(database);
    interrupted(path);
    database = open_database(path);
    show(database, "SELECT count(*), min(value) FROM t");
    show(database, "PRAGMA integrity_check");
    run(database, "DELETE FROM t WHERE id > 100; VACUUM");
    show(database, "PRAGMA page_count");
    sqlite3_close(database);
}

int main(int count, char **arguments)
{
    int rows = count > 1 ? atoi(arguments[1]) : 3000;

    work("rollback.db", "DELETE", rows);
    work("truncate.db", "TRUNCATE", rows);
    return 0;
}
