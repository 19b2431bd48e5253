#include "call.h"
#include "CProbe.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static int name_in(const char *directory, char *path, size_t size) {
    return snprintf(path, size, "%s/.jailprobe-%d", strcmp(directory, "/") == 0 ? "" : directory, (int)getpid());
}

long probe_open_read(const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -errno;
    char byte;
    /* Some files of /proc open for everybody and refuse only to be read. A directory is no failure. */
    ssize_t count = pread(fd, &byte, 1, 0);
    if (count < 0 && (errno == EPERM || errno == EACCES || errno == ESRCH)) return -errno;
    return fd;
}

/* Opens what is there; nothing is written. */
long probe_open_write(const char *path) { return outcome(open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)); }

long probe_create_file(const char *directory) {
    char path[PATH_MAX];
    name_in(directory, path, sizeof path);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    unlink(path);
    return 0;
}

static long make_and_remove(const char *path) {
    int fd = open(path, O_CREAT | O_WRONLY | O_NOCTTY | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    /* Where a symlink led to. */
    char link[64], target[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) return -errno;
    target[length] = 0;
    return outcome(unlink(target));
}

long probe_change(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) return errno == ENOENT ? make_and_remove(path) : -errno;
    return S_ISDIR(status.st_mode) ? probe_create_file(path) : probe_open_write(path);
}

long probe_read_link(const char *path) {
    char target[PATH_MAX];
    return outcome(readlink(path, target, sizeof target));
}

long probe_list(const char *path) {
    DIR *directory = opendir(path);
    if (!directory) return -errno;
    long count = 0;
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

long probe_make_device_in(const char *directory) {
    char path[PATH_MAX];
    name_in(directory, path, sizeof path);
    if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) != 0) return -errno;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = errno;
    unlink(path);
    return fd < 0 ? -error : 0;
}

/* An ELF file of one page: exit(42). */
long probe_write_program(int fd) {
#if defined(__x86_64__)
    static const unsigned char code[] = {0xb8, 60, 0, 0, 0, 0xbf, 42, 0, 0, 0, 0x0f, 0x05};
    const int machine = EM_X86_64;
#else
    static const unsigned char code[] = {0x40, 0x05, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
    const int machine = EM_AARCH64;
#endif
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
        unsigned char code[sizeof code];
    } image;
    memset(&image, 0, sizeof image);
    memcpy(image.header.e_ident, ELFMAG, SELFMAG);
    image.header.e_ident[EI_CLASS] = ELFCLASS64;
    image.header.e_ident[EI_DATA] = ELFDATA2LSB;
    image.header.e_ident[EI_VERSION] = EV_CURRENT;
    image.header.e_type = ET_EXEC;
    image.header.e_machine = machine;
    image.header.e_version = EV_CURRENT;
    image.header.e_phoff = sizeof image.header;
    image.header.e_ehsize = sizeof image.header;
    image.header.e_phentsize = sizeof image.segment;
    image.header.e_phnum = 1;
    image.header.e_entry = 0x400000 + sizeof image.header + sizeof image.segment;
    image.segment.p_type = PT_LOAD;
    image.segment.p_vaddr = 0x400000;
    image.segment.p_filesz = sizeof image;
    image.segment.p_memsz = sizeof image;
    image.segment.p_flags = PF_R | PF_X;
    image.segment.p_align = 0x1000;
    memcpy(image.code, code, sizeof code);
    return write(fd, &image, sizeof image) == sizeof image ? 0 : -EIO;
}

static void execute_path(const void *path) {
    char *arguments[] = {"probe", NULL};
    char *environment[] = {NULL};
    execve(path, arguments, environment);
}

/* A program that is there, started without arguments; how it ends does not matter. */
long probe_start(const char *path) {
    long result = probe_expect_42(execute_path, path);
    return result == -ENOEXEC ? 0 : result;
}

/* A name without a slash is looked for as execvp(3) does, and without its shell for what the kernel does not know. */
static void execve_or_search(const char *name, char **arguments, char **environment) {
    const char *search = getenv("PATH");
    if (strchr(name, '/') || !search) {
        execve(name, arguments, environment);
        return;
    }
    int denied = 0;
    while (*search) {
        size_t length = strcspn(search, ":");
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%.*s/%s", (int)length, search, name);
        execve(path, arguments, environment);
        if (errno == EACCES) denied = 1;
        else if (errno != ENOENT && errno != ENOTDIR) return;
        search += length + (search[length] == ':');
    }
    errno = denied ? EACCES : ENOENT;
}

long probe_can_start(const char *path) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        for (int number = 0; number < 3; number++) dup2(null, number);
        char *arguments[] = {"probe", NULL};
        char *environment[] = {NULL};
        execve_or_search(path, arguments, environment);
        int error = errno;
        if (write(ends[1], &error, sizeof error) != sizeof error) _exit(1);
        _exit(0);
    }
    close(ends[1]);
    int error = 0;
    ssize_t count = read(ends[0], &error, sizeof error);
    close(ends[0]);
    kill(child, SIGKILL);
    if (waitpid(child, NULL, 0) < 0) return -errno;
    return count == sizeof error ? -error : 0;
}

/* A program made here, executed. */
long probe_execute_from(const char *directory) {
    char path[PATH_MAX];
    name_in(directory, path, sizeof path);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0700);
    if (fd < 0) return -errno;
    long result = probe_write_program(fd);
    close(fd);
    if (result == 0) result = probe_expect_42(execute_path, path);
    unlink(path);
    return result;
}

/* What a dynamic loader does with a library, or with a program that it is given by name. */
long probe_map_executable_from(const char *directory) {
    char path[PATH_MAX];
    name_in(directory, path, sizeof path);
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0700);
    if (fd < 0) return -errno;
    unlink(path);
    long result = probe_write_program(fd);
    if (result != 0) return result;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -errno : 0;
}
