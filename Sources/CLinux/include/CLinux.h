/*
 * Thin calls to the kernel. Every function returns a result >= 0 or -errno: nothing can overwrite the
 * error code between the call and its reader. No function here takes a decision.
 *
 * Calls that glibc 2.36 lacks go through syscall(2). Constants newer than the oldest supported headers
 * (Debian 12, Linux 6.1) are spelled out in Swift, beside their use.
 */
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

/* Processes: clone3(2), wait(2), pidfd_*(2), prctl(2) */
int cl_clone3(uint64_t flags, int cgroup_fd, int *pidfd);
int cl_fork(void);
int cl_unshare(int flags);
int cl_setns(int fd, int flags);
int cl_pidfd_open(int pid);
int cl_pidfd_send_signal(int pidfd, int signal);
/* Waits for a child; fills si_code and si_status. Returns the pid, or 0 if nothing is there with WNOHANG. */
int cl_waitid(int idtype, int id, int *code, int *status, int options);
int cl_kill(int pid, int signal);
int cl_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5);
int cl_execve(const char *path, char *const argv[], char *const envp[]);
/* Replaces this process by the program behind an open descriptor. */
int cl_execveat(int program, char *const argv[], char *const envp[]);

/* What cl_spawn executes, and how it prepares between vfork and execve. */
struct cl_program {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *directory;
    int place; /* an open directory, instead of `directory`; -1: none */
    int terminal; /* becomes 0, 1, 2 and the controlling terminal; -1: none */
    int streams[3]; /* become 0, 1, 2 where there is no terminal; above 2, or -1: as they are */
    uint64_t open_files; /* RLIMIT_NOFILE, soft and hard; 0: as it is */
    int cgroup; /* its `tasks` or `cgroup.procs`, to enter it; -1: stays */
    int ruleset; /* of Landlock, enforced on it last of all before execve; -1: none */
    int apart; /* has no descriptor but 0, 1 and 2, whatever is not close-on-exec, and is killed with this process; 0: no */
};
enum {
    CL_SPAWN_SETSID = 1, CL_SPAWN_DUP3, CL_SPAWN_TERMINAL, CL_SPAWN_SIGMASK, CL_SPAWN_CHDIR, CL_SPAWN_EXECVE,
    CL_SPAWN_CGROUP, CL_SPAWN_LIMIT, CL_SPAWN_CLOSE, CL_SPAWN_DEATH_SIGNAL, CL_SPAWN_LANDLOCK
};
/* Starts a program in a session of its own, with no signal blocked or ignored, in `directory`. Returns its pid once execve has
 * succeeded; otherwise -errno, and in `failed` which step it was. The child shares this process's memory until then,
 * and this process waits: no page is copied, and the child's error needs no pipe. See vfork(2). */
int cl_spawn(const struct cl_program *spawn, int *failed);
/* The same with a copy of this process, which does not wait: whoever may signal the child could otherwise stop this process
 * with it. `report` must be close-on-exec; two ints come out of it if a step failed, which one and its errno, and its end
 * alone if none did. Returns the pid, or -errno. */
int cl_start(const struct cl_program *spawn, int report);
/* Starts the program behind an open descriptor in the same way, with `channel` as its descriptor 3, and no other file but 0, 1,
 * 2 and those that are not close-on-exec. The steps are SETSID, DUP3, SIGMASK, EXECVE. See execveat(2). */
int cl_spawn_descriptor(int program, char *const argv[], char *const envp[], int channel, int *failed);
int cl_setsid(void);
int cl_getppid(void);
_Noreturn void cl_exit(int status);
int cl_thread_count(void);

