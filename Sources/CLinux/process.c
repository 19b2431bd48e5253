#define _GNU_SOURCE
#include "CLinux.h"
#include "result.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/capability.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int cl_clone3(uint64_t flags, int cgroup_fd, int *pidfd) {
    /* CLONE_CLEAR_SIGHAND: no handler runs in the child. What is ignored stays ignored, see clone(2). */
    struct clone_args args = {.flags = flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND, .pidfd = (uintptr_t)pidfd, .exit_signal = SIGCHLD};
    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup_fd;
    }
    return RESULT(syscall(SYS_clone3, &args, sizeof args));
}
int cl_fork(void) { return RESULT(fork()); }
int cl_unshare(int flags) { return RESULT(unshare(flags)); }
int cl_setns(int fd, int flags) { return RESULT(setns(fd, flags)); }
int cl_pidfd_open(int pid) { return RESULT(syscall(SYS_pidfd_open, pid, 0)); }
int cl_pidfd_send_signal(int pidfd, int signal) { return RESULT(syscall(SYS_pidfd_send_signal, pidfd, signal, 0, 0)); }

int cl_waitid(int idtype, int id, int *code, int *status, int options) {
    siginfo_t info;
    int result;
    do {
        memset(&info, 0, sizeof info);
        result = waitid((idtype_t)idtype, (id_t)id, &info, options);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    *code = info.si_code;
    *status = info.si_status;
    return info.si_pid;
}

int cl_kill(int pid, int signal) { return RESULT(kill(pid, signal)); }
int cl_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5) {
    return RESULT(prctl(option, a2, a3, a4, a5));
}
int cl_execve(const char *path, char *const argv[], char *const envp[]) { return RESULT(execve(path, argv, envp)); }
int cl_execveat(int program, char *const argv[], char *const envp[]) {
    return RESULT(syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH));
}
/* In the parent: the child's id if it has begun, or the step at which it gave up and why. */
static int spawned(pid_t pid, int error, int step, int *failed) {
    if (error == 0) return pid;
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    *failed = step;
    return -error;
}
/* In the child: everything up to and including execve. Returns only if something failed, in the step that `step` says. */
static void prepare_and_execute(const struct cl_program *spawn, volatile int *step) {
    sigset_t none;
    sigemptyset(&none);
    *step = CL_SPAWN_SETSID;
    if (setsid() < 0) return;
    if (spawn->terminal >= 0) {
        *step = CL_SPAWN_DUP3;
        for (int target = 0; target < 3; target++)
            if (dup3(spawn->terminal, target, 0) < 0) return;
        *step = CL_SPAWN_TERMINAL;
        if (ioctl(0, TIOCSCTTY, 0) < 0) return;
    } else {
        *step = CL_SPAWN_DUP3;
        for (int target = 0; target < 3; target++)
            if (spawn->streams[target] >= 0 && dup3(spawn->streams[target], target, 0) < 0) return;
    }
    *step = CL_SPAWN_CGROUP;
    if (spawn->cgroup >= 0 && write(spawn->cgroup, "0", 1) < 0) return;
    *step = CL_SPAWN_LIMIT;
    if (spawn->open_files > 0) {
        struct rlimit limit = {spawn->open_files, spawn->open_files};
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    }
    if (spawn->apart) {
        *step = CL_SPAWN_CLOSE;
        /* The table of descriptors is this child's own. */
        if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) < 0) return;
        *step = CL_SPAWN_DEATH_SIGNAL;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return;
    }
    *step = CL_SPAWN_SIGMASK;
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) return;
    *step = CL_SPAWN_CHDIR;
    if ((spawn->place >= 0 ? fchdir(spawn->place) : chdir(spawn->directory)) < 0) return;
    *step = CL_SPAWN_LANDLOCK;
    if (spawn->ruleset >= 0 && syscall(SYS_landlock_restrict_self, spawn->ruleset, 0U) < 0) return;
    *step = CL_SPAWN_EXECVE;
    execve(spawn->path, spawn->argv, spawn->envp);
}
int cl_spawn(const struct cl_program *spawn, int *failed) {
    /* Written by the child, read by the parent after vfork has returned there. */
    volatile int error = 0, step = 0;
    pid_t pid = vfork();
    if (pid < 0) return -errno;
    if (pid == 0) {
        prepare_and_execute(spawn, &step);
        error = errno;
        _exit(125);
    }
    return spawned(pid, error, step, failed);
}
int cl_start(const struct cl_program *spawn, int report) {
    /* The raw call: no handler of a library runs in the child. */
    long pid = syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
    if (pid < 0) return -errno;
    if (pid == 0) {
        volatile int step = 0;
        prepare_and_execute(spawn, &step);
        int said[2] = {step, errno};
        /* Nobody to tell if this fails; the parent then sees the exit. */
        if (write(report, said, sizeof said) < 0) _exit(125);
        _exit(125);
    }
    return (int)pid;
}
int cl_spawn_descriptor(int program, char *const argv[], char *const envp[], int channel, int *failed) {
    volatile int error = 0, step = 0;
    pid_t pid = vfork();
    if (pid < 0) return -errno;
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        step = CL_SPAWN_SETSID;
        if (setsid() < 0) goto give_up;
        step = CL_SPAWN_DUP3;
        if (dup3(channel, 3, 0) < 0) goto give_up;
        step = CL_SPAWN_SIGMASK;
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) goto give_up;
        step = CL_SPAWN_EXECVE;
        syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
    give_up:
        error = errno;
        _exit(125);
    }
    return spawned(pid, error, step, failed);
}
int cl_setsid(void) { return RESULT(setsid()); }
int cl_getppid(void) { return (int)syscall(SYS_getppid); }
void cl_exit(int status) { _exit(status); }

