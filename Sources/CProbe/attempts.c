#include "call.h"
#include "CProbe.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* What changes the world is tried in a mount namespace of its own, where one can be had. */
static void leave_host(void) {
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS) == 0) mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static long mount_tmpfs(const char *unused) {
    leave_host();
    return outcome(mount("none", "/proc", "tmpfs", 0, NULL));
}
static long mount_proc(const char *unused) {
    leave_host();
    return outcome(mount("proc", "/proc", "proc", 0, NULL));
}
static long remount_root(const char *unused) {
    leave_host();
    return outcome(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}
static long unmount_proc(const char *unused) {
    leave_host();
    return outcome(umount2("/proc", MNT_DETACH));
}
static long new_mount_api(const char *unused) { return CALL(SYS_fsopen, "tmpfs", 1); }
static long open_tree_clone(const char *unused) { return CALL(SYS_open_tree, AT_FDCWD, "/", 1 | O_CLOEXEC); }
static long change_root(const char *unused) { return outcome(chroot("/")); }
static long host_name(const char *unused) {
    struct utsname name;
    leave_host();
    if (uname(&name) != 0) return -errno;
    return outcome(sethostname(name.nodename, strlen(name.nodename)));
}

#define UNSHARE(function, flag) \
    static long function(const char *unused) { return outcome(unshare(flag)); }
UNSHARE(unshare_user, CLONE_NEWUSER)
UNSHARE(unshare_mount, CLONE_NEWNS)
UNSHARE(unshare_pid, CLONE_NEWPID)
UNSHARE(unshare_net, CLONE_NEWNET)
UNSHARE(unshare_ipc, CLONE_NEWIPC)
UNSHARE(unshare_uts, CLONE_NEWUTS)
UNSHARE(unshare_cgroup, CLONE_NEWCGROUP)
UNSHARE(unshare_time, 0x80)

static long enter_own(const char *unused) {
    int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : outcome(setns(fd, CLONE_NEWUTS));
}

static long trace_child(const char *unused) {
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    if (child < 0) return -errno;
    long result = outcome(ptrace(PTRACE_SEIZE, child, NULL, NULL));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return result;
}

static long open_by_handle(const char *unused) {
    struct { struct file_handle handle; unsigned char bytes[128]; } file = {.handle = {.handle_bytes = 128}};
    int mount_id = 0;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return -errno;
    if (syscall(SYS_name_to_handle_at, root, ".", &file, &mount_id, 0) != 0 && errno != ENOSYS && errno != EOPNOTSUPP)
        return -errno;
    return CALL(SYS_open_by_handle_at, root, &file, O_RDONLY | O_CLOEXEC);
}

/* Types into a terminal of its own, which nobody reads. */
static long type_into_terminal(unsigned long request, char *byte) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) return -errno;
    int locked = 0;
    if (ioctl(master, TIOCSPTLCK, &locked) != 0) return -errno;
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) return -errno;
    setsid();
    if (ioctl(slave, TIOCSCTTY, 0) != 0) return -errno;
    return CALL(SYS_ioctl, slave, request, byte);
}
static long tiocsti(const char *unused) {
    char byte = 'x';
    return type_into_terminal(TIOCSTI, &byte);
}
static long tiocsti_high_bit(const char *unused) {
    char byte = 'x';
    return type_into_terminal(0x100000000UL | TIOCSTI, &byte);
}
static long tioclinux(const char *unused) {
    char byte = 6; /* which modifier keys are down */
    return type_into_terminal(TIOCLINUX, &byte);
}
static long line_discipline(const char *unused) {
    int normal = 0;
    return type_into_terminal(TIOCSETD, (char *)&normal);
}

static void execute_descriptor(const void *fd) {
    char *arguments[] = {"probe", NULL};
    char *environment[] = {NULL};
    syscall(SYS_execveat, *(const int *)fd, "", arguments, environment, AT_EMPTY_PATH);
}
static void execute_through_proc(const void *fd) {
    char path[64];
    char *arguments[] = {"probe", NULL};
    char *environment[] = {NULL};
    snprintf(path, sizeof path, "/proc/self/fd/%d", *(const int *)fd);
    execve(path, arguments, environment);
}
static long memory_program(void) {
    int fd = memfd_create("probe", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    long result = probe_write_program(fd);
    return result < 0 ? result : fd;
}
static long make_memory_file(const char *unused) { return memory_program(); }
static long sealed_memory_file(const char *unused) {
    return CALL(SYS_memfd_create, "probe", MFD_CLOEXEC | 0x8 /* MFD_NOEXEC_SEAL */);
}
static long execute_memory_file(const char *unused) {
    long fd = memory_program();
    int number = (int)fd;
    return fd < 0 ? fd : probe_expect_42(execute_descriptor, &number);
}
static long execute_memory_file_through_proc(const char *unused) {
    long fd = memory_program();
    int number = (int)fd;
    return fd < 0 ? fd : probe_expect_42(execute_through_proc, &number);
}

static long become_root(const char *unused) { return outcome(setuid(0)); }
static long no_groups(const char *unused) { return outcome(setgroups(0, NULL)); }
static long real_time(const char *unused) {
    struct sched_param parameters = {.sched_priority = 1};
    return outcome(sched_setscheduler(0, SCHED_FIFO, &parameters));
}
static long nicer_to_oneself(const char *unused) { return outcome(setpriority(PRIO_PROCESS, 0, -5)); }
static long raise_limit(const char *unused) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    limit.rlim_max += 1;
    return outcome(setrlimit(RLIMIT_NOFILE, &limit));
}
static long threads_of_others(const char *unused) { return probe_open_read("/proc/1/task"); }

static const struct probe_attempt attempts[] = {
    {"mount tmpfs", mount_tmpfs},
    {"mount proc", mount_proc},
    {"remount root", remount_root},
    {"unmount proc", unmount_proc},
    {"fsopen", new_mount_api},
    {"open_tree clone", open_tree_clone},
    {"chroot", change_root},
    {"set host name", host_name},
    {"unshare user", unshare_user},
    {"unshare mount", unshare_mount},
    {"unshare pid", unshare_pid},
    {"unshare net", unshare_net},
    {"unshare ipc", unshare_ipc},
    {"unshare uts", unshare_uts},
    {"unshare cgroup", unshare_cgroup},
    {"unshare time", unshare_time},
    {"setns", enter_own},
    {"trace child", trace_child},
    {"open_by_handle_at", open_by_handle},
    {"tiocsti", tiocsti},
    {"tiocsti high bit", tiocsti_high_bit},
    {"tioclinux", tioclinux},
    {"line discipline", line_discipline},
    {"memfd", make_memory_file},
    {"memfd sealed", sealed_memory_file},
    {"memfd execveat", execute_memory_file},
    {"memfd execve", execute_memory_file_through_proc},
    {"become root", become_root},
    {"setgroups", no_groups},
    {"real-time scheduling", real_time},
    {"nice -5", nicer_to_oneself},
    {"raise limit", raise_limit},
    {"signal others", probe_signal_others},
    {"list threads of init", threads_of_others},
    {NULL, NULL},
};

const struct probe_attempt *probe_attempts_table(void) { return attempts; }
