#define _GNU_SOURCE
#include "CLinux.h"
#include "result.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct route_request {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr interface;
    uint32_t index;
};

/* The kernel's answer to one request: exactly one acknowledgement of that request. */
static int acknowledged(int fd, uint32_t sequence) {
    union {
        struct nlmsghdr header;
        char bytes[512];
    } answer;
    struct sockaddr_nl sender;
    struct iovec part = {.iov_base = &answer, .iov_len = sizeof answer};
    struct msghdr message = {.msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &part, .msg_iovlen = 1};
    long count = RETRY(recvmsg(fd, &message, 0));
    if (count < 0) return (int)count;
    if (message.msg_flags & MSG_TRUNC || message.msg_namelen != sizeof sender || sender.nl_pid != 0) return -EBADMSG;
    if ((size_t)count < NLMSG_LENGTH(sizeof(struct nlmsgerr)) || answer.header.nlmsg_len > (size_t)count ||
        answer.header.nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        return -EBADMSG;
    if (answer.header.nlmsg_type != NLMSG_ERROR || answer.header.nlmsg_seq != sequence) return -EBADMSG;
    struct nlmsgerr error;
    memcpy(&error, NLMSG_DATA(&answer.header), sizeof error);
    return error.error > 0 ? -EBADMSG : error.error;
}

int cl_route_everything_here(int version) {
    int family = version == 6 ? AF_INET6 : AF_INET;
    unsigned index = if_nametoindex("lo");
    if (index == 0) return -errno;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return -errno;
    struct route_request request = {
        .header = {
            .nlmsg_len = sizeof request, .nlmsg_type = RTM_NEWROUTE, .nlmsg_seq = 1,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
        .route = {
            .rtm_family = (unsigned char)family, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_BOOT,
            .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL},
        .interface = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF},
        .index = index};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    long sent = RETRY(sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel));
    int result = sent < 0 ? (int)sent : sent != (long)sizeof request ? -EMSGSIZE : acknowledged(fd, 1);
    close(fd);
    return result;
}

int cl_bind_loopback6(int fd, uint16_t port) {
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    return RESULT(bind(fd, (struct sockaddr *)&name, sizeof name));
}

int cl_bind_everywhere(int fd, uint16_t port) {
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    return RESULT(bind(fd, (struct sockaddr *)&name, sizeof name));
}
