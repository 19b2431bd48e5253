/* Makes system calls that no jail may make by itself, each so that it does nothing, and that the kernel answers a process
 * without rights otherwise than a filter does. Prints those that were answered as a filter answers: ENOSYS, EPERM.
 *
 * With the argument "names" it prints them all. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    long number;
    long arguments[6];
} calls[] = {
#define CALL(name, ...) {#name, SYS_##name, {__VA_ARGS__}}
    CALL(ustat, 0, 0),
    CALL(sysfs, 3),
    CALL(remap_file_pages, 1, 0, 0, 0, 0),
    CALL(mbind, 1, 4096, 0, 0, 0, 0),
    CALL(set_mempolicy, 99, 0, 0),
    CALL(get_mempolicy, 0, 0, 0, 0, 99),
    CALL(migrate_pages, 0, 0, 0, 0),
    CALL(move_pages, 0, 0, 0, 0, 0, 99),
    CALL(process_mrelease, -1, 0),
    CALL(set_mempolicy_home_node, 1, 0, 0, 99),
    CALL(modify_ldt, 99, 0, 0),
    CALL(add_key, 0, 0, 0, 0, 0),
    CALL(request_key, 0, 0, 0, 0),
    CALL(perf_event_open, 0, 0, -1, -1, -1),
    CALL(fanotify_mark, -1, 0, 0, -1, 0),
    CALL(name_to_handle_at, -1, 0, 0, 0, 0),
    CALL(bpf, 0, 0, 0),
    CALL(userfaultfd, 0x7fffffff),
    CALL(io_uring_setup, 0, 0),
    CALL(io_uring_enter, -1, 0, 0, 0, 0, 0),
    CALL(io_uring_register, -1, 0, 0, 0),
    CALL(keyctl, 99, 0, 0, 0, 0),
    CALL(clock_settime, 99, 0),
    CALL(quotactl_fd, -1, 0, 0, 0),
    CALL(umount2, 0, 0x7fffffff),
    CALL(chroot, 0),
    CALL(setns, -1, 0),
    CALL(unshare, 0x1),
    CALL(open_tree, -1, 0, 0x7fffffff),
    CALL(fsconfig, -1, 0, 0, 0, 0),
    CALL(ptrace, 99, 0x7fffffff, 0, 0),
    CALL(process_vm_readv, 0x7fffffff, 0, 0, 0, 0, 0),
    CALL(process_vm_writev, 0x7fffffff, 0, 0, 0, 0, 0),
    CALL(pidfd_getfd, -1, 0, 0),
    CALL(kcmp, 0x7fffffff, 0x7fffffff, 0, 0, 0),
    CALL(settimeofday, 1, 0),
    CALL(clock_adjtime, 99, 0),
    CALL(adjtimex, 1),
    CALL(quotactl, -1, 0, 0, 0),
    CALL(open_by_handle_at, -1, 0, 0),
};

int main(int count, char **words)
{
    int missing = 0;
    for (size_t index = 0; index < sizeof calls / sizeof calls[0]; index++) {
        const long *a = calls[index].arguments;
        if (count > 1 && strcmp(words[1], "names") == 0) {
            puts(calls[index].name);
            continue;
        }
        long result = syscall(calls[index].number, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (result < 0 && (errno == ENOSYS || errno == EPERM)) {
            printf("%s: %s\n", calls[index].name, strerror(errno));
            missing++;
        }
    }
    return missing > 0;
}
