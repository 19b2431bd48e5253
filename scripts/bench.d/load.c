// Loads an HTTPS origin, straight or through an HTTP proxy's CONNECT, in the same way for whatever stands between.
//
//     load keepalive N SECONDS   requests a second, on N connections
//     load connect N SECONDS     new TLS connections a second, one request on each, N at a time, no resumption
//     load bulk N SECONDS        bytes of bodies a second
//     load latency 1 SECONDS     median microseconds of a request
//     load idle N 0              N WebSockets that stay until standard input closes; prints "ready"
//
// Environment: HOST, PORT, PATHNAME, CA; ADDRESS (else HOST is looked up); PROXY (ADDRESS:PORT, else straight); HEADER
// (a field of requests).
// One thread for each connection, blocking: simple, and the same cost on every side of a comparison.
#define _GNU_SOURCE
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SAMPLES = 1 << 20 };

static const char *host, *port, *path, *proxy;
static struct addrinfo *place;
static SSL_CTX *context;
static double end;
static atomic_ulong requests, bytes;
static char request_text[1024];
static double *samples;
static size_t sample_count;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static struct addrinfo *look_up(const char *name, const char *service) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(name, service, &hints, &found) != 0) fail("no address");
    return found;
}

static void connect_through_proxy(int socket) {
    char text[512], answer[2048];
    int size = snprintf(text, sizeof text, "CONNECT %s:%s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", host, port, host, port);
    if (write(socket, text, (size_t)size) != size) fail("write to the proxy");
    size_t have = 0;
    // Byte by byte, so that nothing of TLS is taken.
    while (have < sizeof answer - 1 && (have < 4 || memcmp(answer + have - 4, "\r\n\r\n", 4) != 0)) {
        if (read(socket, answer + have, 1) != 1) fail("the proxy closed");
        have++;
    }
    answer[have] = 0;
    if (have < 12 || memcmp(answer + 9, "200", 3) != 0) { fprintf(stderr, "load: %s\n", answer); exit(1); }
}

static SSL *open_connection(void) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (descriptor < 0) fail("socket");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(descriptor, place->ai_addr, place->ai_addrlen) != 0) fail("connect");
    if (proxy) connect_through_proxy(descriptor);
    SSL *session = SSL_new(context);
    if (!session || !SSL_set_fd(session, descriptor)) fail("SSL_new");
    SSL_set_tlsext_host_name(session, host);
    SSL_set1_host(session, host);
    if (SSL_connect(session) != 1) fail("TLS handshake");
    return session;
}

// A reset leaves no TIME_WAIT behind, of which a fast run would use up all ports.
static void close_connection(SSL *session) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    int descriptor = SSL_get_fd(session);
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    SSL_free(session);
    close(descriptor);
}

// A body without a length: all of it counts, with the few bytes between chunks. False when the time is up.
static int take_chunks(SSL *session, char *buffer, size_t capacity, size_t have, const char *body) {
    int is_last = have >= 5 && memcmp(body + have - 5, "0\r\n\r\n", 5) == 0;
    bytes += have;
    while (!is_last) {
        int got = SSL_read(session, buffer, (int)capacity);
        if (got <= 0) fail("SSL_read in a chunk");
        bytes += (unsigned long)got;
        is_last = got >= 5 && memcmp(buffer + got - 5, "0\r\n\r\n", 5) == 0;
        if (now() > end) return 0;
    }
    requests++;
    return 1;
}

// One request and its answer; ends early when the time is up. False then.
static int exchange(SSL *session, char *buffer, size_t capacity, int partial) {
    int size = (int)strlen(request_text);
    if (SSL_write(session, request_text, size) != size) fail("SSL_write");
    size_t have = 0;
    char *body = NULL;
    while (!body) {
        int got = SSL_read(session, buffer + have, (int)(capacity - 1 - have));
        if (got <= 0) fail("SSL_read");
        have += (size_t)got;
        buffer[have] = 0;
        body = strstr(buffer, "\r\n\r\n");
    }
    if (memcmp(buffer + 9, "200", 3) != 0) { fprintf(stderr, "load: %.300s\n", buffer); exit(1); }
    char *length = strcasestr(buffer, "\r\ncontent-length:");
    if (!length) return take_chunks(session, buffer, capacity, have - (size_t)(body + 4 - buffer), body + 4);
    size_t left = strtoul(length + 17, NULL, 10), here = have - (size_t)(body + 4 - buffer);
    bytes += here;
    left -= here;
    while (left > 0) {
        int got = SSL_read(session, buffer, (int)(left < capacity ? left : capacity));
        if (got <= 0) fail("SSL_read in a body");
        left -= (size_t)got;
        bytes += (unsigned long)got;
        if (partial && now() > end) return 0;
    }
    requests++;
    return 1;
}

