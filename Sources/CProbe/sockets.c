#include "call.h"
#include "CProbe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SOCKET(function, family, type, protocol) \
    static long function(const char *unused) { return outcome(socket(family, type | SOCK_CLOEXEC, protocol)); }

SOCKET(inet_stream, AF_INET, SOCK_STREAM, 0)
SOCKET(inet_datagram, AF_INET, SOCK_DGRAM, 0)
SOCKET(inet6_stream, AF_INET6, SOCK_STREAM, 0)
SOCKET(unix_stream, AF_UNIX, SOCK_STREAM, 0)
SOCKET(raw_icmp, AF_INET, SOCK_RAW, IPPROTO_ICMP)
SOCKET(raw_icmp6, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
SOCKET(raw_ip, AF_INET, SOCK_RAW, IPPROTO_RAW)
SOCKET(packet, AF_PACKET, SOCK_RAW, 0)
SOCKET(netlink_route, AF_NETLINK, SOCK_RAW, 0)
SOCKET(netlink_diag, AF_NETLINK, SOCK_RAW, 4)
SOCKET(netlink_xfrm, AF_NETLINK, SOCK_RAW, 6)
SOCKET(netlink_audit, AF_NETLINK, SOCK_RAW, 9)
SOCKET(netlink_netfilter, AF_NETLINK, SOCK_RAW, 12)
SOCKET(netlink_uevent, AF_NETLINK, SOCK_RAW, 15)
SOCKET(netlink_generic, AF_NETLINK, SOCK_RAW, 16)
SOCKET(algorithm, 38, SOCK_SEQPACKET, 0)
SOCKET(virtual_machine, 40, SOCK_STREAM, 0)
SOCKET(key, 15, SOCK_RAW, 2)
SOCKET(express, 44, SOCK_RAW, 0)
SOCKET(bluetooth, 31, SOCK_RAW, 1)
SOCKET(transparent, 30, SOCK_SEQPACKET, 0)
SOCKET(datagram_congestion, AF_INET, 6, 33)

static long unix_pair(const char *unused) {
    int pair[2];
    return outcome(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
}

/* Needs CAP_NET_RAW. */
static long mark(const char *unused) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int value = 1;
    return outcome(setsockopt(fd, SOL_SOCKET, SO_MARK, &value, sizeof value));
}

/* Takes the loopback device out of, and puts it back into, the state that it is in. Needs CAP_NET_ADMIN. */
static long set_interface(const char *unused) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct ifreq request = {.ifr_name = "lo"};
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) return -errno;
    return outcome(ioctl(fd, SIOCSIFFLAGS, &request));
}

static const struct probe_attempt sockets[] = {
    {"inet stream", inet_stream},
    {"inet datagram", inet_datagram},
    {"inet6 stream", inet6_stream},
    {"unix stream", unix_stream},
    {"unix pair", unix_pair},
    {"raw icmp", raw_icmp},
    {"raw icmp6", raw_icmp6},
    {"raw ip", raw_ip},
    {"packet", packet},
    {"netlink route", netlink_route},
    {"netlink sock_diag", netlink_diag},
    {"netlink xfrm", netlink_xfrm},
    {"netlink audit", netlink_audit},
    {"netlink netfilter", netlink_netfilter},
    {"netlink uevent", netlink_uevent},
    {"netlink generic", netlink_generic},
    {"alg", algorithm},
    {"vsock", virtual_machine},
    {"key", key},
    {"xdp", express},
    {"bluetooth", bluetooth},
    {"tipc", transparent},
    {"dccp", datagram_congestion},
    {"mark", mark},
    {"set interface", set_interface},
    {NULL, NULL},
};

static long connect_within(int fd, const struct sockaddr *address, socklen_t length) {
    if (fd < 0) return -errno;
    if (connect(fd, address, length) == 0) return 0;
    if (errno != EINPROGRESS) return -errno;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (poll(&wait, 1, 2000) <= 0) return -ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return -error;
}

long probe_bind(const char *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) return -errno;
    return outcome(listen(fd, 1));
}

long probe_connect_loopback(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return connect_within(fd, (struct sockaddr *)&address, sizeof address);
}

/* Whether there is a way to an address: connect(2) of a datagram socket looks for one, and sends nothing. */
long probe_route(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    if (inet_pton(AF_INET, text, &address.sin_addr) != 1) return -EINVAL;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : outcome(connect(fd, (struct sockaddr *)&address, sizeof address));
}

static const struct timeval answer_time = {.tv_sec = 3};

/* Asks for the IPv4 address of a name. The result is the answer's code: 0 there is one, 3 there is no such name. */
long probe_resolve(const char *name) {
    unsigned char packet[512] = {0x4A, 0x50, 1, 0, 0, 1};
    size_t length = 12;
    for (const char *label = name; *label;) {
        size_t size = strcspn(label, ".");
        if (size == 0 || size > 63 || length + size + 6 > sizeof packet) return -EINVAL;
        packet[length++] = (unsigned char)size;
        memcpy(packet + length, label, size);
        length += size;
        label += size + (label[size] == '.');
    }
    const unsigned char end[] = {0, 0, 1, 0, 1};
    memcpy(packet + length, end, sizeof end);
    length += sizeof end;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
    /* 127.0.0.53, as /etc/resolv.conf says. */
    address.sin_addr.s_addr = htonl(0x7F000035);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &answer_time, sizeof answer_time);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return -errno;
    if (send(fd, packet, length, 0) < 0) return -errno;
    ssize_t count = recv(fd, packet, sizeof packet, 0);
    if (count < 0) return -errno;
    return count < 12 || packet[0] != 0x4A || packet[1] != 0x50 ? -EBADMSG : packet[3] & 15;
}

long probe_ask_http(const char *host, int port, const char *request, char *answer, size_t size) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (size == 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1) return -EINVAL;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    long result = connect_within(fd, (struct sockaddr *)&address, sizeof address);
    size_t length = 0;
    if (result == 0) {
        fcntl(fd, F_SETFL, 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &answer_time, sizeof answer_time);
        if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) result = -errno;
        while (result == 0 && length + 1 < size) {
            ssize_t count = recv(fd, answer + length, size - length - 1, 0);
            if (count < 0 && length == 0) result = -errno;
            if (count <= 0) break;
            length += (size_t)count;
        }
    }
    if (fd >= 0) close(fd);
    answer[length] = 0;
    if (result != 0) return result;
    /* "HTTP/1.1 403 …" */
    return length > 12 && strncmp(answer, "HTTP/1.", 7) == 0 ? atol(answer + 9) : -EBADMSG;
}

static long connect_unix(const char *text, int is_abstract) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(text);
    if (length + 2 > sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path + is_abstract, text, length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return connect_within(fd, (struct sockaddr *)&address, size);
}

long probe_connect_abstract(const char *name) { return connect_unix(name, 1); }
long probe_connect_path(const char *path) { return connect_unix(path, 0); }

const struct probe_attempt *probe_sockets_table(void) { return sockets; }
