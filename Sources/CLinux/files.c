#define _GNU_SOURCE
#include "CLinux.h"
#include "result.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

int cl_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    int result = RETRY(syscall(SYS_openat2, dir, path, &how, sizeof how));
    /* Inside a jail it is refused. Without conditions on the path openat does the same. */
    if (result == -ENOSYS && resolve == 0) result = RETRY(openat(dir, path, (int)flags, (mode_t)mode));
    return result;
}
/* Not retried: on Linux the descriptor is gone whatever close(2) says. */
int cl_close(int fd) { return RESULT(close(fd)); }
int cl_close_range(unsigned first, unsigned last) { return RESULT(syscall(SYS_close_range, first, last, 0)); }
int cl_mkdirat(int dir, const char *path, unsigned mode) { return RESULT(mkdirat(dir, path, mode)); }
int cl_symlinkat(const char *target, int dir, const char *path) { return RESULT(symlinkat(target, dir, path)); }
int cl_unlinkat(int dir, const char *path, int flags) { return RESULT(unlinkat(dir, path, flags)); }
int cl_renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return RESULT(renameat(from_dir, from, to_dir, to));
}
int cl_renameat2(int dir, const char *from, const char *to, unsigned flags) {
    return RESULT(syscall(SYS_renameat2, dir, from, dir, to, flags));
}
int cl_renameat2_between(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    return RESULT(syscall(SYS_renameat2, from_dir, from, to_dir, to, flags));
}
int cl_fchmod(int fd, unsigned mode) { return RESULT(fchmod(fd, mode)); }
long cl_flistxattr(int fd, void *buffer, size_t size) { return RESULT(flistxattr(fd, buffer, size)); }
long cl_fgetxattr(int fd, const char *name, void *buffer, size_t size) {
    return RESULT(fgetxattr(fd, name, buffer, size));
}
int cl_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return RESULT(fsetxattr(fd, name, value, size, 0));
}
int cl_fremovexattr(int fd, const char *name) { return RESULT(fremovexattr(fd, name)); }
int cl_syncfs(int fd) { return RESULT(syncfs(fd)); }
int cl_fchmodat(int dir, const char *path, unsigned mode) { return RESULT(fchmodat(dir, path, mode, 0)); }
int cl_fchown(int fd, unsigned uid, unsigned gid) { return RESULT(fchown(fd, uid, gid)); }
int cl_fchownat(int dir, const char *path, unsigned uid, unsigned gid, int flags) {
    return RESULT(fchownat(dir, path, uid, gid, flags));
}
long cl_read(int fd, void *buffer, size_t count) { return RETRY(read(fd, buffer, count)); }
long cl_pread(int fd, void *buffer, size_t count, int64_t offset) { return RETRY(pread(fd, buffer, count, offset)); }
long cl_write(int fd, const void *buffer, size_t count) { return RETRY(write(fd, buffer, count)); }
long cl_splice(int from, int to, size_t count) { return RETRY(splice(from, NULL, to, NULL, count, SPLICE_F_NONBLOCK)); }
long cl_readlinkat(int dir, const char *path, char *buffer, size_t size) {
    return RESULT(readlinkat(dir, path, buffer, size));
}
int cl_dup3(int from, int to, int flags) { return RETRY(dup3(from, to, flags)); }
int cl_fcntl(int fd, int command, long argument) { return RESULT(fcntl(fd, command, argument)); }
int cl_flock(int fd, int operation) { return RETRY(flock(fd, operation)); }
int cl_fsync(int fd) { return RETRY(fsync(fd)); }

int cl_ftruncate(int fd, int64_t length) { return RETRY(ftruncate(fd, length)); }
int cl_chdir(const char *path) { return RESULT(chdir(path)); }
int cl_fchdir(int fd) { return RESULT(fchdir(fd)); }
int cl_faccessat(int dir, const char *path, int mode, int flags) { return RESULT(faccessat(dir, path, mode, flags)); }
int cl_memfd_create(const char *name, unsigned flags) { return RESULT(memfd_create(name, flags)); }
int cl_pipe2(int fds[2], int flags) { return RESULT(pipe2(fds, flags)); }
int cl_eventfd(unsigned value, int flags) { return RESULT(eventfd(value, flags)); }
long cl_getdents(int fd, void *buffer, size_t size) { return RESULT(syscall(SYS_getdents64, fd, buffer, size)); }
int cl_getrandom(void *buffer, size_t count) { return RETRY(getrandom(buffer, count, 0)); }

int cl_statx(int dir, const char *path, int flags, struct cl_stat *out) {
    struct statx buffer;
    /* 0x1000 is STATX_MNT_ID (5.8). */
    if (statx(dir, path, flags, STATX_BASIC_STATS | 0x1000, &buffer) < 0) return -errno;
    *out = (struct cl_stat){
        .device = (uint64_t)buffer.stx_dev_major << 32 | buffer.stx_dev_minor,
        .inode = buffer.stx_ino,
        .size = buffer.stx_size,
        .mount = buffer.stx_mnt_id,
        .changed_seconds = (uint64_t)buffer.stx_ctime.tv_sec,
        .changed_nanoseconds = buffer.stx_ctime.tv_nsec,
        .modified_seconds = buffer.stx_mtime.tv_sec,
        .modified_nanoseconds = buffer.stx_mtime.tv_nsec,
        .mode = buffer.stx_mode,
        .uid = buffer.stx_uid,
        .gid = buffer.stx_gid,
        .links = buffer.stx_nlink,
        .blocks = buffer.stx_blocks,
        .device_major = buffer.stx_rdev_major,
        .device_minor = buffer.stx_rdev_minor,
    };
    return 0;
}