/* Identity and privileges: setresuid(2), capset(2), setgroups(2), setrlimit(2), seccomp(2) */
int cl_setresuid(unsigned r, unsigned e, unsigned s);
int cl_setresgid(unsigned r, unsigned e, unsigned s);
/* setfsuid(2), setfsgid(2): they report nothing, so what came of it is read back. */
int cl_setfsids(unsigned uid, unsigned gid);
int cl_setgroups(size_t count, const unsigned *groups);
int cl_getgroups(int count, unsigned *groups);
int cl_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int cl_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);
int cl_setrlimit(int resource, uint64_t soft, uint64_t hard);
int cl_getrlimit(int resource, uint64_t *soft, uint64_t *hard);
int cl_seccomp_filter(const uint64_t *program, uint16_t count, unsigned flags);
int cl_keyctl_join_anonymous_session(void);
int cl_sched_reset(void);
int cl_ioprio_reset(void);
int cl_personality_reset(void);
int cl_umask(unsigned mask);

/* Signals: sigprocmask(2), sigaction(2), signalfd(2) */
int cl_sigmask_block(const int *signals, int count);
int cl_sigmask_clear(void);
int cl_signals_default(void);
int cl_signal_ignore(int signal);
int cl_signal_is_ignored(int signal);
int cl_signalfd(const int *signals, int count);
/* Reads one signal; returns its number, or -EAGAIN. */
int cl_signalfd_read(int fd);

/* Tracing: ptrace(2). Nothing here changes a traced process. */
int cl_trace_seize(int pid, unsigned long options);
/* how: 0 up to its next stop, 1 up to its next system call, 2 it stays stopped until a SIGCONT. */
int cl_trace_continue(int pid, int how, int signal);
int cl_trace_message(int pid, uint64_t *message);
struct cl_trace_call {
    int kind; /* PTRACE_SYSCALL_INFO_*: 1 it enters, 2 it leaves */
    uint32_t architecture;
    uint64_t number, arguments[6]; /* where it enters */
    int64_t result;                /* where it leaves */
    int failed;
};
int cl_trace_call(int pid, struct cl_trace_call *out);
int cl_trace_word(int pid, uint64_t address, uint64_t *word);
/* Waits for any traced thread, and gives its wait(2) status. Returns its id. */
int cl_trace_wait(int *status);

/* Files: openat2(2), statx(2) and friends */
int cl_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int cl_close(int fd);
int cl_close_range(unsigned first, unsigned last);
int cl_mkdirat(int dir, const char *path, unsigned mode);
int cl_symlinkat(const char *target, int dir, const char *path);
int cl_unlinkat(int dir, const char *path, int flags);
int cl_renameat(int from_dir, const char *from, int to_dir, const char *to);
/* flags: 1 RENAME_NOREPLACE, 2 RENAME_EXCHANGE */
int cl_renameat2(int dir, const char *from, const char *to, unsigned flags);
int cl_syncfs(int fd);
int cl_fchmodat(int dir, const char *path, unsigned mode);
int cl_fchown(int fd, unsigned uid, unsigned gid);
int cl_fchownat(int dir, const char *path, unsigned uid, unsigned gid, int flags);
long cl_read(int fd, void *buffer, size_t count);
long cl_pread(int fd, void *buffer, size_t count, int64_t offset);
long cl_write(int fd, const void *buffer, size_t count);
/* From one pipe to another without waiting for either, whatever their flags say, see splice(2). */
long cl_splice(int from, int to, size_t count);
long cl_readlinkat(int dir, const char *path, char *buffer, size_t size);
int cl_dup3(int from, int to, int flags);
int cl_fcntl(int fd, int command, long argument);
int cl_flock(int fd, int operation);
int cl_fsync(int fd);
int cl_ftruncate(int fd, int64_t length);
int cl_reserve(int fd, int64_t offset, int64_t length);
int cl_fdatasync(int fd);
int cl_begin_writeback(int fd);
int cl_make_append_only(int fd);
int cl_chdir(const char *path);
int cl_fchdir(int fd);
int cl_faccessat(int dir, const char *path, int mode, int flags);
int cl_memfd_create(const char *name, unsigned flags);
int cl_pipe2(int fds[2], int flags);
int cl_eventfd(unsigned value, int flags);
/* One getdents64 block; the caller walks it with cl_dirent_next. */
long cl_getdents(int fd, void *buffer, size_t size);

