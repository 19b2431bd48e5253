/// Which system calls a jail may make. Everything that is not here gets ENOSYS: programs then take the older way.
///
/// Grouped as a reader would look for them. Left out on purpose: mounts, namespaces, modules, keys, tracing, io_uring,
/// bpf, perf, userfaultfd, handles, clocks' setting, swap and reboot.
enum SystemCallList {
    static let files = """
        access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
        fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock
        fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch
        inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek
        lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2
        pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir
        sendfile setxattr splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink
        unlinkat utime utimensat utimes vmsplice write writev cachestat
        """
    static let memory = """
        brk madvise memfd_secret membarrier mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall
        munmap pkey_alloc pkey_free pkey_mprotect
        """
    static let processes = """
        alarm arch_prctl capget capset execve exit exit_group fork get_robust_list get_thread_area getegid geteuid getgid
        getgroups getitimer getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid
        gettid getuid kill pause pidfd_open pidfd_send_signal prlimit64 restart_syscall rseq sched_get_priority_max
        sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
        sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list
        set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid
        setresgid setresuid setreuid setrlimit setsid setuid tgkill tkill vfork wait4 waitid landlock_create_ruleset
        landlock_add_rule landlock_restrict_self getcpu ioprio_get ioprio_set process_madvise
        """
    static let signals = """
        rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
        rt_tgsigqueueinfo sigaltstack signalfd signalfd4
        """
    static let waiting = """
        epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
        eventfd2 futex futex_waitv io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit nanosleep poll ppoll
        pselect6 select timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
        timerfd_gettime timerfd_settime clock_nanosleep
        """
    static let clocks = "clock_getres clock_gettime gettimeofday time times"
    static let sockets = """
        accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg
        sendto setsockopt shutdown
        """
    /// System V and POSIX queues: the jail has an IPC namespace of its own.
    static let ipc = """
        mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget
        semop semtimedop shmat shmctl shmdt shmget
        """
    static let host = "getrandom sysinfo uname"

    static var allowed: [String] {
        [files, memory, processes, signals, waiting, clocks, sockets, ipc, host]
            .flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    }

    /// Known and refused: EPERM says "you may not", where ENOSYS would send a program looking for another way.
    static let refused = """
        mount umount2 pivot_root chroot unshare setns move_mount open_tree fsopen fsmount fsconfig fspick mount_setattr
        ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp reboot kexec_load kexec_file_load init_module
        finit_module delete_module swapon swapoff acct settimeofday clock_settime clock_adjtime adjtimex syslog
        sethostname setdomainname open_by_handle_at quotactl iopl ioperm vhangup nfsservctl
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    /// What an event loop, TLS and the Swift runtime call, seen with strace(1) and gone through by hand.
    static let egress = """
        read write readv writev pread64 pwrite64 close fstat newfstatat statx lseek ftruncate fcntl dup dup2 dup3 pipe2
        brk munmap mremap madvise membarrier
        epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 timerfd_create timerfd_settime poll ppoll
        futex nanosleep clock_nanosleep restart_syscall
        clock_gettime clock_getres gettimeofday time
        accept accept4 bind connect listen getpeername getsockname getsockopt setsockopt shutdown
        recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto
        exit exit_group getegid geteuid getgid getpid getppid getuid gettid getrandom getrusage getrlimit
        rseq sched_getaffinity sched_yield set_robust_list set_tid_address memfd_create
        rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack sysinfo uname
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    /// The page to decide on: it reaches nobody by itself.
    static let page = egress.filter { !["connect", "bind", "memfd_create"].contains($0) }

    /// Known and refused, so that a library says so and does not look for an older call.
    static let egressRefused = """
        open openat openat2 execve execveat ptrace process_vm_readv process_vm_writev kill unshare setns mount
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    /// What the process that watches a jail's calls for `learn` makes. It opens nothing and writes to what it has.
    static let tracer = """
        wait4 waitid readlink readlinkat statx newfstatat write close brk munmap mremap madvise
        clock_gettime exit exit_group futex getpid gettid getrandom restart_syscall
        rt_sigaction rt_sigprocmask rt_sigreturn sched_yield
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    /// ptrace(2) requests of its: PEEKDATA, CONT, SYSCALL, GETEVENTMSG, LISTEN, GET_SYSCALL_INFO. None that changes a
    /// process, and none that makes one more traced.
    static let tracerRequests: [UInt64] = [2, 7, 24, 0x4201, 0x4208, 0x420E]

    /// Newer than the libseccomp of Debian 12. From 424 on every architecture has the same numbers.
    static let numbers: [String: Int32] = ["cachestat": 451, "fchmodat2": 452]

    /// prctl(2) options that programs use for themselves.
    static let prctlOptions: [UInt64] = [
        1, 2,  // parent-death signal
        3, 4,  // dumpable
        7, 8,  // keepcaps
        15, 16,  // name
        21, 22,  // seccomp
        23,  // read the bounding set
        27,  // read the secure bits
        29, 30,  // timer slack
        36, 37,  // child subreaper
        38, 39,  // no new privileges
        40,  // tid address
        41, 42,  // huge pages
        47,  // ambient capabilities, of which there are none
        52, 53,  // speculation
        65, 66,  // memory deny write-execute
        0x5356_4D41,  // names of anonymous memory
        0x5961_6D61,  // who may trace, Yama
    ]
}
