/*
 * What a process may try, as a table: each attempt is made in a child of its own, so that one that is killed, hangs or
 * changes something about itself costs only that child. The variants are harmless: they succeed in private
 * namespaces, on descriptors and children of their own, or on nothing at all.
 */
#ifndef CPROBE_H
#define CPROBE_H

#include <stddef.h>

struct probe_attempt {
    const char *name;
    /* A result >= 0, or -errno. `argument` is the path, name or number that the attempt is about, or NULL. */
    long (*run)(const char *argument);
};

/* Without an argument. Ends with a NULL name. */
const struct probe_attempt *probe_attempts_table(void);
const struct probe_attempt *probe_calls_table(void);
const struct probe_attempt *probe_sockets_table(void);

/* With one. */
long probe_open_read(const char *path);
long probe_open_write(const char *path);
long probe_create_file(const char *directory);
long probe_execute_from(const char *directory);
long probe_start(const char *path);
/* Whether execve(2) takes it; it is killed at once. */
long probe_can_start(const char *path);
/* Makes an entry in a directory, opens a file for writing, or makes what is not there; all of it is undone. */
long probe_change(const char *path);
/* A system call by its number, with arguments that mean nothing. */
long probe_call(const char *number);
long probe_bind(const char *port);
long probe_map_executable_from(const char *directory);
long probe_make_device_in(const char *directory);
long probe_read_link(const char *path);
long probe_list(const char *path);
long probe_signal_others(const char *unused);
long probe_signal(const char *pid);
long probe_connect_loopback(const char *port);
long probe_connect_abstract(const char *name);
long probe_connect_path(const char *path);
long probe_has_session_key(const char *description);
long probe_route(const char *address);
long probe_resolve(const char *name);
/* Each up to a number that the argument says, see limits.c. */
long probe_eat(const char *bytes);
long probe_spawn(const char *count);
long probe_open_files(const char *count);
long probe_reserve(const char *bytes_and_directory);
long probe_write_behind(const char *bytes_and_directory);

/*
 * Sends a request to an IPv4 address, and reads the answer up to its end or to `size`, as text in `answer`. The result is
 * its status. Not in a child.
 */
long probe_ask_http(const char *address, int port, const char *request, char *answer, size_t size);

enum probe_end { PROBE_RESULT, PROBE_SIGNAL, PROBE_TIMEOUT, PROBE_FAILED };

/* Runs an attempt in a child, for at most twenty seconds. `value` is its result, or the signal that ended it. */
enum probe_end probe_run(long (*run)(const char *), const char *argument, long *value);

const char *probe_error_name(int error);
const char *probe_signal_name(int signal);

#endif
