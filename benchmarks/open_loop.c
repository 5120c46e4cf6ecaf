/* An open-loop load: requests leave when the clock says so, whether or not answers came.
 *
 *   open_loop PORT ROTATION RATE SECONDS CONNECTIONS SEED POISSON HANG_UP RECORDS
 *
 * ROTATION holds requests ("LENGTH\nBYTES" repeated), each with a header
 * "Pilotage-Deadline-Ms: 0000" that is filled in for every request: 50 to 200 ms in steps of 10.
 * An arrival takes an idle keep-alive connection or opens one, up to CONNECTIONS. With HANG_UP 1 a
 * caller whose deadline passes closes its connection; with 0 it waits, to the end and 5 s longer.
 * An answer's time counts from its scheduled arrival.
 *
 * RECORDS gets one `struct record` an arrival. stdout gets one line of JSON about the load itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 512,
    MAX_FD = 16384,
    MAX_REQUESTS = 256,
    HEAD_BYTES = 8192,
    SHORTEST_MS = 50,
    STEP_MS = 10,
    STEPS = 16,
    HELD = 1 << 16,
};
static const int64_t DRAIN_NS = 5000000000LL;
enum outcome { ANSWERED = 1, GAVE_UP = 2, NOT_SENT = 3, BROKEN = 4 };

struct record {
    int64_t scheduled_ns;   /* from the load's start */
    int64_t sent_after_ns;  /* how late the request left */
    int64_t done_after_ns;  /* from the scheduled arrival to the whole answer */
    int32_t deadline_ms;
    int16_t status;
    int16_t outcome;
};

struct connection {
    int busy;
    int connected;
    struct record record;
    char *request;          /* its own copy while it is not wholly sent */
    size_t request_bytes, sent;
    size_t head_bytes, body_left;   /* answer: what is held of the head; what the body lacks */
    int in_body;
    char head[HEAD_BYTES];
};

static struct connection *connections[MAX_FD];
static int idle[MAX_FD], idle_count, open_count, most_busy, busy_count;
static int busy[MAX_FD], place_of[MAX_FD];
static char *requests[MAX_REQUESTS], *deadline_in[MAX_REQUESTS];
static size_t request_bytes[MAX_REQUESTS];
static int request_count, poll_fd, port, most_connections;
static int64_t began_ns, reconnects;
static FILE *records;
static uint64_t chance;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint64_t draw(void) {   /* xorshift64* (Vigna, 2016) */
    chance ^= chance >> 12;
    chance ^= chance << 25;
    chance ^= chance >> 27;
    return chance * 2685821657736338717ULL;
}

static double uniform(void) { return ((double)(draw() >> 11) + 0.5) / 9007199254740992.0; }

static void read_rotation(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t length;
    if (!file) {
        perror(path);
        exit(1);
    }
    while (request_count < MAX_REQUESTS && fscanf(file, "%zu", &length) == 1) {
        char *bytes = malloc(length);
        fgetc(file);
        if (!bytes || fread(bytes, 1, length, file) != length)
            exit(1);
        char *mark = memmem(bytes, length, "Pilotage-Deadline-Ms: 0000", 26);
        deadline_in[request_count] = mark ? mark + 22 : NULL;
        requests[request_count] = bytes;
        request_bytes[request_count++] = length;
    }
    fclose(file);
    if (!request_count)
        exit(1);
}

static void watch(int fd, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(poll_fd, operation, fd, &event);
}

static void mark_busy(int fd) {
    connections[fd]->busy = 1;
    place_of[fd] = busy_count;
    busy[busy_count++] = fd;
    if (busy_count > most_busy)
        most_busy = busy_count;
}

static void mark_free(int fd) {
    int last = busy[--busy_count];
    busy[place_of[fd]] = last;
    place_of[last] = place_of[fd];
    connections[fd]->busy = 0;
}

