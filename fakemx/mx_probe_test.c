/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_probe_test.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/testing.h"

enum { IDLE_ROUNDS = 5, ROUNDS_MAX = 20000 };

static const char loopback[] = "127.0.0.1";

/* A port nobody listens on at the moment. */
static uint16_t free_port(void)
{
    struct netaddr at;
    struct err err;
    ck_assert(netaddr_parse(loopback, 0, &at, &err));
    int fd = netaddr_listen(&at, SOCK_STREAM, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at.addr, &at.length), 0);
    close(fd);
    return netaddr_port((struct sockaddr *)&at.addr);
}

static struct identity *identity(const struct identity *issuer, const char *name, bool authority)
{
    struct err err;
    struct identity *made =
        identity_new(&(struct identity_spec){.issuer = issuer, .names = &name, .name_count = 1, .authority = authority},
                     NULL, &err);
    ck_assert_msg(made != NULL, "%s", err.text);
    return made;
}

void probe_behave(struct probe *probe, const char *smtp)
{
    struct diag_list *diags = diag_new(probe->arena);
    const struct tree_node *node = tree_read_text(probe->arena, "test.yaml", smtp, strlen(smtp), diags);
    schema_read(probe->arena, &mx_behaviour_schema, node, &probe->behaviour, diags);
    diag_print(diags, stderr);
    ck_assert_uint_eq(diag_count(diags), 0);
}

struct probe *probe_new(const char *smtp)
{
    static const char *const addresses[] = {loopback};
    struct err err;
    struct probe *probe = calloc(1, sizeof *probe);
    probe->arena = arena_new("probe");
    probe->fd = -1;
    probe->loop = loop_new(&err);
    probe->journal = journal_new();
    probe->root = identity(NULL, "root", true);
    probe->identity = identity(probe->root, "mx1.partner.example", false);
    probe->other = identity(probe->root, "other.example", false);
    probe->sni = (struct fakemx_sni){"other.example", probe->other};
    probe_behave(probe, smtp);
    probe->host = (struct fakemx_host){.name = "mx1.partner.example",
                                       .addresses = addresses,
                                       .address_count = 1,
                                       .port = free_port(),
                                       .behaviour = &probe->behaviour,
                                       .identity = probe->identity,
                                       .sni = &probe->sni,
                                       .sni_count = 1,
                                       .identity_label = "trusted",
                                       .fault_prefix = "",
                                       .certificate_fault = "certificate"};
    probe->mx = fakemx_new(&(struct fakemx_config){&probe->host, 1}, probe->loop, probe->journal, &err);
    ck_assert_msg(probe->mx != NULL, "%s", err.text);
    ck_assert_msg(fakemx_listen(probe->mx, &err), "%s", err.text);
    return probe;
}

void probe_disconnect(struct probe *probe)
{
    SSL_free(probe->ssl);
    probe->ssl = NULL;
    if (probe->fd >= 0)
        close(probe->fd);
    probe->fd = -1;
    probe->length = 0;
    probe->state = PROBE_OPEN;
    probe_idle(probe);
}

void probe_free(struct probe **probe)
{
    probe_disconnect(*probe);
    fakemx_free(&(*probe)->mx);
    journal_free(&(*probe)->journal);
    loop_free(&(*probe)->loop);
    identity_free(&(*probe)->identity);
    identity_free(&(*probe)->other);
    identity_free(&(*probe)->beside);
    identity_free(&(*probe)->rsa_key);
    identity_free(&(*probe)->root);
    arena_free(&(*probe)->arena);
    free(*probe);
    *probe = NULL;
}

const struct identity *probe_stand_beside(struct probe *probe)
{
    struct err err;
    const char *name = probe->host.name;
    struct identity_spec spec = {.issuer = probe->root, .names = &name, .name_count = 1};
    probe->rsa_key = identity_new_rsa_key(&err);
    ck_assert_ptr_nonnull(probe->rsa_key);
    probe->beside = identity_new_with_key(&spec, probe->rsa_key, NULL, &err);
    ck_assert_ptr_nonnull(probe->beside);
    probe->host.beside = probe->beside;
    ck_assert(probe_change(probe, "{}"));
    return probe->beside;
}

bool probe_change(struct probe *probe, const char *smtp)
{
    struct err err;
    probe_behave(probe, smtp);
    return fakemx_change(probe->mx, &(struct fakemx_config){&probe->host, 1}, &err);
}

bool probe_connect(struct probe *probe)
{
    struct netaddr at;
    struct err err;
    probe_disconnect(probe);
    ck_assert(netaddr_parse(loopback, probe->host.port, &at, &err));
    probe->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(probe->fd, (struct sockaddr *)&at.addr, at.length) != 0) {
        ck_assert_int_eq(errno, ECONNREFUSED);
        probe_disconnect(probe);
        return false;
    }
    ck_assert_int_eq(evutil_make_socket_nonblocking(probe->fd), 0);
    setsockopt(probe->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return true;
}