int cl_thread_count(void) {
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) return -errno;
    int count = 0;
    errno = 0;
    while (readdir(tasks)) count++;
    int error = errno;
    closedir(tasks);
    return error ? -error : count - 2;
}

/* The raw calls: glibc's setxid machinery exists for threads, and there is one. */
int cl_setresuid(unsigned r, unsigned e, unsigned s) { return RESULT(syscall(SYS_setresuid, r, e, s)); }
int cl_setresgid(unsigned r, unsigned e, unsigned s) { return RESULT(syscall(SYS_setresgid, r, e, s)); }
int cl_setfsids(unsigned uid, unsigned gid) {
    /* The group first: without its rights a process may only choose among the ids that it has. */
    syscall(SYS_setfsgid, gid);
    syscall(SYS_setfsuid, uid);
    /* An id that is none changes nothing, and the answer is the one before. */
    unsigned group = (unsigned)syscall(SYS_setfsgid, -1);
    unsigned user = (unsigned)syscall(SYS_setfsuid, -1);
    return group == gid && user == uid ? 0 : -EPERM;
}
int cl_setgroups(size_t count, const unsigned *groups) { return RESULT(syscall(SYS_setgroups, count, groups)); }
int cl_getgroups(int count, unsigned *groups) { return RESULT(syscall(SYS_getgroups, count, groups)); }

int cl_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)}};
    return RESULT(syscall(SYS_capset, &header, data));
}
int cl_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    int result = RESULT(syscall(SYS_capget, &header, data));
    if (result < 0) return result;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}
int cl_setrlimit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit = {soft, hard};
    return RESULT(setrlimit((__rlimit_resource_t)resource, &limit));
}
int cl_getrlimit(int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    int result = RESULT(getrlimit((__rlimit_resource_t)resource, &limit));
    if (result < 0) return result;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}
int cl_seccomp_filter(const uint64_t *program, uint16_t count, unsigned flags) {
    struct sock_fprog filter = {.len = count, .filter = (struct sock_filter *)(uintptr_t)program};
    return RESULT(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter));
}
int cl_keyctl_join_anonymous_session(void) { return RESULT(syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, 0)); }
int cl_sched_reset(void) {
    struct sched_param parameter = {0};
    int policy = sched_getscheduler(0);
    if (policy < 0) return -errno;
    if (policy != SCHED_OTHER && sched_setscheduler(0, SCHED_OTHER, &parameter) < 0) return -errno;
    errno = 0;
    int nice_value = getpriority(PRIO_PROCESS, 0);
    if (nice_value < 0 && errno == 0 && setpriority(PRIO_PROCESS, 0, 0) < 0) return -errno;
    return errno ? -errno : 0;
}
/* IOPRIO_WHO_PROCESS, this process, no class of its own. */
int cl_ioprio_reset(void) { return RESULT(syscall(SYS_ioprio_set, 1, 0, 0)); }
int cl_personality_reset(void) { return RESULT(personality(PER_LINUX)); }
int cl_umask(unsigned mask) { return (int)umask(mask); }

static void fill(sigset_t *set, const int *signals, int count) {
    sigemptyset(set);
    for (int i = 0; i < count; i++) sigaddset(set, signals[i]);
}
int cl_sigmask_block(const int *signals, int count) {
    sigset_t set;
    fill(&set, signals, count);
    return RESULT(sigprocmask(SIG_SETMASK, &set, NULL));
}
int cl_sigmask_clear(void) {
    sigset_t set;
    sigemptyset(&set);
    return RESULT(sigprocmask(SIG_SETMASK, &set, NULL));
}
int cl_signals_default(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        if (sigaction(signal, &action, NULL) == 0) continue;
        if (errno != EINVAL) return -errno;
        /* 32 and 33 belong to the threading library, which refuses them; a caller may have been spawned with both
         * ignored. All zeroes is the kernel's own form of the default. */
        unsigned long plain[4] = {0};
        if (syscall(SYS_rt_sigaction, signal, plain, NULL, sizeof(uint64_t)) < 0) return -errno;
    }
    return 0;
}
int cl_signal_is_ignored(int signal) {
    struct sigaction action;
    return sigaction(signal, NULL, &action) < 0 ? -errno : action.sa_handler == SIG_IGN;
}
int cl_signal_ignore(int signal) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    return RESULT(sigaction(signal, &action, NULL));
}
int cl_signalfd(const int *signals, int count) {
    sigset_t set;
    fill(&set, signals, count);
    return RESULT(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}
int cl_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t count;
    do count = read(fd, &info, sizeof info);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    return count == (ssize_t)sizeof info ? (int)info.ssi_signo : -EIO;
}

int64_t cl_clock(int clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) < 0) return -errno;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
int64_t cl_realtime_seconds(void) { return time(NULL); }
const char *cl_strerror(int error) { return strerror(error); }
unsigned cl_getuid(void) { return getuid(); }
unsigned cl_geteuid(void) { return geteuid(); }
unsigned cl_getgid(void) { return getgid(); }
unsigned cl_getegid(void) { return getegid(); }
int cl_uname(char *release, size_t release_size, char *machine, size_t machine_size) {
    struct utsname name;
    if (uname(&name) < 0) return -errno;
    if (strlen(name.release) >= release_size || strlen(name.machine) >= machine_size) return -ENAMETOOLONG;
    strcpy(release, name.release);
    strcpy(machine, name.machine);
    return 0;
}
char **cl_environment(void) { return environ; }
const char *cl_getenv(const char *name) { return getenv(name); }