static int copy_statfs(const struct statfs *from, struct cl_statfs *out) {
    *out = (struct cl_statfs){
        .type = (uint64_t)from->f_type,
        .block_size = (uint64_t)from->f_bsize,
        .blocks = from->f_blocks,
        .blocks_free = from->f_bfree,
        .files = from->f_files,
        .files_free = from->f_ffree,
        .flags = (uint64_t)from->f_flags,
    };
    return 0;
}
int cl_fstatfs(int fd, struct cl_statfs *out) {
    struct statfs buffer;
    return fstatfs(fd, &buffer) < 0 ? -errno : copy_statfs(&buffer, out);
}
int cl_statfs(const char *path, struct cl_statfs *out) {
    struct statfs buffer;
    return statfs(path, &buffer) < 0 ? -errno : copy_statfs(&buffer, out);
}

int cl_open_tree(int dir, const char *path, unsigned flags) { return RESULT(syscall(SYS_open_tree, dir, path, flags)); }
int cl_move_mount(int from, int to, unsigned flags) { return RESULT(syscall(SYS_move_mount, from, "", to, "", flags)); }
int cl_mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
    return RESULT(syscall(SYS_mount_setattr, fd, "", flags, &attributes, sizeof attributes));
}
int cl_fsopen(const char *type) { return RESULT(syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */)); }
int cl_fsconfig_string(int fd, const char *key, const char *value) {
    return RESULT(syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, key, value, 0));
}
int cl_fsconfig_flag(int fd, const char *key) { return RESULT(syscall(SYS_fsconfig, fd, FSCONFIG_SET_FLAG, key, 0, 0)); }
int cl_fsconfig_create(int fd) { return RESULT(syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, 0, 0, 0)); }
int cl_fsmount(int fd, unsigned attributes) {
    return RESULT(syscall(SYS_fsmount, fd, 1 /* FSMOUNT_CLOEXEC */, attributes));
}
int cl_pivot_root(const char *new_root, const char *put_old) { return RESULT(syscall(SYS_pivot_root, new_root, put_old)); }
int cl_umount2(const char *path, int flags) { return RESULT(syscall(SYS_umount2, path, flags)); }
int cl_sethostname(const char *name, size_t length) { return RESULT(sethostname(name, length)); }
int cl_setdomainname(const char *name, size_t length) { return RESULT(setdomainname(name, length)); }

int cl_loop_attach(int image, int *number) {
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -errno;
    int result = -EBUSY;
    /* Another process may take the number between the two calls. */
    for (int attempt = 0; attempt < 16 && result == -EBUSY; attempt++) {
        int free_number = ioctl(control, LOOP_CTL_GET_FREE);
        if (free_number < 0) {
            result = -errno;
            break;
        }
        char path[32];
        snprintf(path, sizeof path, "/dev/loop%d", free_number);
        int device = open(path, O_RDWR | O_CLOEXEC);
        if (device < 0) {
            result = -errno;
            break;
        }
        struct loop_config config = {.fd = (uint32_t)image, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
        if (ioctl(device, LOOP_CONFIGURE, &config) == 0) {
            *number = free_number;
            result = device;
        } else {
            result = -errno;
            close(device);
        }
    }
    close(control);
    return result;
}

/* Landlock's newer fields are spelled out: the oldest supported headers know ABI 2. */
struct ruleset_attr {
    uint64_t fs, net, scoped;
};
struct __attribute__((packed)) path_attr {
    uint64_t access;
    int32_t parent;
};
struct port_attr {
    uint64_t access, port;
};
int cl_landlock_abi(void) { return RESULT(syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)); }
int cl_landlock_create(uint64_t fs, uint64_t net, uint64_t scoped) {
    struct ruleset_attr attributes = {fs, net, scoped};
    /* An older kernel refuses a longer structure unless the rest is zero, and then ignores it. */
    return RESULT(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
}
int cl_landlock_add_path(int ruleset, int path_fd, uint64_t access) {
    struct path_attr attributes = {access, path_fd};
    return RESULT(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attributes, 0));
}
int cl_landlock_add_port(int ruleset, uint64_t port, uint64_t access) {
    struct port_attr attributes = {access, port};
    return RESULT(syscall(SYS_landlock_add_rule, ruleset, 2 /* LANDLOCK_RULE_NET_PORT */, &attributes, 0));
}
int cl_landlock_restrict(int ruleset) { return RESULT(syscall(SYS_landlock_restrict_self, ruleset, 0)); }

int cl_poll(struct cl_poll_entry *fds, unsigned count, int timeout_ms) {
    _Static_assert(sizeof(struct cl_poll_entry) == sizeof(struct pollfd), "cl_poll_entry mirrors pollfd");
    return RESULT(poll((struct pollfd *)fds, count, timeout_ms));
}
/* Blocks beyond the end of the file, which keep its size: a later write there needs no more room. See fallocate(2). */
int cl_reserve(int fd, int64_t offset, int64_t length) { return RETRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length)); }
int cl_fdatasync(int fd) { return RETRY(fdatasync(fd)); }
/* Begins to write out what is dirty, and waits for nothing. See sync_file_range(2). */
int cl_begin_writeback(int fd) { return RESULT(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE)); }
/* chattr +a: from here on it can only grow. See FS_IOC_SETFLAGS of ioctl_iflags(2). */
int cl_make_append_only(int fd) {
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) return -errno;
    flags |= FS_APPEND_FL;
    return RESULT(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}
