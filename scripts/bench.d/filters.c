// Reads the seccomp filters of a process back from the kernel (root only), and writes them to PREFIX.0, PREFIX.1, …
// in the order in which they were installed.
//
// usage: filters PID PREFIX
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 3) return 64;
    pid_t pid = atoi(arguments[1]);
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ||
        waitpid(pid, NULL, __WALL) < 0) {
        fprintf(stderr, "filters: ptrace %d: %s\n", pid, strerror(errno));
        return 1;
    }
    for (unsigned long index = 0;; index++) {
        static struct sock_filter program[BPF_MAXINSNS];
        long length = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)index, program);
        if (length < 0) {
            if (errno == ENOENT && index > 0) return 0;
            fprintf(stderr, "filters: PTRACE_SECCOMP_GET_FILTER: %s\n", strerror(errno));
            return 1;
        }
        char path[4096];
        snprintf(path, sizeof path, "%s.%lu", arguments[2], index);
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        size_t size = (size_t)length * sizeof *program;
        if (file < 0 || write(file, program, size) != (ssize_t)size) {
            fprintf(stderr, "filters: %s: %s\n", path, strerror(errno));
            return 1;
        }
        close(file);
    }
}
