#include "call.h"
#include "CProbe.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* What limits do when they are reached. Everything is tried in a child, and gone with it. */

/* Touches so many bytes of memory: beyond the limit the kernel ends this process. */
long probe_eat(const char *bytes) {
    size_t size = strtoull(bytes, NULL, 10);
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return -errno;
    /* No zero pages, and none that could be merged. */
    for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
    return 0;
}

/* Starts so many processes, or as many as there may be. All of them wait, and are ended. */
long probe_spawn(const char *count) {
    long most = strtol(count, NULL, 10), made = 0;
    long result = 0;
    pid_t *children = calloc((size_t)most, sizeof *children);
    if (!children) return -ENOMEM;
    for (; made < most; made++) {
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) pause();
        }
        if (child < 0) {
            result = -errno;
            break;
        }
        children[made] = child;
    }
    for (long index = 0; index < made; index++) kill(children[index], SIGKILL);
    for (long index = 0; index < made; index++) waitpid(children[index], NULL, 0);
    free(children);
    return result;
}

/* Opens so many files, or as many as may be open. */
long probe_open_files(const char *count) {
    long most = strtol(count, NULL, 10);
    for (long made = 0; made < most; made++) {
        if (fcntl(0, F_DUPFD_CLOEXEC, 0) < 0) return -errno;
    }
    return 0;
}

/* `BYTES:DIRECTORY` */
static int file_in(const char *argument, unsigned long long *size) {
    char path[PATH_MAX];
    char *rest = NULL;
    *size = strtoull(argument, &rest, 10);
    if (!rest || *rest != ':') {
        errno = EINVAL;
        return -1;
    }
    signal(SIGXFSZ, SIG_IGN);
    snprintf(path, sizeof path, "%s/.jailprobe-%d", rest + 1, (int)getpid());
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) unlink(path);
    return fd;
}

/* Asks for room of so many bytes in one file. */
long probe_reserve(const char *argument) {
    unsigned long long size = 0;
    int fd = file_in(argument, &size);
    return fd < 0 ? -errno : outcome(fallocate(fd, 0, 0, (off_t)size));
}

/* Writes one byte behind so many: a file with a hole takes no room. */
long probe_write_behind(const char *argument) {
    unsigned long long size = 0;
    int fd = file_in(argument, &size);
    return fd < 0 ? -errno : outcome(pwrite(fd, "x", 1, (off_t)size));
}