static void write_record(struct record *r, int outcome, int status, int64_t at) {
    r->outcome = (int16_t)outcome;
    r->status = (int16_t)status;
    r->done_after_ns = at - began_ns - r->scheduled_ns;
    fwrite(r, sizeof *r, 1, records);
}

static void finish(int fd, int outcome, int status, int keep) {
    struct connection *c = connections[fd];
    if (c->busy) {
        write_record(&c->record, outcome, status, now_ns());
        mark_free(fd);
    } else if (keep == 0) {   /* an idle connection that the server closed */
        for (int i = 0; i < idle_count; i++)
            if (idle[i] == fd) {
                idle[i] = idle[--idle_count];
                break;
            }
    }
    free(c->request);
    c->request = NULL;
    c->head_bytes = c->body_left = 0;
    c->in_body = 0;
    if (keep) {
        idle[idle_count++] = fd;
    } else {
        close(fd);
        free(c);
        connections[fd] = NULL;
        open_count--;
        reconnects++;
    }
}

static int open_connection(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return -1;
    if (fd >= MAX_FD || !(connections[fd] = calloc(1, sizeof **connections))) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        connections[fd]->connected = 1;
    open_count++;
    watch(fd, connections[fd]->connected ? EPOLLIN : EPOLLOUT | EPOLLIN, EPOLL_CTL_ADD);
    return fd;
}

static void send_more(int fd) {
    struct connection *c = connections[fd];
    while (c->sent < c->request_bytes) {
        ssize_t gone = send(fd, c->request + c->sent, c->request_bytes - c->sent, MSG_NOSIGNAL);
        if (gone < 0) {
            if (errno == EAGAIN)
                watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            else
                finish(fd, BROKEN, 0, 0);
            return;
        }
        c->sent += (size_t)gone;
    }
    watch(fd, EPOLLIN, EPOLL_CTL_MOD);
}

