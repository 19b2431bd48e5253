"""Which call of a launch must end it when it fails, and which it can do without, and why."""

import re

KINDS = {
    "must fail": "the command never ran, one line names the stage, nothing is left",
    "tolerated": "everything is as if the call had worked",
    "dies": "without memory the process may die by itself; the command never ran, nothing is left after the next start",
    "dies late": "the same where the command may run already: it ends with the supervisor",
    "either": "works, or fails well, and nothing is left",
    "runtime": "before main: the runtime does without, or ends in its own way",
    "late": "the command may run already: it ends well, or is ended, and nothing is left",
    "stopped": "the log cannot be written: the jail is stopped, as its profile says, and told why; or it had ended well or badly by then",
    "killed": "the supervisor killed during a call: the command ends with it, and the next start removes the rest",
    "left to the next start": "the result is normal, and the next start removes what could not be removed",
}

# Calls without an error path in the kernel, and one whose fault makes a state that no kernel knows.
NO_FAULT = {
    "exit_group": "does not return",
    "rt_sigreturn": "does not return",
    "getpid": "cannot fail", "gettid": "cannot fail", "getppid": "cannot fail", "umask": "cannot fail",
    "restart_syscall": "is the kernel's own continuation of another call",
}

# What a launch makes everywhere, and is not made to fail a second time where a launch does more of the same.
REPEATED = ("brk", "mmap", "munmap", "mprotect", "madvise", "close")

ERRORS = {
    "clone": "EAGAIN", "clone3": "EAGAIN", "fork": "EAGAIN", "pipe2": "EMFILE", "socket": "EMFILE", "brk": "ENOMEM",
    "mmap": "ENOMEM", "socketpair": "EMFILE", "prctl": "EPERM", "capset": "EPERM", "setgroups": "EPERM",
    "setresuid": "EPERM", "setresgid": "EPERM", "unshare": "EPERM", "seccomp": "ENOMEM", "kill": "EPERM",
    "landlock_create_ruleset": "ENOMEM", "landlock_add_rule": "ENOMEM", "landlock_restrict_self": "E2BIG",
    "execve": "EACCES", "rt_sigaction": "EPERM", "rt_sigprocmask": "EPERM", "signalfd4": "EMFILE",
}


def error(name):
    return ERRORS.get(name, "EIO")


FREED = "a closed descriptor is gone whatever close(2) says, so nobody asks; strace's fault leaves it open, which can keep a mount busy"
LIBRARY = r'/lib/[^"<>]*\.so'

