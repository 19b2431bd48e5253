// Times commands from the call that starts them to the end of wait4(2), in interleaved rounds, and adds nothing of its
// own: no shell, and vfork(2), which copies no page tables. Reads a description on standard input, prints one line for
// each run: the command's number, nanoseconds, exit status, page faults and nanoseconds of processor time, the last two
// summed over the command and all children that it waited for.
//
//     rounds 200      warmup 5      pause 3000 (microseconds between runs)
//     command         begins one; then, for it:
//     every 4         only in every fourth round
//     user 999 995    uid and gid to run as
//     open 10 PATH    a file opened for reading under this number, anew for each run, before the clock starts
//     arg TEXT        one argument; the first is the program's path; the round's number replaces %n at its end
//     env TEXT        one variable; nothing else is in the environment
//     after TEXT      one argument of what runs after it, off the clock, as the same user; must go well if the command did
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_COMMANDS = 32, MOST_ARGUMENTS = 1024, MOST_VARIABLES = 32, MOST_FILES = 32 };

struct command {
    int every, uid, gid;
    char *arguments[MOST_ARGUMENTS];
    char *after[MOST_ARGUMENTS];
    char *environment[MOST_VARIABLES];
    int argument_count, after_count, variable_count, file_count;
    struct {
        int number;
        char *path;
    } files[MOST_FILES];
};

static struct command commands[MOST_COMMANDS];
static int command_count, rounds = 200, warmup = 5, pause_time = 3000;

static void fail(const char *what) {
    fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void read_description(void) {
    static char line[65536];
    struct command *command = NULL;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *rest = strchr(line, ' ');
        rest = rest ? rest + 1 : line + strlen(line);
        if (!strncmp(line, "rounds ", 7)) rounds = atoi(rest);
        else if (!strncmp(line, "warmup ", 7)) warmup = atoi(rest);
        else if (!strncmp(line, "pause ", 6)) pause_time = atoi(rest);
        else if (!strcmp(line, "command") && command_count < MOST_COMMANDS) {
            command = &commands[command_count++];
            command->every = 1;
            command->uid = command->gid = -1;
        } else if (!command) fail(line);
        else if (!strncmp(line, "every ", 6)) command->every = atoi(rest);
        else if (!strncmp(line, "user ", 5)) sscanf(rest, "%d %d", &command->uid, &command->gid);
        else if (!strncmp(line, "arg ", 4) && command->argument_count < MOST_ARGUMENTS - 1)
            command->arguments[command->argument_count++] = strdup(rest);
        else if (!strncmp(line, "after ", 6) && command->after_count < MOST_ARGUMENTS - 1)
            command->after[command->after_count++] = strdup(rest);
        else if (!strncmp(line, "env ", 4) && command->variable_count < MOST_VARIABLES - 1)
            command->environment[command->variable_count++] = strdup(rest);
        else if (!strncmp(line, "open ", 5) && command->file_count < MOST_FILES) {
            char *path = strchr(rest, ' ');
            if (!path) fail(line);
            command->files[command->file_count].number = atoi(rest);
            command->files[command->file_count++].path = strdup(path + 1);
        } else fail(line);
    }
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// The arguments with the round's number where one of them ends in %n; good until the next call.
static char **numbered(char **arguments, int round) {
    static char *result[MOST_ARGUMENTS], text[256];
    int i = 0;
    for (; arguments[i]; i++) {
        size_t length = strlen(arguments[i]);
        result[i] = arguments[i];
        if (length < 2 || strcmp(arguments[i] + length - 2, "%n")) continue;
        if (snprintf(text, sizeof text, "%.*s%d", (int)length - 2, arguments[i], round) >= (int)sizeof text)
            fail(arguments[i]);
        result[i] = text;
    }
    result[i] = NULL;
    return result;
}

// Returns nanoseconds.
static int64_t run(struct command *command, char **arguments, int null, int *status, struct rusage *usage) {
    int files[MOST_FILES];
    for (int i = 0; i < command->file_count; i++) {
        // High, so that no number that a command asked for is taken.
        int file = open(command->files[i].path, O_RDONLY | O_CLOEXEC);
        if (file < 0) fail(command->files[i].path);
        files[i] = fcntl(file, F_DUPFD_CLOEXEC, 200);
        close(file);
    }
    int64_t start = now();
    pid_t pid = vfork();
    if (pid < 0) fail("vfork");
    if (pid == 0) {
        for (int i = 0; i < 3; i++) syscall(SYS_dup2, null, i);
        for (int i = 0; i < command->file_count; i++) syscall(SYS_dup2, files[i], command->files[i].number);
        if (command->uid >= 0) {
            syscall(SYS_setgroups, 0, NULL);
            syscall(SYS_setresgid, command->gid, command->gid, command->gid);
            syscall(SYS_setresuid, command->uid, command->uid, command->uid);
        }
        execve(arguments[0], arguments, command->environment);
        _exit(127);
    }
    while (wait4(pid, status, 0, usage) < 0)
        if (errno != EINTR) fail("wait4");
    int64_t end = now();
    for (int i = 0; i < command->file_count; i++) close(files[i]);
    return end - start;
}

int main(void) {
    read_description();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) fail("/dev/null");
    uint32_t random = 2463534242u;
    for (int round = -warmup; round < rounds; round++) {
        // Another order in each round: what one leaves to the kernel to clean up falls on each of the others alike.
        int order[MOST_COMMANDS];
        for (int i = 0; i < command_count; i++) {
            random ^= random << 13, random ^= random >> 17, random ^= random << 5;
            int j = random % (i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        for (int i = 0; i < command_count; i++) {
            struct command *command = &commands[order[i]];
            if (round >= 0 && round % command->every) continue;
            usleep(pause_time);
            int status = 0;
            struct rusage usage;
            int64_t time = run(command, numbered(command->arguments, round), null, &status, &usage);
            int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            int64_t processor = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
                                (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
            if (round >= 0)
                printf("%d %lld %d %ld %lld\n", order[i], (long long)time, code, usage.ru_minflt, (long long)processor);
            if (command->after_count) {
                run(command, numbered(command->after, round), null, &status, &usage);
                if (status && !code) {
                    fprintf(stderr, "runner: '%s' failed after command %d\n", command->after[0], order[i]);
                    return 1;
                }
            }
        }
    }
    return 0;
}