/* One round of the fake's events, then the kernel gets a moment to carry bytes over loopback. */
static void round_of_events(struct probe *probe)
{
    event_base_loop(loop_base(probe->loop), EVLOOP_NONBLOCK);
    struct pollfd fd = {.fd = probe->fd, .events = POLLIN};
    poll(&fd, 1, 1);
}

void probe_idle(struct probe *probe)
{
    for (int i = 0; i < IDLE_ROUNDS; i++)
        round_of_events(probe);
}

void probe_send(struct probe *probe, const void *bytes, size_t length)
{
    for (size_t sent = 0, rounds = 0; sent < length && rounds < ROUNDS_MAX; rounds++) {
        ssize_t n = probe->ssl != NULL ? SSL_write(probe->ssl, (const char *)bytes + sent, (int)(length - sent))
                                       : send(probe->fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (probe->ssl == NULL && errno != EAGAIN)
            return; /* what has become of the connection is seen when it is read */
        else
            round_of_events(probe);
    }
}

void probe_say(struct probe *probe, const char *line)
{
    char text[8192];
    int length = snprintf(text, sizeof text, "%s\r\n", line);
    ck_assert_int_lt(length, (int)sizeof text);
    probe_send(probe, text, (size_t)length);
}

/* Reads what is there; false when nothing was. */
static bool receive(struct probe *probe)
{
    char *to = probe->bytes + probe->length;
    size_t room = sizeof probe->bytes - probe->length - 1;
    ssize_t n;
    if (probe->state != PROBE_OPEN)
        return false;
    if (probe->ssl != NULL) {
        n = SSL_read(probe->ssl, to, (int)room);
        if (n <= 0 && SSL_get_error(probe->ssl, (int)n) == SSL_ERROR_WANT_READ)
            return false;
        if (n <= 0)
            n = SSL_get_shutdown(probe->ssl) & SSL_RECEIVED_SHUTDOWN ? 0 : -1;
    } else {
        n = recv(probe->fd, to, room, 0);
        if (n < 0 && errno == EAGAIN)
            return false;
    }
    if (n <= 0)
        probe->state = n == 0 ? PROBE_CLOSED : PROBE_RESET;
    else
        probe->length += (size_t)n;
    return true;
}

/* Takes the next line, NULL: there is no whole one. */
static const char *take_line(struct probe *probe)
{
    char *end = memchr(probe->bytes, '\n', probe->length);
    if (end == NULL)
        return NULL;
    size_t length = (size_t)(end - probe->bytes);
    const char *line = arena_strndup(probe->arena, probe->bytes, length > 0 && end[-1] == '\r' ? length - 1 : length);
    probe->length -= length + 1;
    memmove(probe->bytes, end + 1, probe->length);
    return line;
}

const char *probe_reply(struct probe *probe)
{
    static const char *const ends[] = {[PROBE_OPEN] = "silence", [PROBE_CLOSED] = "closed", [PROBE_RESET] = "reset"};
    for (int idle = 0; idle < IDLE_ROUNDS;) {
        const char *line;
        while ((line = take_line(probe)) != NULL)
            if (strlen(line) < 4 || line[3] != '-')
                return line;
        if (probe->state != PROBE_OPEN)
            break;
        round_of_events(probe);
        idle = receive(probe) ? 0 : idle + 1;
    }
    return ends[probe->state];
}

bool probe_tls(struct probe *probe, SSL_CTX *context, const char *sni)
{
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, probe->fd);
    SSL_set_tlsext_host_name(ssl, sni);
    int result = -1;
    for (int rounds = 0; rounds < ROUNDS_MAX; rounds++) {
        result = SSL_connect(ssl);
        if (result == 1 || SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
            break;
        round_of_events(probe);
    }
    probe_idle(probe);
    probe->ssl = ssl;
    return result == 1;
}

const char *probe_hits(struct probe *probe)
{
    const char *hits = "";
    for (size_t i = 0; i < journal_count(probe->journal); i++) {
        const struct journal_event *event = journal_at(probe->journal, i);
        if (event->kind == JOURNAL_FAULT_HIT)
            hits = arena_printf(probe->arena, "%s%s%s", hits, *hits != '\0' ? " " : "", journal_get(event, "id"));
    }
    return hits;
}

const struct journal_event *probe_event(const struct probe *probe, enum journal_kind kind)
{
    for (size_t i = journal_count(probe->journal); i > 0; i--)
        if (journal_at(probe->journal, i - 1)->kind == kind)
            return journal_at(probe->journal, i - 1);
    return NULL;
}
