/* Calls of CLinux whose structures differ between architectures, made and looked at. Ends with 0 if all is well. */
#define _GNU_SOURCE
#include "CLinux.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void require(int condition, const char *what, long result) {
    if (condition) return;
    fprintf(stderr, "%s: %ld\n", what, result);
    exit(1);
}
#define REQUIRE(condition, result) require((condition), #condition, (long)(result))

static void files(const char *directory) {
    char path[512], text[16] = {0};
    snprintf(path, sizeof path, "%s/file", directory);
    int fd = cl_openat2(AT_FDCWD, path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0640, 0);
    REQUIRE(fd >= 0, fd);
    REQUIRE(cl_write(fd, "hello", 5) == 5, errno);
    REQUIRE(cl_pread(fd, text, 4, 1) == 4 && !strcmp(text, "ello"), errno);
    struct cl_stat ours;
    struct stat theirs;
    REQUIRE(cl_statx(AT_FDCWD, path, 0, &ours) == 0 && stat(path, &theirs) == 0, errno);
    REQUIRE(ours.size == 5 && ours.inode == theirs.st_ino && ours.mode == theirs.st_mode && ours.uid == theirs.st_uid, 0);
    REQUIRE(ours.links == theirs.st_nlink && ours.changed_seconds == (uint64_t)theirs.st_ctim.tv_sec, 0);
    struct cl_statfs system;
    REQUIRE(cl_fstatfs(fd, &system) == 0 && system.block_size >= 512, 0);
    int opened = cl_openat2(AT_FDCWD, directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC, 0, 0);
    REQUIRE(opened >= 0, opened);
    REQUIRE(cl_openat2(AT_FDCWD, path, O_DIRECTORY | O_RDONLY, 0, 0) == -ENOTDIR, 0);
    char link[512];
    snprintf(link, sizeof link, "%s/link", directory);
    REQUIRE(cl_symlinkat("file", AT_FDCWD, link) == 0, errno);
    REQUIRE(cl_openat2(AT_FDCWD, link, O_NOFOLLOW | O_RDONLY, 0, 0) == -ELOOP, 0);
    char buffer[4096] __attribute__((aligned(8)));
    int found = 0;
    long count = cl_getdents(opened, buffer, sizeof buffer);
    for (long at = 0; at < count;) {
        /* struct linux_dirent64: inode 8, offset 8, length 2, kind 1, name */
        uint16_t length;
        memcpy(&length, buffer + at + 16, 2);
        if (!strcmp(buffer + at + 19, "file")) found = buffer[at + 18] == DT_REG;
        at += length;
    }
    REQUIRE(found, count);
    REQUIRE(cl_fcntl(fd, F_GETFD, 0) == FD_CLOEXEC, 0);
    cl_close(fd);
    cl_close(opened);
}

static void processes(void) {
    char *arguments[] = {"true", NULL}, *environment[] = {NULL};
    struct cl_program program = {.path = "/bin/true", .argv = arguments, .envp = environment, .directory = "/", .place = -1,
        .terminal = -1, .streams = {-1, -1, -1}, .cgroup = -1, .ruleset = -1};
    int failed = -1, code = 0, status = -1;
    int pid = cl_spawn(&program, &failed);
    REQUIRE(pid > 0, pid);
    REQUIRE(cl_waitid(P_PID, pid, &code, &status, WEXITED) == pid && code == CLD_EXITED && status == 0, status);
    int pipe_ends[2];
    REQUIRE(cl_pipe2(pipe_ends, O_CLOEXEC) == 0, errno);
    program.path = "/nonexistent";
    pid = cl_start(&program, pipe_ends[1]);
    cl_close(pipe_ends[1]);
    int report[2] = {0, 0};
    REQUIRE(pid > 0 && cl_read(pipe_ends[0], report, sizeof report) == sizeof report, pid);
    REQUIRE(report[0] == CL_SPAWN_EXECVE && report[1] == ENOENT, report[1]);
    REQUIRE(cl_waitid(P_PID, pid, &code, &status, WEXITED) == pid, 0);
    int signals[] = {SIGTERM};
    REQUIRE(cl_sigmask_block(signals, 1) == 0, errno);
    int fd = cl_signalfd(signals, 1);
    REQUIRE(fd >= 0 && cl_signalfd_read(fd) == -EAGAIN, fd);
    REQUIRE(cl_kill(getpid(), SIGTERM) == 0 && cl_signalfd_read(fd) == SIGTERM, 0);
    uint64_t soft = 0, hard = 0;
    REQUIRE(cl_getrlimit(7, &soft, &hard) == 0 && soft <= hard && hard > 0, 0);
    uint64_t effective, permitted, inheritable;
    REQUIRE(cl_capget(&effective, &permitted, &inheritable) == 0 && (effective & ~permitted) == 0, 0);
    REQUIRE(cl_processor_count() > 0 && cl_total_memory() > 1 << 20, 0);
    char release[65], machine[65];
    REQUIRE(cl_uname(release, sizeof release, machine, sizeof machine) == 0, errno);
    printf("%s\n", machine);
}

static void sockets(void) {
    int pair[2], sent[1], received[96], count = 96;
    REQUIRE(cl_socketpair(1 /* SOCK_STREAM */, pair) == 0, errno);
    sent[0] = pair[0];
    char byte = 0;
    REQUIRE(cl_send_message(pair[0], "x", 1, sent, 1) == 1, errno);
    REQUIRE(cl_receive_message(pair[1], &byte, 1, received, &count) == 1 && byte == 'x' && count == 1, count);
    int pid;
    unsigned uid, gid;
    REQUIRE(cl_peer_credentials(pair[0], &pid, &uid, &gid) == 0 && uid == getuid(), uid);
    int listener = cl_socket(2, 1, 0);
    REQUIRE(listener >= 0 && cl_bind_inet4(listener, 0x7F000001, 0) == 0 && cl_listen(listener, 1) == 0, errno);
    int port = cl_getsockname_port(listener);
    int caller = cl_socket(2, 1, 0);
    REQUIRE(port > 0 && cl_connect_inet4(caller, 0x7F000001, (uint16_t)port) == 0, port);
    struct cl_poll_entry entry = {.fd = listener, .events = 1};
    REQUIRE(cl_poll(&entry, 1, 1000) == 1 && entry.revents == 1, 0);
    int master, slave;
    uint16_t rows = 0, columns = 0;
    unsigned char saved[CL_TERMIOS_SIZE];
    REQUIRE(cl_open_pty(&master, &slave) == 0, errno);
    REQUIRE(cl_tty_set_size(slave, 33, 101) == 0 && cl_tty_get_size(slave, &rows, &columns) == 0, errno);
    REQUIRE(rows == 33 && columns == 101, rows);
    REQUIRE(cl_tty_make_raw(slave, saved) == 0 && cl_tty_restore(slave, saved) == 0, errno);
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    files(arguments[1]);
    processes();
    sockets();
    return 0;
}
