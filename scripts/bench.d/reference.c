// The floor: the kernel calls of one launch, in clawjail's order, and nothing else. No profile is read, no host looked
// at, nothing checked twice, nothing reported. What clawjail needs beyond this is its own cost.
//
// usage: reference LAUNCH, a file that `bench` makes from `clawjail plan --json`: one step a line, tabs between.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int pivot_root(const char *new_root, const char *old_root);

enum { MOST_STEPS = 512, MOST_FIELDS = 8 };

struct step {
    char *field[MOST_FIELDS];
    int clone;
};

static struct step steps[MOST_STEPS];
static int step_count;

static void fail(const char *what, const char *which) {
    fprintf(stderr, "reference: %s '%s': %s\n", what, which, strerror(errno));
    _exit(125);
}

static long check(long result, const char *what, const char *which) {
    if (result < 0) fail(what, which);
    return result;
}

#define CALL(name, which, ...) check(syscall(SYS_##name, __VA_ARGS__), #name, which)

static void read_launch(const char *path) {
    static char text[1 << 18];
    int file = check(open(path, O_RDONLY | O_CLOEXEC), "open", path);
    ssize_t length = check(read(file, text, sizeof text - 1), "read", path);
    close(file);
    text[length] = 0;
    for (char *line = text; *line && step_count < MOST_STEPS;) {
        char *end = strchrnul(line, '\n'), *next = *end ? end + 1 : end;
        *end = 0;
        struct step *step = &steps[step_count++];
        for (int i = 0; i < MOST_FIELDS; i++) step->field[i] = strsep(&line, "\t");
        line = next;
    }
    // A new line inside a text is written as \001.
    for (int i = 0; i < step_count; i++)
        for (int j = 0; j < MOST_FIELDS; j++)
            for (char *c = steps[i].field[j]; c && (c = strchr(c, 1));) *c = '\n';
}

static int is(const struct step *step, const char *kind) { return !strcmp(step->field[0], kind); }
static uint64_t number(const char *text) { return strtoull(text, NULL, 0); }

#define EACH(step, kind) (struct step *step = steps; step < steps + step_count; step++) if (is(step, kind))

static const char *one(const char *kind, int field) {
    for EACH (step, kind) return step->field[field];
    return NULL;
}

static void write_file(const char *path, const char *text) {
    int file = check(open(path, O_WRONLY | O_CLOEXEC), "open", path);
    check(write(file, text, strlen(text)), "write", path);
    close(file);
}

// MARK: Mounts

static void set_attributes(int tree, uint64_t attributes, int recursive, const char *path) {
    struct mount_attr change = {.attr_set = attributes, .propagation = 1 << 18 /* MS_PRIVATE */};
    CALL(mount_setattr, path, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &change, sizeof change);
}

static int clone_tree(int at, const char *path, uint64_t attributes, int recursive) {
    int tree = CALL(open_tree, path, at, path,
                    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | (recursive ? AT_RECURSIVE : 0));
    struct statx status;
    check(statx(tree, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status), "statx", path);
    set_attributes(tree, attributes, recursive, path);
    return tree;
}

static int open_inside(int root, const char *path, uint64_t flags, uint64_t mode) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return syscall(SYS_openat2, root, path + 1, &how, sizeof how);
}

