/* Shared by the files of this target. */
#ifndef CALL_H
#define CALL_H

#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long outcome(long result) { return result < 0 ? -errno : result; }

#define CALL(...) outcome(syscall(__VA_ARGS__))

/* A program of its own making that exits with status 42. Returns a descriptor on it, or -errno. */
long probe_write_program(int fd);
/* Forks, lets `start` execute something that should exit with 42, and returns 0 if it did, or -errno. */
long probe_expect_42(void (*start)(const void *), const void *what);

#endif