struct cl_stat {
    uint64_t device, inode, size, mount;
    uint64_t changed_seconds, changed_nanoseconds;
    int64_t modified_seconds, modified_nanoseconds;
    uint32_t mode, uid, gid, links;
    uint64_t blocks;
    uint32_t device_major, device_minor; /* which device it stands for, of a device file */
};
int cl_statx(int dir, const char *path, int flags, struct cl_stat *out);

/* renameat2(2) from one directory into another */
int cl_renameat2_between(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int cl_fchmod(int fd, unsigned mode);
/* Extended attributes: flistxattr(2), fgetxattr(2), fsetxattr(2), fremovexattr(2) */
long cl_flistxattr(int fd, void *buffer, size_t size);
long cl_fgetxattr(int fd, const char *name, void *buffer, size_t size);
int cl_fsetxattr(int fd, const char *name, const void *value, size_t size);
int cl_fremovexattr(int fd, const char *name);

struct cl_statfs {
    uint64_t type, block_size, blocks, blocks_free, files, files_free, flags;
};
int cl_fstatfs(int fd, struct cl_statfs *out);
int cl_statfs(const char *path, struct cl_statfs *out);

/* Mounts: open_tree(2), move_mount(2), mount_setattr(2), fsopen(2), pivot_root(2) */
int cl_open_tree(int dir, const char *path, unsigned flags);
int cl_move_mount(int from, int to, unsigned flags);
int cl_mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation);
int cl_fsopen(const char *type);
int cl_fsconfig_string(int fd, const char *key, const char *value);
int cl_fsconfig_flag(int fd, const char *key);
int cl_fsconfig_create(int fd);
int cl_fsmount(int fd, unsigned attributes);
int cl_pivot_root(const char *new_root, const char *put_old);
int cl_umount2(const char *path, int flags);
int cl_sethostname(const char *name, size_t length);
int cl_setdomainname(const char *name, size_t length);

/* Binds a free loop device to an open image, see loop(4); it goes when its last user goes. Returns its descriptor and
 * sets `number`. */
int cl_loop_attach(int image, int *number);

/* Landlock: landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2) */
int cl_landlock_abi(void);
int cl_landlock_create(uint64_t fs, uint64_t net, uint64_t scoped);
int cl_landlock_add_path(int ruleset, int path_fd, uint64_t access);
int cl_landlock_add_port(int ruleset, uint64_t port, uint64_t access);
int cl_landlock_restrict(int ruleset);

/* Sockets: socket(2), unix(7), ip(7), netdevice(7) */
int cl_socket(int domain, int type, int protocol);
int cl_socketpair(int type, int fds[2]);
int cl_bind_inet4(int fd, uint32_t address, uint16_t port);
int cl_connect_inet4(int fd, uint32_t address, uint16_t port);
int cl_bind_abstract(int fd, const void *path, size_t length);
int cl_bind_unix(int fd, const char *path);
int cl_connect_unix(int fd, const char *path);
/* One datagram, without waiting. The name's bytes as they are: an abstract one begins with NUL. */
long cl_send_datagram_unix(int fd, const void *path, size_t length, const void *bytes, size_t count);
int cl_listen(int fd, int backlog);
int cl_accept(int fd, int flags);
int cl_setsockopt_int(int fd, int level, int option, int value);
int cl_getsockopt_int(int fd, int level, int option, int *value);
int cl_getsockname_port(int fd);
int cl_shutdown(int fd, int how);
int cl_peer_credentials(int fd, int *pid, unsigned *uid, unsigned *gid);
int cl_loopback_up(void);
/* `ip route add local default dev lo`, of IP version 4 or 6: every address is one of this namespace, see rtnetlink(7). */
int cl_route_everything_here(int version);
/* Binds an IPv6 socket to ::1. */
int cl_bind_loopback6(int fd, uint16_t port);
/* Binds an IPv6 socket to every address. */
int cl_bind_everywhere(int fd, uint16_t port);
/* One message with up to 96 descriptors. Returns the number of bytes, or -errno. Never blocks for SIGPIPE. */
long cl_send_message(int fd, const void *bytes, size_t count, const int *fds, int fd_count);
long cl_receive_message(int fd, void *bytes, size_t count, int *fds, int *fd_count);