static void make_file(int root, const char *path, const char *content) {
    int file = open_inside(root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
    if (file < 0 && errno == EEXIST) return;
    check(file, "openat2", path);
    if (content && *content) check(write(file, content, strlen(content)), "write", path);
    close(file);
}

static void attach(int root, const char *path, int mount) {
    int target = check(open_inside(root, path, O_PATH, 0), "openat2", path);
    CALL(move_mount, path, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    close(target);
    close(mount);
}

// Options: pairs, ended by NULL; a NULL value is a flag.
static int make_file_system(const char *type, const char *options[][2], uint64_t attributes) {
    int context = CALL(fsopen, type, type, FSOPEN_CLOEXEC);
    for (int i = 0; options[i][0]; i++)
        CALL(fsconfig, options[i][0], context, options[i][1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, options[i][0],
             options[i][1], 0);
    CALL(fsconfig, type, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    int mount = CALL(fsmount, type, context, FSMOUNT_CLOEXEC, attributes);
    close(context);
    return mount;
}

static void mount_step(int root, struct step *step) {
    char *path = step->field[1];
    if (is(step, "directory")) check(mkdirat(root, path + 1, strtoul(step->field[2], NULL, 8)), "mkdirat", path);
    else if (is(step, "file")) make_file(root, path, step->field[2]);
    else if (is(step, "symlink")) check(symlinkat(step->field[2], root, path + 1), "symlinkat", path);
    else if (is(step, "bind")) {
        if (*step->field[4] == '0') make_file(root, path, NULL);
        attach(root, path, step->clone);
    } else if (is(step, "tmpfs"))
        attach(root, path,
               make_file_system("tmpfs",
                                (const char *[][2]){{"size", step->field[2]}, {"nr_inodes", step->field[3]},
                                                    {"mode", step->field[4]}, {NULL, NULL}},
                                number(step->field[5])));
    else if (is(step, "proc"))
        attach(root, path,
               make_file_system("proc", (const char *[][2]){{"hidepid", "invisible"}, {NULL, NULL}},
                                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
    else if (is(step, "devpts"))
        attach(root, path,
               make_file_system("devpts",
                                (const char *[][2]){{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"},
                                                    {"max", "256"}, {NULL, NULL}},
                                MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
    else if (is(step, "cover")) {
        make_file(root, "/.cover", step->field[2]);
        int tree = clone_tree(root, ".cover",
                              MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0);
        attach(root, path, tree);
        check(unlinkat(root, ".cover", 0), "unlinkat", path);
    }
}

static void build_root(void) {
    for EACH (step, "bind")
        step->clone = clone_tree(AT_FDCWD, step->field[2], number(step->field[3]), *step->field[4] == '1');
    int root = make_file_system(
        "tmpfs",
        (const char *[][2]){{"size", "4m"}, {"nr_inodes", "65536"}, {"mode", "0755"}, {NULL, NULL}},
        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    int host = check(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/");
    CALL(move_mount, "/", root, "", host, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    for (int i = 0; i < step_count; i++) mount_step(root, &steps[i]);
    close(host);
    check(fchdir(root), "fchdir", "/");
    CALL(pivot_root, "/", ".", ".");
    CALL(umount2, "/", ".", 2 /* MNT_DETACH */);
    check(chdir("/"), "chdir", "/");
    set_attributes(root, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0, "/");
}

// MARK: Walls

static void enter_landlock(void) {
    if (!one("handled", 1)) return;
    // As the newest structure of linux/landlock.h has it; what the kernel does not know must be zero.
    uint64_t attributes[3] = {number(one("handled", 1)), number(one("handled", 2)), number(one("handled", 3))};
    int ruleset = CALL(landlock_create_ruleset, "", attributes, sizeof attributes, 0);
    for EACH (step, "landlock") {
        struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
        int path = CALL(openat2, step->field[1], AT_FDCWD, step->field[1], &how, sizeof how);
        struct landlock_path_beneath_attr rule = {.allowed_access = number(step->field[2]), .parent_fd = path};
        CALL(landlock_add_rule, step->field[1], ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
        close(path);
    }
    CALL(landlock_restrict_self, "", ruleset, 0);
    close(ruleset);
}

static void drop_capabilities(void) {
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {}
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    CALL(capset, "", &header, none);
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "PR_SET_NO_NEW_PRIVS");
    check(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl", "PR_SET_DUMPABLE");
}

// Read before the clone, as clawjail has them in its binary.
static struct sock_fprog filters[4];
static int filter_count;

static void read_filters(void) {
    for EACH (step, "filter") {
        int file = check(open(step->field[1], O_RDONLY | O_CLOEXEC), "open", step->field[1]);
        struct sock_filter *program = malloc(BPF_MAXINSNS * sizeof *program);
        ssize_t length = check(read(file, program, BPF_MAXINSNS * sizeof *program), "read", step->field[1]);
        close(file);
        filters[filter_count++] = (struct sock_fprog){length / sizeof *program, program};
    }
}

// MARK: Init

static void run_init(int go, int tasks[], int task_count) {
    char byte;
    check(read(go, &byte, 1) - 1, "read", "go");
    for (int i = 0; i < task_count; i++) check(write(tasks[i], "0", 1), "write", "tasks");
    check(unshare(CLONE_NEWCGROUP), "unshare", "cgroup");
    check(close_range(3, ~0u, 0), "close_range", "");

    check(unshare(CLONE_NEWTIME), "unshare", "time");
    struct timespec monotonic, boottime;
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    clock_gettime(CLOCK_BOOTTIME, &boottime);
    char offsets[128];
    snprintf(offsets, sizeof offsets, "monotonic -%ld 0\nboottime -%ld 0\n", monotonic.tv_sec, boottime.tv_sec);
    write_file("/proc/self/timens_offsets", offsets);

    uint32_t gid = number(one("inside", 2)), uid = number(one("inside", 1));
    if (!one("deny-setgroups", 0)) CALL(setgroups, "", 0, NULL);
    CALL(setresgid, "", gid, gid, gid);
    CALL(setresuid, "", uid, uid, uid);

    check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "prctl", "PR_SET_PDEATHSIG");
    check(setsid(), "setsid", "");
    CALL(keyctl, "", 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL);
    umask(022);
    const char *host = one("host", 1);
    check(sethostname(host, strlen(host)), "sethostname", host);
    check(setdomainname("(none)", 6), "setdomainname", "");

    int socket_ = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket", "");
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    check(ioctl(socket_, SIOCSIFFLAGS, &loopback), "ioctl", "SIOCSIFFLAGS");
    close(socket_);

    build_root();
    for EACH (step, "limit") {
        struct rlimit limit = {number(step->field[2]), number(step->field[2])};
        check(setrlimit(number(step->field[1]), &limit), "setrlimit", step->field[1]);
    }
    enter_landlock();
    drop_capabilities();
    for (int i = 0; i < filter_count; i++) CALL(seccomp, "", SECCOMP_SET_MODE_FILTER, 0, &filters[i]);

    pid_t pid = check(fork(), "fork", "");
    if (pid == 0) {
        setsid();
        check(chdir(one("directory-of-command", 1)), "chdir", "");
        char *arguments[16] = {0}, *environment[32] = {0};
        int count = 0;
        for EACH (step, "arg") arguments[count++] = step->field[1];
        count = 0;
        for EACH (step, "env") environment[count++] = step->field[1];
        execve(arguments[0], arguments, environment);
        fail("execve", arguments[0]);
    }
    int status = 0;
    check(waitpid(pid, &status, 0), "waitpid", "");
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// MARK: Supervisor

int main(int count, char **arguments) {
    if (count != 2) return 64;
    read_launch(arguments[1]);
    read_filters();

    int tasks[8], task_count = 0;
    for EACH (step, "cgroup") check(mkdir(step->field[1], 0755), "mkdir", step->field[1]);
    for EACH (step, "write") write_file(step->field[1], step->field[2]);
    for EACH (step, "tasks")
        tasks[task_count++] = check(open(step->field[1], O_WRONLY | O_CLOEXEC), "open", step->field[1]);

    int go[2], pidfd = -1;
    check(pipe2(go, O_CLOEXEC), "pipe2", "");
    struct clone_args clone = {.flags = number(one("flags", 1)) | CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd,
                               .exit_signal = SIGCHLD};
    pid_t pid = CALL(clone3, "", &clone, sizeof clone);
    if (pid == 0) run_init(go[0], tasks, task_count);
    for (int i = 0; i < task_count; i++) close(tasks[i]);

    char path[64];
    if (one("deny-setgroups", 0)) {
        snprintf(path, sizeof path, "/proc/%d/setgroups", pid);
        write_file(path, "deny");
    }
    snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
    write_file(path, one("map-gid", 1));
    snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
    write_file(path, one("map-uid", 1));
    check(write(go[1], "1", 1), "write", "go");

    struct pollfd ended = {pidfd, POLLIN, 0};
    check(poll(&ended, 1, -1), "poll", "");
    siginfo_t how = {0};
    check(waitid(P_PIDFD, pidfd, &how, WEXITED), "waitid", "");
    for (int i = step_count - 1; i >= 0; i--)
        if (is(&steps[i], "cgroup")) check(rmdir(steps[i].field[1]), "rmdir", steps[i].field[1]);
    return how.si_code == CLD_EXITED ? how.si_status : 128 + how.si_status;
}
