/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/testing.h"

/* Runs a shell script and returns what it wrote to descriptor 1, cut to the size. */
static void output_of(const char *script, struct process_spec spec, char *text, size_t size)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct err err = {0};
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    spec.argv = argv;
    spec.in = spec.err = -1;
    spec.out = ends[1];
    struct process *process = process_spawn(&spec, &err);
    ck_assert_msg(process != NULL, "%s", err.text);
    close(ends[1]);
    size_t used = 0;
    ssize_t got;
    while ((got = read(ends[0], text + used, size - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(ends[0]);
    process_wait(&process);
    ck_assert_ptr_null(process);
}

static struct process *run(const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .err = -1};
    struct err err = {0};
    struct process *process = process_spawn(&spec, &err);
    ck_assert_msg(process != NULL, "%s", err.text);
    return process;
}

START_TEST(a_child_has_the_environment_and_folder_it_is_given)
{
    static const char *const environment[] = {"WHO=subject", NULL};
    char text[200];
    output_of("echo $WHO $HOME; pwd", (struct process_spec){.environment = environment, .directory = "/"}, text,
              sizeof text);
    ck_assert_str_eq(text, "subject\n/\n");
}
END_TEST

START_TEST(a_child_has_no_descriptors_but_its_three)
{
    char text[50], number[50];
    int leaked = open("/dev/null", O_RDONLY);
    ck_assert_int_ge(leaked, 3);
    snprintf(number, sizeof number, "N=%d", leaked);
    output_of("cd /proc/$$/fd && ls -d 0 1 2 $N",
              (struct process_spec){.environment = (const char *const[]){number, NULL}, .err = -1}, text, sizeof text);
    close(leaked);
    ck_assert_str_eq(text, "0\n1\n2\n");
}
END_TEST

START_TEST(descriptors_may_change_places)
{
    const char *const argv[] = {"sh", "-c", "read line && echo got $line >&2", NULL};
    int input[2], output[2];
    char text[50] = "";
    struct err err = {0};
    ck_assert_int_eq(pipe(input), 0);
    ck_assert_int_eq(pipe(output), 0);
    /* 2 reads and 0 writes: each one stands where another belongs. */
    int old_in = dup(0), old_err = dup(2);
    ck_assert(dup2(output[1], 0) >= 0 && dup2(input[0], 2) >= 0);
    struct process *process = process_spawn(&(struct process_spec){.argv = argv, .in = 2, .out = -1, .err = 0}, &err);
    dup2(old_in, 0);
    dup2(old_err, 2);
    ck_assert_msg(process != NULL, "%s", err.text);
    ck_assert_int_eq(write(input[1], "hello\n", 6), 6);
    ck_assert_int_eq(process_wait(&process), 0);
    ck_assert_int_eq(read(output[0], text, sizeof text - 1), 10);
    ck_assert_str_eq(text, "got hello\n");
    const int all[] = {input[0], input[1], output[0], output[1], old_in, old_err};
    for (size_t i = 0; i < COUNT(all); i++)
        close(all[i]);
}
END_TEST

static bool say_no(void *arg UNUSED)
{
    errno = EPERM;
    return false;
}

static bool change_directory(void *arg)
{
    return chdir(arg) == 0;
}

static const struct {
    const char *name;
    struct process_spec spec;
    const char *program, *text;
} failures[] = {
    {"not in PATH", {0}, "no-such-program", "cannot run no-such-program: no such program in PATH"},
    {"no such file", {0}, "/nonexistent/x", "cannot run /nonexistent/x: No such file or directory"},
    {"not to be run", {0}, "/etc/passwd", "cannot run /etc/passwd: Permission denied"},
    {"no such folder",
     {.directory = "/nonexistent"},
     "true",
     "cannot run true in /nonexistent: No such file or directory"},
    {"preparation fails",
     {.before_exec = say_no},
     "true",
     "cannot run true: preparing for it failed: Operation not permitted"},
    {"a closed descriptor", {.in = 999}, "true", "cannot run true: its descriptors: Bad file descriptor"},
};

START_TEST(what_cannot_be_run_says_why)
{
    const char *const argv[] = {failures[_i].program, NULL};
    struct process_spec spec = failures[_i].spec;
    struct err err = {0};
    spec.argv = argv;
    if (spec.in == 0)
        spec.in = -1;
    spec.out = spec.err = -1;
    ck_assert_msg(process_spawn(&spec, &err) == NULL, "%s", failures[_i].name);
    ck_assert_str_eq(err.text, failures[_i].text);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(the_child_is_prepared_before_it_runs)
{
    char text[50], folder[] = "/usr";
    output_of("pwd", (struct process_spec){.before_exec = change_directory, .arg = folder}, text, sizeof text);
    ck_assert_str_eq(text, "/usr\n");
}
END_TEST

START_TEST(signals_are_as_a_program_expects_them)
{
    char text[500];
    unsigned long long mask, of_pipe = 1ULL << (SIGPIPE - 1), of_term = 1ULL << (SIGTERM - 1);
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    output_of("exec sed -n 's/^Sig\\(Blk\\|Ign\\)://p' /proc/self/status", (struct process_spec){0}, text, sizeof text);
    signal(SIGPIPE, old);
    sigprocmask(SIG_SETMASK, &before, NULL);
    char *rest = text;
    for (int line = 0; line < 2; line++) {
        mask = strtoull(rest, &rest, 16);
        ck_assert_uint_eq(mask & (of_pipe | of_term), 0);
    }
    ck_assert_str_eq(rest, "\n");
}
END_TEST

START_TEST(stopping_takes_no_longer_than_the_child)
{
    struct process *process = run("exec sleep 100");
    ck_assert(process_alive(process));
    ck_assert_int_gt(process_id(process), 0);
    int64_t from = clock_monotonic_us();
    int status = process_stop(&process, 10000);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    ck_assert_int_lt(clock_monotonic_us() - from, 2000000);
    ck_assert_int_eq(process_stop(&process, 0), 0);
}
END_TEST

START_TEST(a_deaf_child_is_killed)
{
    struct process *process = run("trap '' TERM; while :; do sleep 0.01; done");
    usleep(50000);
    int status = process_stop(&process, 20);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

START_TEST(a_child_that_ended_keeps_its_status)
{
    struct process *process = run("exit 7");
    while (process_alive(process))
        usleep(1000);
    int status = process_stop(&process, 0);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}
END_TEST

START_TEST(a_child_dies_with_its_parent)
{
    int ends[2];
    char byte;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        const char *const argv[] = {"sleep", "100", NULL};
        close(ends[0]);
        struct process *process =
            process_spawn(&(struct process_spec){.argv = argv, .in = -1, .out = ends[1], .err = -1}, NULL);
        _exit(process != NULL ? 0 : 1);
    }
    close(ends[1]);
    int status;
    ck_assert_int_eq(waitpid(parent, &status, 0), parent);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(read(ends[0], &byte, 1), 0); /* the child's copy is closed: it has ended */
    close(ends[0]);
}
END_TEST

static void note(void *arg)
{
    *(bool *)arg = true;
}

START_TEST(the_loop_tells_the_end)
{
    struct err err = {0};
    struct loop *loop = loop_new(&err);
    struct process *process = run("exit 3");
    bool ended = false;
    ck_assert(process_watch(process, loop, note, &ended, &err));
    ck_assert(loop_run_until(loop, &ended, 10));
    ck_assert(!process_alive(process));
    ck_assert_int_eq(WEXITSTATUS(process_wait(&process)), 3);

    process = run("exit 4");
    while (process_alive(process))
        usleep(1000);
    ended = false;
    ck_assert(process_watch(process, loop, note, &ended, &err));
    ck_assert(loop_run_until(loop, &ended, 10));
    ck_assert_int_eq(WEXITSTATUS(process_wait(&process)), 4);

    process = run("exec sleep 100");
    ended = false;
    ck_assert(process_watch(process, loop, note, &ended, &err));
    process_stop(&process, 1000);
    ck_assert(!loop_run_until(loop, &ended, 0.01));
    loop_free(&loop);
}
END_TEST

START_TEST(programs_are_found)
{
    char path[200], tiny[4];
    ck_assert(process_find("sh", path, sizeof path));
    ck_assert_int_eq(access(path, X_OK), 0);
    ck_assert(process_find("/bin/sh", path, sizeof path));
    ck_assert_str_eq(path, "/bin/sh");
    ck_assert(!process_find("no-such-program", path, sizeof path));
    ck_assert(!process_find("/bin", path, sizeof path));
    ck_assert(!process_find("sh", tiny, sizeof tiny));
}
END_TEST

START_TEST(what_a_program_writes_is_a_text)
{
    struct err err = {0};
    char *text = process_output((const char *const[]){"sh", "-c", "echo one; echo two >&2; exit 3", NULL}, -1, &err);
    ck_assert_str_eq(text, "one\n");
    free(text);
    ck_assert_ptr_null(process_output((const char *const[]){"/no/such/program", NULL}, -1, &err));
    ck_assert(strstr(err.text, "/no/such/program") != NULL);
}
END_TEST

TEST_SUITE(process)
{
    TEST(what_a_program_writes_is_a_text);
    TEST(a_child_has_the_environment_and_folder_it_is_given);
    TEST(a_child_has_no_descriptors_but_its_three);
    TEST(descriptors_may_change_places);
    TEST_LOOP(what_cannot_be_run_says_why, COUNT(failures));
    TEST(the_child_is_prepared_before_it_runs);
    TEST(signals_are_as_a_program_expects_them);
    TEST(stopping_takes_no_longer_than_the_child);
    TEST(a_deaf_child_is_killed);
    TEST(a_child_that_ended_keeps_its_status);
    TEST(a_child_dies_with_its_parent);
    TEST(the_loop_tells_the_end);
    TEST(programs_are_found);
}
