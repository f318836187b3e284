/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/arena.h"

enum { SNAP = 65535, SOCKET_BYTES = 16 * 1024 * 1024 };

struct evidence {
    int socket;
    struct event *readable;
    struct arena *arena;
    struct packets {
        struct evidence_packet *items;
        size_t count, room;
    } packets;
    size_t bytes;
    uint64_t beyond; /* more than is kept */
};

/* ---- capturing ---- */

static int64_t time_of_last(int fd)
{
    struct timeval at = {0};
    if (ioctl(fd, SIOCGSTAMP, &at) != 0)
        gettimeofday(&at, NULL);
    return (int64_t)at.tv_sec * 1000000 + at.tv_usec;
}

static void keep(struct evidence *e, const unsigned char *bytes, size_t length)
{
    if (e->bytes + length > EVIDENCE_BYTES_MAX) {
        e->beyond++;
        return;
    }
    e->bytes += length;
    *ARENA_PUSH(e->arena, &e->packets) =
        (struct evidence_packet){time_of_last(e->socket), arena_memdup(e->arena, bytes, length), length};
}

static void on_packets(evutil_socket_t fd, short what UNUSED, void *arg)
{
    unsigned char bytes[SNAP];
    for (ssize_t got; (got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
        keep(arg, bytes, (size_t)got);
}

struct evidence *evidence_start(struct loop *loop, struct err *err)
{
    int room = SOCKET_BYTES;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
    if (fd < 0) {
        err_set(err, ERR_SYSTEM, "packets cannot be captured: %s", strerror(errno));
        return NULL;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    struct evidence *e = calloc(1, sizeof *e);
    if (e == NULL)
        abort();
    *e = (struct evidence){.socket = fd, .arena = arena_new("evidence")};
    e->readable = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_packets, e);
    if (e->readable == NULL || event_add(e->readable, NULL) != 0)
        abort();
    return e;
}

void evidence_stop(struct evidence **evidence)
{
    struct evidence *e = *evidence;
    if (e == NULL)
        return;
    event_free(e->readable);
    close(e->socket);
    arena_free(&e->arena);
    free(e);
    *evidence = NULL;
}

/* ---- pcapng ---- */

/* A block: its type, its length on both sides of the body, the body padded to 32 bits. The byte order is ours; the
 * section's header says which. */
static void block(FILE *out, uint32_t type, const void *head, size_t head_length, const void *body, size_t length)
{
    static const char padding[4];
    size_t pad = -length & 3;
    uint32_t total = (uint32_t)(12 + head_length + length + pad);
    fwrite(&type, 4, 1, out);
    fwrite(&total, 4, 1, out);
    fwrite(head, 1, head_length, out);
    fwrite(body, 1, length, out);
    fwrite(padding, 1, pad, out);
    fwrite(&total, 4, 1, out);
}

static void print_packet(const struct evidence_packet *packet, FILE *out)
{
    uint64_t at = (uint64_t)packet->at_us;
    uint32_t length = (uint32_t)packet->length;
    const uint32_t head[] = {0, (uint32_t)(at >> 32), (uint32_t)at, length, length}; /* interface, time, lengths */
    block(out, 6, head, sizeof head, packet->bytes, packet->length);
}

static void print_lost(uint64_t lost, FILE *out)
{
    enum { DROPPED = 5, LENGTH = 8 };
    const uint32_t head[] = {0, 0, 0}; /* interface, time */
    struct {
        uint16_t code, length;
        uint32_t low, high;
        uint32_t end;
    } option = {DROPPED, LENGTH, (uint32_t)lost, (uint32_t)(lost >> 32), 0};
    block(out, 5, head, sizeof head, &option, sizeof option);
}

bool evidence_print(const struct evidence_file *file, FILE *out)
{
    const struct {
        uint32_t order;
        uint16_t major, minor;
        int64_t length; /* not said */
    } section = {0x1A2B3C4D, 1, 0, -1};
    const struct {
        uint16_t link, reserved;
        uint32_t snap;
    } interface = {1, 0, SNAP};                                         /* Ethernet */
    const uint32_t keys[] = {0x544c534b, (uint32_t)strlen(file->keys)}; /* TLS key log */
    block(out, 0x0A0D0D0A, &section, sizeof section, "", 0);
    block(out, 1, &interface, sizeof interface, "", 0);
    if (file->keys[0] != '\0')
        block(out, 10, keys, sizeof keys, file->keys, strlen(file->keys));
    for (size_t i = 0; i < file->count; i++)
        print_packet(&file->packets[i], out);
    if (file->lost > 0)
        print_lost(file->lost, out);
    return fflush(out) == 0 && !ferror(out);
}

/* ---- a case's file ---- */

static const char *keys_in(struct arena *arena, const struct journal *journal)
{
    struct {
        char *items;
        size_t count, room;
    } text = {0};
    for (size_t i = 0; i < journal_count(journal); i++) {
        const struct journal_event *event = journal_at(journal, i);
        if (event->kind != JOURNAL_MX_TLS_KEY)
            continue;
        for (const char *c = journal_get(event, "line"); *c != '\0'; c++)
            *ARENA_PUSH(arena, &text) = *c;
        *ARENA_PUSH(arena, &text) = '\n';
    }
    *ARENA_PUSH(arena, &text) = '\0';
    return text.items;
}

static uint64_t lost_by_the_kernel(int fd)
{
    struct tpacket_stats stats = {0};
    socklen_t size = sizeof stats;
    return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0 ? stats.tp_drops : 0;
}

const char *evidence_path(struct arena *arena, const char *name)
{
    const char *path = "";
    for (const char *part = name; *part != '\0'; part += strspn(part, "/")) {
        size_t length = strcspn(part, "/");
        bool leads_away = strspn(part, ".") == length; /* "..", ".", nothing */
        if (!leads_away)
            path = arena_printf(arena, "%s%s%.*s", path, *path != '\0' ? "/" : "", (int)length, part);
        part += length;
    }
    return arena_printf(arena, "%s.pcapng", path);
}

static void make_folders(struct arena *arena, int folder, const char *path)
{
    for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++)
        mkdirat(folder, arena_strndup(arena, path, (size_t)(slash - path)), 0755);
}

bool evidence_write(struct evidence *e, const struct journal *journal, int folder, const char *name, struct err *err)
{
    on_packets(e->socket, 0, e);
    const char *path = evidence_path(e->arena, name);
    make_folders(e->arena, folder, path);
    struct evidence_file file = {e->packets.items, e->packets.count, e->beyond + lost_by_the_kernel(e->socket),
                                 keys_in(e->arena, journal)};
    int fd = openat(folder, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool written = out != NULL && evidence_print(&file, out);
    int reason = errno;
    if (out != NULL && fclose(out) != 0)
        written = false;
    return written || err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(reason));
}
