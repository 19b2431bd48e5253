#include "call.h"
#include "CProbe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Milliseconds. Filling a gigabyte on a busy host takes a while. */
static const int patience = 20000;

enum probe_end probe_run(long (*run)(const char *), const char *argument, long *value) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return PROBE_FAILED;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        long result = run(argument);
        if (write(ends[1], &result, sizeof result) != sizeof result) _exit(1);
        _exit(0);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return PROBE_FAILED;
    }
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    int ready = poll(&wait, 1, patience);
    ssize_t count = ready > 0 ? read(ends[0], value, sizeof *value) : 0;
    close(ends[0]);
    if (ready <= 0) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (ready <= 0) return PROBE_TIMEOUT;
    if (count == sizeof *value) return PROBE_RESULT;
    if (!WIFSIGNALED(status)) return PROBE_FAILED;
    *value = WTERMSIG(status);
    return PROBE_SIGNAL;
}

long probe_expect_42(void (*start)(const void *), const void *what) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        for (int number = 0; number < 3; number++) dup2(null, number);
        start(what);
        int error = errno;
        if (write(ends[1], &error, sizeof error) != sizeof error) _exit(1);
        _exit(0);
    }
    close(ends[1]);
    int error = 0;
    ssize_t count = read(ends[0], &error, sizeof error);
    close(ends[0]);
    int status = 0;
    if (waitpid(child, &status, 0) < 0) return -errno;
    if (count == sizeof error) return -error;
    return WIFEXITED(status) && WEXITSTATUS(status) == 42 ? 0 : -ENOEXEC;
}

const char *probe_error_name(int error) {
    const char *name = strerrorname_np(error);
    return name ? name : "?";
}

const char *probe_signal_name(int signal) {
    const char *name = sigabbrev_np(signal);
    return name ? name : "?";
}