static char *new_buffer(size_t *size) {
    *size = 1 << 18;
    char *buffer = malloc(*size);
    if (!buffer) fail("malloc");
    return buffer;
}

static void *keep_alive(void *partial) {
    size_t size;
    char *buffer = new_buffer(&size);
    SSL *session = open_connection();
    while (now() < end) {
        double start = now();
        if (!exchange(session, buffer, size, partial != NULL)) break;
        if (samples && sample_count < MOST_SAMPLES) samples[sample_count++] = now() - start;
    }
    close_connection(session);
    return NULL;
}

static void *connect_anew(void *unused) {
    (void)unused;
    size_t size;
    char *buffer = new_buffer(&size);
    while (now() < end) {
        SSL *session = open_connection();
        exchange(session, buffer, size, 0);
        close_connection(session);
    }
    return NULL;
}

static void idle(int count) {
    char buffer[4096];
    snprintf(request_text, sizeof request_text,
             "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, host);
    for (int number = 0; number < count; number++) {
        SSL *session = open_connection();
        int size = (int)strlen(request_text);
        if (SSL_write(session, request_text, size) != size) fail("SSL_write");
        int got = SSL_read(session, buffer, sizeof buffer - 1);
        if (got < 12 || memcmp(buffer + 9, "101", 3) != 0) fail("no WebSocket");
    }
    puts("ready");
    fflush(stdout);
    while (read(0, buffer, sizeof buffer) > 0) {}
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments) {
    if (count != 4) fail("usage: load MODE N SECONDS");
    const char *mode = arguments[1];
    int threads = atoi(arguments[2]);
    double seconds = atof(arguments[3]);
    host = getenv("HOST"), port = getenv("PORT"), path = getenv("PATHNAME"), proxy = getenv("PROXY");
    if (!host || !port || !path || !getenv("CA")) fail("HOST, PORT, PATHNAME and CA are needed");
    if (proxy && *proxy) {
        char *text = strdup(proxy), *colon = strrchr(text, ':');
        if (!colon) fail("PROXY");
        *colon = 0;
        place = look_up(text, colon + 1);
    } else {
        proxy = NULL;
        place = look_up(getenv("ADDRESS") ? getenv("ADDRESS") : host, port);
    }
    context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_load_verify_locations(context, getenv("CA"), NULL) != 1) fail("CA");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (strcmp(mode, "idle") == 0) {
        idle(threads);
        return 0;
    }
    const char *header = getenv("HEADER");
    snprintf(request_text, sizeof request_text, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load\r\n%s%s\r\n", path, host,
             header ? header : "", header ? "\r\n" : "");
    if (strcmp(mode, "latency") == 0 && !(samples = calloc(MOST_SAMPLES, sizeof *samples))) fail("calloc");
    pthread_t thread[256];
    if (threads < 1 || threads > 256) fail("N is not from 1 to 256");
    void *(*work)(void *) = strcmp(mode, "connect") == 0 ? connect_anew : keep_alive;
    void *partial = strcmp(mode, "bulk") == 0 ? &end : NULL;
    double start = now();
    end = start + seconds;
    for (int number = 0; number < threads; number++)
        if (pthread_create(&thread[number], NULL, work, partial) != 0) fail("pthread_create");
    for (int number = 0; number < threads; number++) pthread_join(thread[number], NULL);
    double took = now() - start;
    if (samples) {
        qsort(samples, sample_count, sizeof *samples, by_size);
        printf("%.1f\n", sample_count ? samples[sample_count / 2] * 1e6 : 0);
    } else if (partial) {
        printf("%.0f\n", (double)bytes / took);
    } else {
        printf("%.1f\n", (double)requests / took);
    }
    return 0;
}
