#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The raw call reports how many bytes the kernel filled, whatever the number of processors it was built for. */
int cl_processor_count(void) {
    unsigned long mask[8192 / 8 / sizeof(unsigned long)];
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    if (bytes < 0) return -errno;
    int count = 0;
    for (size_t index = 0; index < (size_t)bytes / sizeof mask[0]; index++) count += __builtin_popcountl(mask[index]);
    return count;
}

uint64_t cl_total_memory(void) {
    struct sysinfo info;
    return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

long cl_getxattr(const char *path, const char *name, void *buffer, size_t size) {
    long result = getxattr(path, name, buffer, size);
    return result < 0 ? -errno : result;
}

int cl_seccomp_available(void) {
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 ? -errno : 0;
}

static int put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return result;
}

static int fresh_proc(void) {
    int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
    if (context < 0) return -errno;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return -errno;
    return syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0) < 0 ? -errno : 0;
}

/* In C, and with system calls only: the caller may have threads, after whose fork little else is safe. */
static void try_in_child(int *steps) {
    unsigned uid = geteuid(), gid = getegid();
    char map[64];
    for (int index = 0; index < 4; index++) steps[index] = -ECANCELED;
    steps[0] = unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
    if (steps[0]) return;
    steps[1] = put("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "1000 %u 1", gid);
    if (!steps[1]) steps[1] = put("/proc/self/gid_map", map);
    snprintf(map, sizeof map, "1000 %u 1", uid);
    if (!steps[1]) steps[1] = put("/proc/self/uid_map", map);
    if (steps[1]) return;
    int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    steps[2] = unshare(flags) < 0 ? -errno : 0;
    if (steps[2]) return;
    /* A pid namespace begins with the next child, and its /proc can only be made in there. */
    int pid = (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) _exit(-fresh_proc() & 0xff);
    int status = 0;
    if (pid < 0) steps[3] = -errno;
    else if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) steps[3] = -EIO;
    else steps[3] = -WEXITSTATUS(status);
}

int cl_try_write(const char *path, const char *text) {
    int pid = fork();
    if (pid < 0) return -errno;
    /* An exit status holds every errno there is. */
    if (pid == 0) _exit(-put(path, text) & 0xff);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int cl_try_namespaces(int *steps) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) return -errno;
    int pid = fork();
    if (pid < 0) {
        int error = errno;
        close(fds[0]);
        close(fds[1]);
        return -error;
    }
    if (pid == 0) {
        int results[4];
        try_in_child(results);
        _exit(write(fds[1], results, sizeof results) == (long)sizeof results ? 0 : 1);
    }
    close(fds[1]);
    long count = cl_read(fds[0], steps, 4 * sizeof(int));
    close(fds[0]);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return count == 4 * (long)sizeof(int) ? 0 : -EIO;
}