/* poll(2) */
struct cl_poll_entry {
    int fd;
    short events, revents;
};
int cl_poll(struct cl_poll_entry *fds, unsigned count, int timeout_ms);

/* Terminals: pty(7), termios(3), ioctl_tty(2) */
int cl_open_pty(int *master, int *slave);
int cl_tty_set_controlling(int fd);
int cl_tty_get_size(int fd, uint16_t *rows, uint16_t *columns);
int cl_tty_set_size(int fd, uint16_t rows, uint16_t columns);
/* 1 or 0; -errno if that cannot be known. */
int cl_isatty(int fd);
/* 1 if this process is in the foreground of the terminal, or if it is no terminal of ours. */
int cl_is_foreground(int fd);
/* Saves the attributes of `fd` in `saved` (CL_TERMIOS_SIZE bytes) and switches it to raw mode. */
#define CL_TERMIOS_SIZE 128
int cl_tty_make_raw(int fd, unsigned char *saved);
int cl_tty_get_state(int fd, unsigned char *saved);
int cl_tty_restore(int fd, const unsigned char *saved);
/* Saves the attributes, and shows no more of what is typed than that a line has ended. What was typed before is gone. */
int cl_tty_hide(int fd, unsigned char *saved);

/* Memory of nobody else's: mmap(2), mlock(2), madvise(2) */
int cl_memory_map(size_t size, void **place);
int cl_memory_unmap(void *place, size_t size);
int cl_memory_lock(void *place, size_t size);
/* MADV_DONTDUMP */
int cl_memory_hide(void *place, size_t size);
/* MADV_WIPEONFORK */
int cl_memory_wipe_on_fork(void *place, size_t size);
void cl_memory_wipe(void *place, size_t size);
/* 1 or 0, in a time that says nothing of the content. */
int cl_memory_differs(const void *one, const void *other, size_t size);

/* The user's keyring: keyctl(2). A key's number, and how long it is. */
int cl_keyring_find(const char *name);
long cl_keyring_read(int key, void *buffer, size_t size);
/* Zeroes in the place of a variable's value, also in /proc/PID/environ. */
void cl_wipe_environment(const char *name);

/* Time, in nanoseconds: clock_gettime(2) */
int64_t cl_clock(int clock);
int64_t cl_realtime_seconds(void);
int cl_getrandom(void *buffer, size_t count);
const char *cl_strerror(int error);
unsigned cl_getuid(void);
unsigned cl_geteuid(void);
unsigned cl_getgid(void);
unsigned cl_getegid(void);
int cl_uname(char *release, size_t release_size, char *machine, size_t machine_size);
char **cl_environment(void);
const char *cl_getenv(const char *name);

/* The host: sched_getaffinity(2), sysinfo(2), getxattr(2), and a trial of namespaces in a child that ends at once */
int cl_processor_count(void);
uint64_t cl_total_memory(void);
long cl_getxattr(const char *path, const char *name, void *buffer, size_t size);
int cl_seccomp_available(void);
/* Fills four results of 0 or -errno: user namespace, id maps, the other namespaces, a fresh /proc. */
int cl_try_namespaces(int *steps);
/* Writes a text to a file in a child that ends at once: what a process says of itself alone leaves nothing behind. Returns 0
 * or -errno. */
int cl_try_write(const char *path, const char *text);

#endif
