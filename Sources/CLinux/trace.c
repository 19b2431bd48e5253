#define _GNU_SOURCE
#include "CLinux.h"
#include "result.h"
#include <linux/ptrace.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The raw call: glibc's wrapper has an idea of its own of what PTRACE_PEEKDATA returns. */
static long trace(long request, int pid, unsigned long address, unsigned long data) {
    return syscall(SYS_ptrace, request, (long)pid, address, data);
}
int cl_trace_seize(int pid, unsigned long options) { return RESULT(trace(PTRACE_SEIZE, pid, 0, options)); }
int cl_trace_continue(int pid, int how, int signal) {
    /* PTRACE_CONT, PTRACE_SYSCALL */
    static const long requests[] = {7, 24, PTRACE_LISTEN};
    return RESULT(trace(requests[how], pid, 0, (unsigned long)signal));
}
int cl_trace_message(int pid, uint64_t *message) {
    unsigned long value = 0;
    int result = RESULT(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&value));
    *message = value;
    return result;
}
int cl_trace_call(int pid, struct cl_trace_call *out) {
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof info);
    int result = RESULT(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (unsigned long)&info));
    if (result < 0) return result;
    memset(out, 0, sizeof *out);
    out->kind = info.op;
    out->architecture = info.arch;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        out->number = info.entry.nr;
        memcpy(out->arguments, info.entry.args, sizeof out->arguments);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        out->result = info.exit.rval;
        out->failed = info.exit.is_error;
    }
    return 0;
}
int cl_trace_word(int pid, uint64_t address, uint64_t *word) {
    /* PTRACE_PEEKDATA */
    unsigned long value = 0;
    int result = RESULT(trace(2, pid, address, (unsigned long)&value));
    *word = value;
    return result;
}
int cl_trace_wait(int *status) { return RETRY(waitpid(-1, status, __WALL)); }
