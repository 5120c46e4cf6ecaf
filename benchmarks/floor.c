/* The floor: one epoll loop that frames HTTP requests by Content-Length and sends a fixed answer.
 *
 * It does what no server can leave out (accept, read, find the end of the request, write) and
 * nothing else, so its CPU time a request is what loopback TCP costs on this machine.
 *
 *   floor PORT ANSWER_BYTES      ANSWER_BYTES: the whole answer, head included
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 16, EVENTS = 256, MAX_FD = 8192, MAX_ANSWER = 1 << 16 };

struct connection {
    size_t held;                 /* bytes in `bytes` */
    size_t to_skip;              /* bytes of a body that is still to come */
    char bytes[BUFFER_BYTES];
};

static struct connection *connections[MAX_FD];
static char answer[MAX_ANSWER];
static size_t answer_bytes;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void prepare_answer(size_t whole) {
    const char *form = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                       "Content-Length: %04zu\r\n\r\n";
    size_t head = (size_t)snprintf(answer, sizeof answer, form, (size_t)0);
    if (whole < head + 2 || whole > sizeof answer) {
        fprintf(stderr, "floor: the answer must have %zu to %zu bytes\n", head + 2, sizeof answer);
        exit(2);
    }
    snprintf(answer, sizeof answer, form, whole - head);
    memset(answer + head, ' ', whole - head);
    memcpy(answer + head, "{}", 2);
    answer_bytes = whole;
}

static int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0)
        die("floor: listen");
    return fd;
}

/* Where the request that starts at `at` ends, or 0 when its head is not yet whole. */
static size_t end_of_request(struct connection *c, size_t at) {
    char *start = c->bytes + at;
    char *blank = memmem(start, c->held - at, "\r\n\r\n", 4);
    if (!blank)
        return 0;
    size_t head = (size_t)(blank - start) + 4;
    char *length = memmem(start, head, "\r\nContent-Length:", 17);
    return at + head + (length ? strtoul(length + 17, NULL, 10) : 0);
}

static void drop(int fd) {
    close(fd);
    free(connections[fd]);
    connections[fd] = NULL;
}

static void serve(int fd) {
    struct connection *c = connections[fd];
    ssize_t got = recv(fd, c->bytes + c->held, sizeof c->bytes - c->held, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            drop(fd);
        return;
    }
    c->held += (size_t)got;
    if (c->to_skip) {
        size_t skipped = c->to_skip < c->held ? c->to_skip : c->held;
        memmove(c->bytes, c->bytes + skipped, c->held - skipped);
        c->held -= skipped;
        c->to_skip -= skipped;
        if (c->to_skip)
            return;
        if (send(fd, answer, answer_bytes, MSG_NOSIGNAL) < 0) {
            drop(fd);
            return;
        }
    }
    size_t at = 0, end;
    while (at < c->held && (end = end_of_request(c, at))) {
        if (end > c->held) {
            c->to_skip = end - c->held;
            at = c->held;
            break;
        }
        if (send(fd, answer, answer_bytes, MSG_NOSIGNAL) < 0) {
            drop(fd);
            return;
        }
        at = end;
    }
    memmove(c->bytes, c->bytes + at, c->held - at);
    c->held -= at;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: floor PORT ANSWER_BYTES\n");
        return 2;
    }
    prepare_answer(strtoul(argv[2], NULL, 10));
    int listening = listen_on(atoi(argv[1]));
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening};
    struct epoll_event events[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listening, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd != listening) {
                serve(fd);
                continue;
            }
            int one = 1, client = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
            if (client < 0)
                continue;
            if (client >= MAX_FD || !(connections[client] = calloc(1, sizeof **connections))) {
                close(client);
                continue;
            }
            setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            event.events = EPOLLIN;
            event.data.fd = client;
            epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
        }
    }
}