# Process, phase, call, what its arguments show; the class; why. The first row that matches counts.
TABLE = [
    # Before main, and what every process of the C library does.
    ("supervisor", "runtime", ".*", "", "runtime", "by the C library and the language's runtime, before anything is done"),
    ("command", "launch", "set_robust_list", "", "tolerated", "the C library's, for mutexes that nothing here has"),
    ("supervisor", "running", "brk|mmap|munmap", "", "dies late", "Swift ends a process that gets no memory, and the kernel its jail"),
    ("supervisor", "launch", "brk", "", "dies late",
     "how often the heap has grown by then is a matter of where things lie: the same number may come once the command runs"),
    (".*", ".*", "brk|mmap|munmap", "", "dies", "Swift ends a process that gets no memory"),

    ("init", "running", "close", "pipe:", None, "strace's fault leaves init's own end of the pipe open, as no kernel does"),
    (".*", ".*", "close", "", "either", FREED),

    # The supervisor looks at the host. What it cannot see is not shown inside; it never widens what is allowed.
    ("supervisor", "launch", "get(e)?[ug]id", "", None, "cannot fail"),
    ("supervisor", "launch", "openat2|pread64", LIBRARY, "tolerated",
     "a library that cannot be looked at is missing inside, or what it needs itself: no right is won by that"),
    ("supervisor", "launch", "openat2|statx|pread64", r"/etc/ld\.so\.cache", "tolerated",
     "libraries are then looked for in the loader's own directories"),
    ("supervisor", "launch", "statx|statfs", r'"/sys/fs/cgroup/\w+"', "tolerated",
     "a hierarchy is looked for under two names, here the same; where both fail the plan refuses the limit"),
    ("supervisor", "launch", "rt_sigaction", "^SIGHUP, NULL", "tolerated",
     "only asks whether nohup(1) is meant; without an answer a hang-up ends the jail"),
    ("supervisor", "launch", "sysinfo", "", "tolerated", "only for refusing a limit above what the host has; the limit stands"),
    ("supervisor", "launch", "faccessat2", '"/usr/bin/', "either",
     "a program that seems not executable counts as missing where it must be there; the kernel decides at execve"),

    ("supervisor", "launch", "openat2|pread64", r'"/usr/bin/|</usr/bin/', "either",
     "of a program of the profile the beginning must be read; of the command it says only whose digests are recorded"),

    # What keeps heads of the log elsewhere, tidies old logs, and says who has logged in.
    ("supervisor", "launch", "socket", "^AF_UNIX, SOCK_DGRAM", "tolerated", "without the journal its heads are kept in fewer places"),
    ("supervisor", "launch", "sendto", "journal/socket|/dev/log", "tolerated",
     "without the journal its heads are kept in fewer places"),
    ("supervisor", "launch", "openat2|ioctl", "audit/heads", "tolerated", "heads of the log are kept in fewer places, which is told"),
    ("supervisor", "launch", "mkdirat", r'/audit", 0700\) = -1 EEXIST', "tolerated", "heads of the log are kept in fewer places, which is told"),
    ("supervisor", "launch", "statx|openat2|unlinkat|getdents64", r'audit/\.pruned|/audit"|/audit>|/audit/[a-z0-9-]+/sessions"', "tolerated",
     "old logs are removed another time"),
    ("supervisor", "launch", "openat2|statx", r'/audit/f\w+-\d+", \{flags=O_RDONLY\|O_NOFOLLOW\|O_CLOEXEC\|O_DIRECTORY', "either",
     "whether it is the one that old logs are looked for in, or the jail's own"),
    ("supervisor", "launch", "openat2|read", "loginuid", "tolerated", "the log then does not say who had logged in"),
    ("supervisor", "launch", "openat2|flock|read", r'/clawjail/f\w+-\d+>, "(state.json|lock)", \{flags=O_(RDONLY|WRONLY)\|O_NO(CTTY|FOLLOW)\|O_(NONBLOCK\|O_)?CLOEXEC|LOCK_SH', "tolerated",
     "whether a jail of an old log runs: what cannot be asked is left alone or is its own"),
    ("supervisor", "launch", "openat2", r'"/run/(test/runtime/)?clawjail/f\w+-\d+", \{flags=O_RDONLY\|O_NOFOLLOW\|O_CLOEXEC\|O_DIRECTORY', "either",
     "whether it is asked for a jail that runs, or the jail's own"),
    ("supervisor", "launch", "futex", "", "dies", "the C library ends a process whose kernel has no futexes"),

    # From the first message to init on, the command may run before the supervisor next hears of it.
    ("supervisor", "running", "unlinkat", "AT_REMOVEDIR|state.json\"|cgroups\"|lock\"|sock\"", "left to the next start",
     "the run directory stays, and with it the list of what is to be removed"),
    ("supervisor", "running", "write|fallocate|fdatasync", r"/audit/\w+-\d+/", "stopped", "audit.onFull is 'stop'"),
    ("supervisor", "running", ".*", "", "late", "the jail runs: what fails ends it, or costs a notice"),
    ("init", "running", ".*", "", "late", "the jail runs: what fails ends it"),

    # Made to fail by themselves, see "init clone": how early they come is a matter of time.
    ("init", "launch", "unshare", "CLONE_NEWNS", None, "may come before the tracer"),
    # The jail's test of itself: a call that must be refused, and is, by the fault as by the filter.
    ("init", "launch", "unshare", r"^CLONE_NEWUSER\)\s+= -1 EPERM", "tolerated", "it is to be refused with this error"),
    ("init", "launch", "socket", "^AF_UNIX, SOCK_DGRAM", "tolerated",
     "if_nametoindex(3) asks again through a socket of another family"),

    ("egress-init", "launch", "sendmsg|waitid", "", "late", "the gateway has started: on a slow host the command may run already"),

    # Before its main the gateway finds nothing that it looks for; what it does without is the runtime's affair.
    ("gateway", "runtime", ".*", "", "either", "by the C library and the language's runtime, before anything is done"),
    ("gateway", "launch", "futex", "", None, "how often threads wait for one another is a matter of time"),

    ("gateway", "launch", "write", "eventfd", None, "wakes the loop, where it sleeps; there is no room that could be missing"),
    ("gateway", "launch", "rt_sig.*", "", "tolerated", "by the C library for a new thread; no signal is ever handled there"),

    # Everything else.
    ("supervisor|init clone|init|command|egress clone|egress-init|gateway start|gateway", "launch", ".*", "", "must fail",
     "a step of the launch"),
]


# Calls that a launch with a way out makes as often as the clock wants: the supervisor waits for two, the gateway's first
# thread for its loop, and whether egress-init comes to tell of the gateway's end depends on which of them is killed first.
TIMING = {"supervisor": ("poll", "recvmsg", "read"), "gateway": ("write",), "egress-init": ("sendmsg",)}


def is_timing(call):
    return call.name in TIMING.get(call.process, ())


def rule(process, phase, name, text):
    """(class, why) of a call; the class is None where no fault is to be made. None: nobody has thought of it."""
    for who, when, what, pattern, kind, why in TABLE:
        if re.fullmatch(who, process) and re.fullmatch(when, phase) and re.fullmatch(what, name) and re.search(pattern, text):
            return kind, why
    return None
