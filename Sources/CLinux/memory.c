#define _GNU_SOURCE
#include "CLinux.h"
#include "result.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int cl_memory_map(size_t size, void **place) {
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return -errno;
    *place = mapped;
    return 0;
}
int cl_memory_unmap(void *place, size_t size) { return RESULT(munmap(place, size)); }
int cl_memory_lock(void *place, size_t size) { return RESULT(mlock(place, size)); }
int cl_memory_hide(void *place, size_t size) { return RESULT(madvise(place, size, MADV_DONTDUMP)); }
int cl_memory_wipe_on_fork(void *place, size_t size) { return RESULT(madvise(place, size, MADV_WIPEONFORK)); }
void cl_memory_wipe(void *place, size_t size) { explicit_bzero(place, size); }

/* As long for any content: no byte decides when it ends. */
int cl_memory_differs(const void *one, const void *other, size_t size) {
    const volatile unsigned char *left = one, *right = other;
    unsigned char difference = 0;
    for (size_t index = 0; index < size; index++) difference |= left[index] ^ right[index];
    return difference != 0;
}

/* KEYCTL_SEARCH (10) in KEY_SPEC_USER_KEYRING (-4), linked nowhere. */
int cl_keyring_find(const char *name) { return RESULT(syscall(SYS_keyctl, 10, -4, "user", name, 0)); }
/* KEYCTL_READ (11): how long the key is, however much of it fits. */
long cl_keyring_read(int key, void *buffer, size_t size) { return RESULT(syscall(SYS_keyctl, 11, key, buffer, size)); }

/* Where the kernel put it when the process was started, it stands for everybody who may read /proc/PID/environ. */
void cl_wipe_environment(const char *name) {
    char *value = getenv(name);
    if (value) explicit_bzero(value, strlen(value));
}
