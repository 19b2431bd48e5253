#define _GNU_SOURCE
#include "CLinux.h"
#include "result.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

int cl_socket(int domain, int type, int protocol) { return RESULT(socket(domain, type | SOCK_CLOEXEC, protocol)); }
int cl_socketpair(int type, int fds[2]) { return RESULT(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds)); }

static struct sockaddr_in inet4(uint32_t address, uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(address)}};
}
int cl_bind_inet4(int fd, uint32_t address, uint16_t port) {
    struct sockaddr_in name = inet4(address, port);
    return RESULT(bind(fd, (struct sockaddr *)&name, sizeof name));
}
int cl_connect_inet4(int fd, uint32_t address, uint16_t port) {
    struct sockaddr_in name = inet4(address, port);
    return RESULT(connect(fd, (struct sockaddr *)&name, sizeof name));
}
static int unix_name(struct sockaddr_un *name, const char *path) {
    memset(name, 0, sizeof *name);
    name->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof name->sun_path) return -ENAMETOOLONG;
    strcpy(name->sun_path, path);
    return 0;
}
int cl_bind_unix(int fd, const char *path) {
    struct sockaddr_un name;
    int result = unix_name(&name, path);
    return result < 0 ? result : RESULT(bind(fd, (struct sockaddr *)&name, sizeof name));
}
int cl_bind_abstract(int fd, const void *path, size_t length) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (length + 1 > sizeof name.sun_path) return -ENAMETOOLONG;
    memcpy(name.sun_path + 1, path, length);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    return RESULT(bind(fd, (struct sockaddr *)&name, size));
}
int cl_connect_unix(int fd, const char *path) {
    struct sockaddr_un name;
    int result = unix_name(&name, path);
    return result < 0 ? result : RETRY(connect(fd, (struct sockaddr *)&name, sizeof name));
}
long cl_send_datagram_unix(int fd, const void *path, size_t length, const void *bytes, size_t count) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (length == 0 || length > sizeof name.sun_path) return -ENAMETOOLONG;
    memcpy(name.sun_path, path, length);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return RETRY(sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&name, size));
}
int cl_listen(int fd, int backlog) { return RESULT(listen(fd, backlog)); }
int cl_accept(int fd, int flags) { return RETRY(accept4(fd, NULL, NULL, flags | SOCK_CLOEXEC)); }
int cl_setsockopt_int(int fd, int level, int option, int value) {
    return RESULT(setsockopt(fd, level, option, &value, sizeof value));
}
int cl_getsockopt_int(int fd, int level, int option, int *value) {
    socklen_t size = sizeof *value;
    return RESULT(getsockopt(fd, level, option, value, &size));
}
int cl_getsockname_port(int fd) {
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    return getsockname(fd, (struct sockaddr *)&name, &size) < 0 ? -errno : ntohs(name.sin_port);
}
int cl_shutdown(int fd, int how) { return RESULT(shutdown(fd, how)); }
int cl_peer_credentials(int fd, int *pid, unsigned *uid, unsigned *gid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}
int cl_loopback_up(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int result = RESULT(ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
    return result;
}

/* The kernel's own limit, SCM_MAX_FD, is 253. */
enum { most_descriptors = 96 };
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * most_descriptors)];
};

long cl_send_message(int fd, const void *bytes, size_t count, const int *fds, int fd_count) {
    if (fd_count < 0 || fd_count > most_descriptors) return -EINVAL;
    union control control = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * (size_t)fd_count);
    }
    return RETRY(sendmsg(fd, &message, MSG_NOSIGNAL));
}

long cl_receive_message(int fd, void *bytes, size_t count, int *fds, int *fd_count) {
    int room = *fd_count;
    *fd_count = 0;
    union control control = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    long result = RETRY(recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
    if (result < 0) return result;
    /* Descriptors that were not asked for are closed, never kept. */
    int surplus = 0;
    for (struct cmsghdr *part_ = CMSG_FIRSTHDR(&message); part_; part_ = CMSG_NXTHDR(&message, part_)) {
        if (part_->cmsg_level != SOL_SOCKET || part_->cmsg_type != SCM_RIGHTS) continue;
        int received = (int)((part_->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < received; i++) {
            int one;
            memcpy(&one, CMSG_DATA(part_) + sizeof(int) * (size_t)i, sizeof one);
            if (*fd_count < room) fds[(*fd_count)++] = one;
            else surplus = 1, close(one);
        }
    }
    if (surplus || message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) {
        for (int i = 0; i < *fd_count; i++) close(fds[i]);
        *fd_count = 0;
        return -EMSGSIZE;
    }
    return result;
}

int cl_open_pty(int *master, int *slave) {
    int m = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (m < 0) return -errno;
    int unlocked = 0;
    if (ioctl(m, TIOCSPTLCK, &unlocked) < 0) goto failed;
    int s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (s < 0) goto failed;
    *master = m;
    *slave = s;
    return 0;
failed:;
    int error = errno;
    close(m);
    return -error;
}
int cl_tty_set_controlling(int fd) { return RESULT(ioctl(fd, TIOCSCTTY, 0)); }
int cl_tty_get_size(int fd, uint16_t *rows, uint16_t *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}
int cl_tty_set_size(int fd, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return RESULT(ioctl(fd, TIOCSWINSZ, &size));
}
int cl_isatty(int fd) {
    if (isatty(fd)) return 1;
    /* A socket or device that knows nothing of terminals may say EINVAL. */
    return errno == ENOTTY || errno == EINVAL ? 0 : -errno;
}
int cl_is_foreground(int fd) {
    pid_t group = tcgetpgrp(fd);
    return group < 0 || group == getpgrp();
}
int cl_tty_make_raw(int fd, unsigned char *saved) {
    _Static_assert(sizeof(struct termios) <= CL_TERMIOS_SIZE, "termios fits");
    struct termios attributes;
    if (tcgetattr(fd, &attributes) < 0) return -errno;
    memcpy(saved, &attributes, sizeof attributes);
    cfmakeraw(&attributes);
    return RETRY(tcsetattr(fd, TCSADRAIN, &attributes));
}
int cl_tty_get_state(int fd, unsigned char *saved) {
    struct termios attributes;
    if (tcgetattr(fd, &attributes) < 0) return -errno;
    memcpy(saved, &attributes, sizeof attributes);
    return 0;
}
int cl_tty_hide(int fd, unsigned char *saved) {
    struct termios attributes;
    if (tcgetattr(fd, &attributes) < 0) return -errno;
    memcpy(saved, &attributes, sizeof attributes);
    attributes.c_lflag &= ~(tcflag_t)ECHO;
    attributes.c_lflag |= ICANON | ISIG | ECHONL;
    return RETRY(tcsetattr(fd, TCSAFLUSH, &attributes));
}
int cl_tty_restore(int fd, const unsigned char *saved) {
    struct termios attributes;
    memcpy(&attributes, saved, sizeof attributes);
    return RETRY(tcsetattr(fd, TCSADRAIN, &attributes));
}
