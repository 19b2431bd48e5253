/* Numbers that Swift code spells out because they are the same on both architectures. Compiled for each: here is where one
 * that is not would be found. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include "CLinux.h"

#define SAME(name, number) _Static_assert((unsigned long long)(name) == (number), #name)

/* OpenFlags. O_DIRECTORY and O_NOFOLLOW differ, and are taken from the headers. */
SAME(O_WRONLY, 01); SAME(O_RDWR, 02); SAME(O_CREAT, 0100); SAME(O_EXCL, 0200); SAME(O_NOCTTY, 0400);
SAME(O_TRUNC, 01000); SAME(O_APPEND, 02000); SAME(O_NONBLOCK, 04000); SAME(O_PATH, 010000000);
/* Of the filter over modes: the bit that is O_TMPFILE's own, whatever O_DIRECTORY is. */
SAME(O_TMPFILE & ~O_DIRECTORY, 020000000);
SAME(AT_EMPTY_PATH, 0x1000); SAME(AT_RECURSIVE, 0x8000); SAME(AT_EACCESS, 0x200);
SAME(RESOLVE_NO_XDEV, 1); SAME(RESOLVE_NO_MAGICLINKS, 2); SAME(RESOLVE_NO_SYMLINKS, 4); SAME(RESOLVE_BENEATH, 8);
SAME(RESOLVE_IN_ROOT, 16);
SAME(LOCK_SH, 1); SAME(LOCK_EX, 2); SAME(LOCK_UN, 8);
SAME(CGROUP2_SUPER_MAGIC, 0x63677270); SAME(CGROUP_SUPER_MAGIC, 0x27e0eb); SAME(TMPFS_MAGIC, 0x01021994);
SAME(PROC_SUPER_MAGIC, 0x9fa0);
/* Mounts */
SAME(MOUNT_ATTR_RDONLY, 1); SAME(MOUNT_ATTR_NOSUID, 2); SAME(MOUNT_ATTR_NODEV, 4); SAME(MOUNT_ATTR_NOEXEC, 8);
SAME(OPEN_TREE_CLONE, 1); SAME(MOVE_MOUNT_F_EMPTY_PATH, 4); SAME(MOVE_MOUNT_T_EMPTY_PATH, 0x40);
SAME(MS_PRIVATE, 1 << 18); SAME(MNT_DETACH, 2);
/* Namespaces, and threads */
SAME(CLONE_NEWTIME, 0x80); SAME(CLONE_NEWNS, 0x20000); SAME(CLONE_NEWCGROUP, 0x2000000);
SAME(CLONE_NEWUTS, 0x4000000); SAME(CLONE_NEWIPC, 0x8000000); SAME(CLONE_NEWUSER, 0x10000000);
SAME(CLONE_NEWPID, 0x20000000); SAME(CLONE_NEWNET, 0x40000000);
SAME(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, 0x50f00);
/* Resources */
SAME(RLIMIT_CPU, 0); SAME(RLIMIT_FSIZE, 1); SAME(RLIMIT_DATA, 2); SAME(RLIMIT_STACK, 3); SAME(RLIMIT_CORE, 4);
SAME(RLIMIT_RSS, 5); SAME(RLIMIT_NPROC, 6); SAME(RLIMIT_NOFILE, 7); SAME(RLIMIT_MEMLOCK, 8); SAME(RLIMIT_AS, 9);
SAME(RLIMIT_LOCKS, 10); SAME(RLIMIT_SIGPENDING, 11); SAME(RLIMIT_MSGQUEUE, 12); SAME(RLIMIT_NICE, 13);
SAME(RLIMIT_RTPRIO, 14); SAME(RLIMIT_RTTIME, 15);
/* Arguments that the filters look at */
SAME(TIOCSTI, 0x5412); SAME(TIOCLINUX, 0x541C); SAME(TIOCSETD, 0x5423); SAME(FIONREAD, 0x541B); SAME(FIONBIO, 0x5421);
SAME(AF_UNIX, 1); SAME(AF_INET, 2); SAME(AF_INET6, 10); SAME(AF_NETLINK, 16); SAME(SOCK_STREAM, 1); SAME(SOCK_DGRAM, 2);
SAME(PROT_EXEC, 4); SAME(MFD_CLOEXEC, 1); SAME(MFD_ALLOW_SEALING, 2); SAME(F_ADD_SEALS, 1033); SAME(F_GET_SEALS, 1034);
SAME(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, 15);
SAME(PR_SET_PDEATHSIG, 1); SAME(PR_SET_DUMPABLE, 4); SAME(PR_SET_NAME, 15); SAME(PR_CAPBSET_READ, 23);
SAME(PR_CAPBSET_DROP, 24); SAME(PR_SET_SECUREBITS, 28); SAME(PR_SET_CHILD_SUBREAPER, 36); SAME(PR_SET_NO_NEW_PRIVS, 38);
SAME(PR_CAP_AMBIENT, 47); SAME(PR_CAP_AMBIENT_CLEAR_ALL, 4);
SAME(SECCOMP_RET_ALLOW, 0x7fff0000); SAME(SECCOMP_RET_ERRNO, 0x50000); SAME(SECCOMP_RET_KILL_PROCESS, 0x80000000u);
SAME(AUDIT_ARCH_X86_64, 0xC000003Eu); SAME(AUDIT_ARCH_AARCH64, 0xC00000B7u);
/* Time, events, signals */
SAME(CLOCK_REALTIME, 0); SAME(CLOCK_MONOTONIC, 1); SAME(CLOCK_BOOTTIME, 7);
SAME(POLLIN, 1); SAME(POLLPRI, 2); SAME(POLLOUT, 4); SAME(POLLERR, 8); SAME(POLLHUP, 16); SAME(POLLNVAL, 32);
SAME(SIGINT, 2); SAME(SIGQUIT, 3); SAME(SIGKILL, 9); SAME(SIGPIPE, 13); SAME(SIGTERM, 15); SAME(SIGCHLD, 17);
SAME(SIGSTOP, 19); SAME(SIGWINCH, 28);
SAME(CAP_DAC_OVERRIDE, 1);
/* Room that Swift leaves for C */
_Static_assert(sizeof(struct termios) <= CL_TERMIOS_SIZE, "termios");
_Static_assert(sizeof(long) == 8 && sizeof(void *) == 8, "64 bits");
_Static_assert((char)-1 < 0 || (char)-1 > 0, "char is signed or not: no code may care");
