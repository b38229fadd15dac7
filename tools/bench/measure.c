/* Runs a program to its end and prints what that took, as JSON: wall time, largest resident set
 * (its own or that of a child of its own), exit status. What it prints itself goes to /dev/null.
 *
 * This is a small program because a child's largest resident set is never less than what its
 * parent had when it started it: a Python that started the child would be measured along with it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: measure PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&quiet, STDOUT_FILENO, STDERR_FILENO);

    pid_t child;
    int status;
    struct rusage usage;
    long long begin = nanoseconds();
    int error = posix_spawn(&child, argv[1], &quiet, NULL, argv + 1, environ);
    if (error != 0 || wait4(child, &status, 0, &usage) != child) {
        fprintf(stderr, "measure: cannot run %s\n", argv[1]);
        return 1;
    }
    long long end = nanoseconds();

    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("{\"wall_ns\": %lld, \"max_rss_kib\": %ld, \"status\": %d}\n", end - begin,
           usage.ru_maxrss, code);
    return 0;
}