static void arrive(int64_t scheduled) {
    int which = (int)(draw() % (uint64_t)request_count);
    int deadline = SHORTEST_MS + STEP_MS * (int)(draw() % STEPS);
    struct record record = {.scheduled_ns = scheduled - began_ns, .deadline_ms = deadline};
    int fd = -1;
    if (idle_count)
        fd = idle[--idle_count];
    else if (open_count < most_connections)
        fd = open_connection();
    if (fd < 0) {
        write_record(&record, NOT_SENT, 0, now_ns());
        return;
    }
    struct connection *c = connections[fd];
    record.sent_after_ns = now_ns() - scheduled;
    c->record = record;
    c->request_bytes = request_bytes[which];
    c->sent = 0;
    if (deadline_in[which]) {
        char digits[5];
        snprintf(digits, sizeof digits, "%04d", deadline);
        memcpy(deadline_in[which], digits, 4);
    }
    mark_busy(fd);
    if (c->connected) {
        ssize_t gone = send(fd, requests[which], c->request_bytes, MSG_NOSIGNAL);
        if (gone == (ssize_t)c->request_bytes) {
            c->sent = c->request_bytes;
            return;
        }
        if (gone < 0 && errno != EAGAIN) {
            finish(fd, BROKEN, 0, 0);
            return;
        }
        c->sent = gone > 0 ? (size_t)gone : 0;
    }
    c->request = malloc(c->request_bytes);
    memcpy(c->request, requests[which], c->request_bytes);
    watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void take_answer(int fd, char *bytes, size_t count) {
    struct connection *c = connections[fd];
    while (count) {
        if (c->in_body) {
            size_t part = count < c->body_left ? count : c->body_left;
            c->body_left -= part;
            bytes += part;
            count -= part;
        } else {
            size_t room = HEAD_BYTES - c->head_bytes, part = count < room ? count : room;
            memcpy(c->head + c->head_bytes, bytes, part);
            size_t before = c->head_bytes;
            c->head_bytes += part;
            char *blank = memmem(c->head, c->head_bytes, "\r\n\r\n", 4);
            if (!blank) {
                if (c->head_bytes == HEAD_BYTES)
                    finish(fd, BROKEN, 0, 0);
                return;
            }
            size_t head = (size_t)(blank - c->head) + 4;
            *blank = 0;
            char *length = strcasestr(c->head, "\r\ncontent-length:");
            if (!length) {
                finish(fd, BROKEN, 0, 0);
                return;
            }
            c->body_left = strtoul(length + 17, NULL, 10);
            c->in_body = 1;
            bytes += head - before;
            count -= head - before;
        }
        if (c->in_body && !c->body_left) {
            int keep = !strcasestr(c->head, "\r\nconnection: close");
            finish(fd, ANSWERED, atoi(c->head + 9), keep);
            return;
        }
    }
}

static void handle(int fd, uint32_t events) {
    static char held[HELD];
    struct connection *c = connections[fd];
    if (!c)
        return;
    if (events & EPOLLOUT) {
        c->connected = 1;
        if (c->request)
            send_more(fd);
        if (!connections[fd])
            return;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        ssize_t got = recv(fd, held, sizeof held, 0);
        if (got > 0)
            take_answer(fd, held, (size_t)got);
        else if (got == 0 || errno != EAGAIN)
            finish(fd, BROKEN, 0, 0);
    }
}

static void give_up(int64_t now, int whoever) {
    for (int i = busy_count - 1; i >= 0; i--) {
        struct record *r = &connections[busy[i]]->record;
        if (whoever || now - began_ns - r->scheduled_ns > r->deadline_ms * 1000000LL)
            finish(busy[i], GAVE_UP, 0, 0);
    }
}

int main(int argc, char **argv) {
    if (argc != 10) {
        fprintf(stderr, "usage: open_loop PORT ROTATION RATE SECONDS CONNECTIONS SEED POISSON "
                        "HANG_UP RECORDS\n");
        return 2;
    }
    port = atoi(argv[1]);
    read_rotation(argv[2]);
    double gap_ns = 1e9 / atof(argv[3]);
    int64_t length_ns = (int64_t)(atof(argv[4]) * 1e9);
    most_connections = atoi(argv[5]);
    chance = strtoull(argv[6], NULL, 10) * 2654435769ULL + 1;
    int poisson = atoi(argv[7]);
    int hang_up = atoi(argv[8]);
    records = fopen(argv[9], "wb");
    poll_fd = epoll_create1(0);
    if (!records || poll_fd < 0)
        return 1;
    struct epoll_event events[EVENTS];
    began_ns = now_ns();
    double next = (double)began_ns;
    int64_t arrivals = 0, looked_ns = began_ns, end_ns = began_ns + length_ns;
    for (;;) {
        int64_t now = now_ns();
        while (next <= (double)now && next < (double)end_ns) {
            arrive((int64_t)next);
            arrivals++;
            next += poisson ? -log(uniform()) * gap_ns : gap_ns;
        }
        if (now - looked_ns > 1000000) {
            if (hang_up || now > end_ns + DRAIN_NS)
                give_up(now, now > end_ns + DRAIN_NS);
            looked_ns = now;
        }
        if (next >= (double)end_ns && !busy_count)
            break;
        int64_t wait = (int64_t)next - now_ns();
        if (wait > 1000000 || next >= (double)end_ns)
            wait = 1000000;
        if (wait < 0)
            wait = 0;
        struct timespec pause = {.tv_sec = 0, .tv_nsec = wait};
        int ready = epoll_pwait2(poll_fd, events, EVENTS, &pause, NULL);
        for (int i = 0; i < ready; i++)
            handle(events[i].data.fd, events[i].events);
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                   (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    fclose(records);
    printf("{\"arrivals\":%lld,\"seconds\":%.3f,\"cpu_s\":%.3f,\"most_busy\":%d,"
           "\"reconnects\":%lld}\n",
           (long long)arrivals, (double)(now_ns() - began_ns) / 1e9, cpu_s, most_busy,
           (long long)reconnects);
    return 0;
}
