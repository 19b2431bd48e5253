#include "call.h"
#include "CProbe.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

/* System calls that a jail does not need, with arguments that do nothing where they are allowed. */

static long keyctl(const char *unused) { return CALL(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }
static long add_key(const char *unused) {
    return CALL(SYS_add_key, "user", "jailprobe", "x", 1, KEY_SPEC_PROCESS_KEYRING);
}
static long request_key(const char *unused) {
    long result = CALL(SYS_request_key, "user", "jailprobe: no such key", NULL, 0);
    return result == -ENOKEY ? 0 : result;
}

static long bpf(const char *unused) {
    /* BPF_MAP_CREATE: an array of one number. */
    struct { unsigned type, key_size, value_size, max_entries, flags; char rest[100]; } attributes = {2, 4, 4, 1, 0, {0}};
    return CALL(SYS_bpf, 0, &attributes, sizeof attributes);
}

static long io_uring(const char *unused) {
    char parameters[120] = {0};
    return CALL(SYS_io_uring_setup, 1, parameters);
}

static long perf_event(const char *unused) {
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes,
        .config = PERF_COUNT_SW_DUMMY, .exclude_kernel = 1};
    return CALL(SYS_perf_event_open, &attributes, 0L, -1L, -1L, 0L);
}

static long userfaultfd(const char *unused) { return CALL(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */); }
static long fanotify(const char *unused) { return CALL(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, 0); }
static long kcmp(const char *unused) { return CALL(SYS_kcmp, getpid(), getpid(), 0L, 0L, 0L); }
static long mempolicy(const char *unused) { return CALL(SYS_set_mempolicy, 0, NULL, 0); }
static long kernel_log(const char *unused) { return CALL(SYS_syslog, 10 /* size of the buffer */, NULL, 0); }
static long pidfd_getfd(const char *unused) {
    long pidfd = CALL(SYS_pidfd_open, getppid(), 0);
    return pidfd < 0 ? pidfd : CALL(SYS_pidfd_getfd, pidfd, 1, 0);
}
static long read_parent(const char *unused) {
    char byte;
    static char other;
    struct iovec local = {&byte, 1}, remote = {&other, 1};
    return CALL(SYS_process_vm_readv, getppid(), &local, 1L, &remote, 1L, 0L);
}
static long userns_clone(const char *unused) {
    long pid = CALL(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0L, 0L, 0L, 0L);
    if (pid == 0) _exit(0);
    return pid;
}
/* struct clone_args of linux/sched.h, its first version */
struct clone3_arguments { unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; };
static long clone3(const char *unused) {
    struct clone3_arguments arguments = {.exit_signal = SIGCHLD};
    long pid = CALL(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) _exit(0);
    return pid;
}
static long clone3_userns(const char *unused) {
    struct clone3_arguments arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = CALL(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) _exit(0);
    return pid;
}
static long no_randomisation(const char *unused) { return CALL(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */); }
static long readable_means_executable(const char *unused) { return CALL(SYS_personality, 0x0400000); }
static long ask_personality(const char *unused) { return CALL(SYS_personality, 0xffffffff); }
static long unknown_call(const char *unused) { return CALL(1000, 0); }

#if defined(__x86_64__)
static long modify_ldt(const char *unused) {
    char buffer[16];
    return CALL(SYS_modify_ldt, 0, buffer, sizeof buffer);
}
static long iopl(const char *unused) { return CALL(SYS_iopl, 0); }
/* The x32 way to number calls: getpid */
static long x32(const char *unused) { return CALL(0x40000000 | SYS_getpid); }
/* The 32-bit way to make them: getpid */
static long int80(const char *unused) {
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result;
}
#endif

/* A page that is written first and executed then, as a just-in-time compiler makes it. */
static long write_then_execute(const char *unused) {
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return -errno;
    page[0] = 0;
    return outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

long probe_call(const char *number) { return CALL(atol(number), -1L, -1L, -1L, -1L, -1L, -1L); }

static const struct probe_attempt calls[] = {
    {"keyctl", keyctl},
    {"add_key", add_key},
    {"request_key", request_key},
    {"bpf", bpf},
    {"io_uring_setup", io_uring},
    {"perf_event_open", perf_event},
    {"userfaultfd", userfaultfd},
    {"fanotify_init", fanotify},
    {"kcmp", kcmp},
    {"set_mempolicy", mempolicy},
    {"syslog", kernel_log},
    {"pidfd_getfd parent", pidfd_getfd},
    {"process_vm_readv parent", read_parent},
    {"clone newuser", userns_clone},
    {"clone3", clone3},
    {"clone3 newuser", clone3_userns},
    {"personality no randomisation", no_randomisation},
    {"personality read implies exec", readable_means_executable},
    {"personality query", ask_personality},
    {"unknown call", unknown_call},
    {"write then execute memory", write_then_execute},
#if defined(__x86_64__)
    {"modify_ldt", modify_ldt},
    {"iopl", iopl},
    {"x32", x32},
    {"int80", int80},
#endif
    {NULL, NULL},
};

const struct probe_attempt *probe_calls_table(void) { return calls; }
