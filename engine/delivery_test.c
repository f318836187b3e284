/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/delivery.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"

enum { HOSTS = 2, DAY = 86400 };

/* What a host's address does. */
enum doing { TAKES, REFUSES, GREETS_554, RCPT_550, RCPT_450, CLOSES_BEFORE_ANOTHER };

#define SECURE_HOST(what)                                                                                              \
    {                                                                                                                  \
        TRUST_SECURE, what, {TAKES}, 1                                                                                 \
    }

/* A world, a sender, and what must come of it. connects: hosts in the order in which they were connected to. */
/* clang-format off */
static const struct row {
    const char *name;
    struct { enum mx_state state; enum dns_trust trust; } mx;
    struct { enum dns_trust trust; enum tlsa_state tlsa; enum doing doing[2]; size_t addresses; } hosts[HOSTS];
    enum sts_policy_mode sts;
    const char *listed;                     /* the mx: line of the policy */
    struct { enum dane_mode dane; enum mta_sts_mode sts; } modes;
    const char *connects;
    enum recipient_state state;
    const char *code;
    const char *domain, *smart_host, *self; /* NULL: partner.example, none, relay.example */
    int64_t age;                            /* of the message */
    enum sts_policy_mode sts_at_recheck;
    bool exchange;
    enum message_tls message;
} rows[] = {
    {"the first host takes it", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_ABSENT), SECURE_HOST(TLSA_ABSENT)},
     STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1", RECIPIENT_DELIVERED, "2.0.0", .age = 0},
    {"the second after a refused connection", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {REFUSES}, 1},
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_DELIVERED, "2.0.0", .age = 0},
    {"the second address of a host", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {REFUSES, TAKES}, 2},
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx1", RECIPIENT_DELIVERED, "2.0.0", .age = 0},
    {"all refuse", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {REFUSES}, 1}, {TRUST_SECURE, TLSA_ABSENT,
     {REFUSES}, 1}}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_QUEUED, "4.4.316", .age = 0},
    {"554 greetings never bounce", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {GREETS_554}, 1},
     {TRUST_SECURE, TLSA_ABSENT, {GREETS_554}, 1}}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_QUEUED, "4.4.317", .age = 0},
    {"550 to RCPT bounces at the first host", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {RCPT_550}, 1},
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1", RECIPIENT_BOUNCED, "5.1.1", .age = 0},
    {"450 to RCPT tries the next host", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {RCPT_450}, 2},
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_DELIVERED, "2.0.0", .age = 0},
    {"450 at the last host waits", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {RCPT_450}, 1},
     {TRUST_SECURE, TLSA_ABSENT, {RCPT_450}, 1}}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_QUEUED, "4.2.0", .age = 0},

    {"DANE cannot be met: a host without records may take it", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_USABLE),
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_DELIVERED, "2.0.0", .age = 0},
    {"mandatory: such a host may not", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_USABLE), SECURE_HOST(TLSA_ABSENT)},
     STS_ABSENT, NULL,
     {DANE_MANDATORY, MTA_STS_OPPORTUNISTIC}, "mx1", RECIPIENT_QUEUED, "4.7.323", .age = 0},
    {"records everywhere, TLS nowhere", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_USABLE),
     SECURE_HOST(TLSA_UNUSABLE)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_QUEUED, "4.7.321", .age = 0},
    {"no connection where the TLSA lookup failed", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_LOOKUP_FAILED),
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx2", RECIPIENT_DELIVERED, "2.0.0", .age = 0},
    {"it failed everywhere", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_LOOKUP_FAILED),
     SECURE_HOST(TLSA_LOOKUP_FAILED)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.7.324", .age = 0},
    {"mode none never cares", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_NOT_ASKED), SECURE_HOST(TLSA_NOT_ASKED)},
     STS_ENFORCE, "other.example",
     {DANE_NONE, MTA_STS_NONE}, "mx1", RECIPIENT_DELIVERED, "2.0.0", .age = 0},
    {"a host without an address is passed over", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE, TLSA_NOT_ASKED,
     {TAKES}, 0}, {TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx2", RECIPIENT_DELIVERED, "2.0.0", .age = 0},

    {"NXDOMAIN bounces", {MX_NO_DOMAIN, TRUST_INSECURE}, {{0}}, STS_ABSENT, NULL, {DANE_OPPORTUNISTIC,
     MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_BOUNCED, "5.4.310", .age = 0},
    {"mandatory, proven: bounces", {MX_NO_DOMAIN, TRUST_SECURE}, {{0}}, STS_ABSENT, NULL, {DANE_MANDATORY,
     MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_BOUNCED, "5.4.310", .age = 0},
    {"mandatory, not proven: waits", {MX_NO_DOMAIN, TRUST_INSECURE}, {{0}}, STS_ABSENT, NULL, {DANE_MANDATORY,
     MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.7.323", .age = 0},
    {"null MX bounces", {MX_NULL, TRUST_SECURE}, {{0}}, STS_ABSENT, NULL, {DANE_MANDATORY, MTA_STS_OPPORTUNISTIC}, "",
     RECIPIENT_BOUNCED, "5.1.10", .age = 0},
    {"bogus waits", {MX_LOOKUP_FAILED, TRUST_BOGUS}, {{0}}, STS_ABSENT, NULL, {DANE_OPPORTUNISTIC,
     MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.7.324", .age = 0},
    {"bogus, as the service says it", {MX_LOOKUP_FAILED, TRUST_BOGUS}, {{0}}, STS_ABSENT, NULL, {DANE_OPPORTUNISTIC,
     MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.4.312",
     .exchange = true},
    {"SERVFAIL waits", {MX_LOOKUP_FAILED, TRUST_FAILED}, {{0}}, STS_ABSENT, NULL, {DANE_OPPORTUNISTIC,
     MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.4.312", .age = 0},
    {"the next best host is this server", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {REFUSES}, 1},
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL, {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1",
     RECIPIENT_QUEUED, "4.4.316", .self = "mx2.partner.example"},
    {"the best host is this server", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_ABSENT), SECURE_HOST(TLSA_ABSENT)},
     STS_ABSENT, NULL, {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_BOUNCED, "5.4.6",
     .self = "mx1.partner.example"},
    {"mandatory, not proven that it is: waits", {MX_FOUND, TRUST_INSECURE}, {SECURE_HOST(TLSA_ABSENT),
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL, {DANE_MANDATORY, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED,
     "4.7.323", .self = "mx1.partner.example"},

    {"no host in the policy", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1},
     {TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}}, STS_ENFORCE, "other.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.4.8", .age = 0},
    {"the one in the policy is dead", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE, TLSA_NOT_ASKED, {REFUSES}, 1},
     {TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}}, STS_ENFORCE, "mx1.partner.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1", RECIPIENT_QUEUED, "4.4.8", .age = 0},
    {"listed, but no TLS", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}, {TRUST_INSECURE,
     TLSA_NOT_ASKED, {TAKES}, 1}}, STS_ENFORCE, "*.partner.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_QUEUED, "4.7.5", .age = 0},
    {"testing never blocks", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1},
     {TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}}, STS_TESTING, "other.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1", RECIPIENT_DELIVERED, "2.0.0", .age = 0},

    {"an address literal asks nothing", {MX_NO_DOMAIN, TRUST_SECURE}, {{0}}, STS_ENFORCE, "other.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "192.0.2.1", RECIPIENT_DELIVERED, "2.0.0", .domain = "[192.0.2.1]"},
    {"an address literal does not lead back here", {MX_NO_DOMAIN, TRUST_SECURE}, {{0}}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.4.312", .domain = "[127.0.0.1]"},
    {"a smart host may be on this machine", {MX_NO_DOMAIN, TRUST_SECURE}, {{0}}, STS_ENFORCE, "other.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "127.0.0.1", RECIPIENT_DELIVERED, "2.0.0",
     .smart_host = "127.0.0.1:2525"},
    {"mandatory to a literal waits", {MX_NO_DOMAIN, TRUST_SECURE}, {{0}}, STS_ABSENT, NULL,
     {DANE_MANDATORY, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.7.323", .domain = "[192.0.2.1]"},
    {"a smart host is the next hop", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_ABSENT), SECURE_HOST(TLSA_ABSENT)},
     STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1", RECIPIENT_DELIVERED, "2.0.0", .smart_host = "gateway.example"},
    {"a smart host that is missing does not bounce", {MX_NO_DOMAIN, TRUST_SECURE}, {{0}}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.4.312", .smart_host = "gateway.example"},
    {"mandatory to the address of a smart host waits", {MX_NO_DOMAIN, TRUST_SECURE}, {{0}}, STS_ABSENT, NULL,
     {DANE_MANDATORY, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.7.323", .smart_host = "192.0.2.1"},
    {"to the address of a smart host", {MX_NO_DOMAIN, TRUST_SECURE}, {{0}}, STS_ENFORCE, "other.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "192.0.2.1", RECIPIENT_DELIVERED, "2.0.0",
     .smart_host = "192.0.2.1:2525"},

    {"given up after a day", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {REFUSES}, 1}, {TRUST_SECURE,
     TLSA_ABSENT, {REFUSES}, 1}}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_BOUNCED, "5.4.316", .age = DAY},
    {"before giving up, the policy is asked again (8461-5-5)", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE,
     TLSA_NOT_ASKED, {TAKES}, 1}, {TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}},
     STS_ENFORCE, "other.example", {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1", RECIPIENT_DELIVERED, "2.0.0",
         .age = DAY, .sts_at_recheck = STS_MODE_NONE},
    {"it is still the same", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1},
     {TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}},
     STS_ENFORCE, "other.example", {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_BOUNCED, "5.4.8",
         .age = DAY, .sts_at_recheck = STS_ENFORCE},

    {"REQUIRETLS, nobody vouches for the hosts", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES},
     1}, {TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_BOUNCED, "5.7.10", .message = MESSAGE_REQUIRETLS},
    {"REQUIRETLS, TLS nowhere", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_ABSENT), SECURE_HOST(TLSA_USABLE)},
     STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_BOUNCED, "5.7.10",
     .message = MESSAGE_REQUIRETLS},
    {"REQUIRETLS, one host is down", {MX_FOUND, TRUST_SECURE}, {{TRUST_SECURE, TLSA_ABSENT, {REFUSES}, 1},
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL,
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_QUEUED, "4.4.316",
     .message = MESSAGE_REQUIRETLS},
    {"REQUIRETLS, DNS fails", {MX_LOOKUP_FAILED, TRUST_FAILED}, {{0}}, STS_ABSENT, NULL, {DANE_OPPORTUNISTIC,
     MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED, "4.4.312", .message = MESSAGE_REQUIRETLS},
    {"REQUIRETLS under mandatory waits with it", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_ABSENT),
     SECURE_HOST(TLSA_ABSENT)}, STS_ABSENT, NULL, {DANE_MANDATORY, MTA_STS_OPPORTUNISTIC}, "", RECIPIENT_QUEUED,
     "4.7.323", .message = MESSAGE_REQUIRETLS},
    {"REQUIRETLS, before it bounces the policy is asked again", {MX_FOUND, TRUST_INSECURE}, {{TRUST_INSECURE,
     TLSA_NOT_ASKED, {TAKES}, 1}, {TRUST_INSECURE, TLSA_NOT_ASKED, {TAKES}, 1}}, STS_ENFORCE, "*.partner.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_BOUNCED, "5.7.10",
     .message = MESSAGE_REQUIRETLS, .sts_at_recheck = STS_ENFORCE},
    {"TLS waived: records do not count", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_USABLE),
     SECURE_HOST(TLSA_USABLE)}, STS_ENFORCE, "other.example",
     {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC}, "mx1", RECIPIENT_DELIVERED, "2.0.0", .message = MESSAGE_TLS_WAIVED},
    {"TLS waived, but not by us", {MX_FOUND, TRUST_SECURE}, {SECURE_HOST(TLSA_USABLE), SECURE_HOST(TLSA_USABLE)},
     STS_ABSENT, NULL, {DANE_MANDATORY, MTA_STS_OPPORTUNISTIC}, "mx1 mx2", RECIPIENT_QUEUED, "4.7.321",
     .message = MESSAGE_TLS_WAIVED},
};
/* clang-format on */

struct bench {
    const struct row *row;
    struct arena *arena;
    struct loop *loop;
    struct clock clock;
    char path[64];
    struct delivery_world world;
    struct engine_config config;
    struct connector connector;
    const char *connects;
    struct server {
        struct bufferevent *io;
        enum doing doing;
        unsigned mails;
        bool in_data;
    } servers[8];
    size_t server_count;
    unsigned sts_asked, rechecked;
    bool done;
};

static bool waived(const struct row *row)
{
    return row->message == MESSAGE_TLS_WAIVED && row->modes.dane != DANE_MANDATORY;
}

/* ---- answers come from the loop, as those of the real ports do ---- */

struct later {
    void (*call)(void *arg, const void *facts);
    void *arg;
    const void *facts;
};

static void on_later(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct later *later = arg;
    later->call(later->arg, later->facts);
}

static void soon(struct bench *b, void (*call)(void *, const void *), void *arg, const void *facts)
{
    struct later *later = arena_alloc(b->arena, sizeof *later);
    *later = (struct later){call, arg, facts};
    ck_assert_int_eq(event_base_once(loop_base(b->loop), -1, EV_TIMEOUT, on_later, later, &(struct timeval){0}), 0);
}

struct told {
    void (*mx)(void *, const struct mx_facts *);
    void (*host)(void *, const struct host_facts *);
    void (*sts)(void *, const struct sts_facts *);
    void *arg;
};

static void tell_mx(void *arg, const void *facts)
{
    ((struct told *)arg)->mx(((struct told *)arg)->arg, facts);
}

static void tell_host(void *arg, const void *facts)
{
    ((struct told *)arg)->host(((struct told *)arg)->arg, facts);
}

static void tell_sts(void *arg, const void *facts)
{
    ((struct told *)arg)->sts(((struct told *)arg)->arg, facts);
}

static struct told *told(struct bench *b, struct told value)
{
    return arena_memdup(b->arena, &value, sizeof value);
}

static void ask_mx(void *outside, struct arena *arena, const char *domain, bool override_bogus,
                   void (*done)(void *, const struct mx_facts *), void *arg)
{
    struct bench *b = outside;
    static const struct mx_host hosts[HOSTS] = {{"mx1.partner.example", 10}, {"mx2.partner.example", 20}};
    struct mx_facts *facts = arena_alloc(arena, sizeof *facts);
    ck_assert_str_eq(domain, b->row->smart_host != NULL ? b->row->smart_host : "partner.example");
    ck_assert(override_bogus == (b->row->modes.dane == DANE_NONE));
    *facts =
        (struct mx_facts){.state = b->row->mx.state, .trust = b->row->mx.trust, .domain = domain, .expanded = domain};
    facts->hosts = hosts;
    facts->host_count = facts->state == MX_FOUND ? HOSTS : 0;
    soon(b, tell_mx, told(b, (struct told){.mx = done, .arg = arg}), facts);
}

static void ask_host(void *outside, struct arena *arena, const char *host, uint16_t port, bool ask_tlsa,
                     bool override_bogus UNUSED, void (*done)(void *, const struct host_facts *), void *arg)
{
    struct bench *b = outside;
    size_t i = host[2] == '1' ? 0 : 1;
    struct netaddr *addresses = arena_alloc(arena, 2 * sizeof *addresses);
    for (size_t k = 0; k < 2; k++)
        ck_assert(netaddr_parse(arena_printf(arena, "192.0.2.%zu", 10 * (i + 1) + k), port, &addresses[k], NULL));
    ck_assert(ask_tlsa == (b->row->modes.dane != DANE_NONE && b->row->mx.trust == TRUST_SECURE && !waived(b->row)));
    struct host_facts *facts = arena_alloc(arena, sizeof *facts);
    *facts = (struct host_facts){.name = host, .expanded = host, .trust = b->row->hosts[i].trust, .tlsa_base = host};
    facts->addresses = addresses;
    facts->address_count = b->row->hosts[i].addresses;
    facts->tlsa = b->row->hosts[i].tlsa;
    soon(b, tell_host, told(b, (struct told){.host = done, .arg = arg}), facts);
}

static void ask_sts(void *outside, struct arena *arena, const char *domain, bool recheck,
                    void (*done)(void *, const struct sts_facts *), void *arg)
{
    struct bench *b = outside;
    ck_assert_str_eq(domain, b->row->smart_host != NULL ? b->row->smart_host : "partner.example");
    struct sts_facts *facts = arena_alloc(arena, sizeof *facts);
    b->sts_asked++;
    b->rechecked += recheck;
    facts->mode = b->rechecked > 0 ? b->row->sts_at_recheck : b->row->sts;
    facts->id = facts->mode == b->row->sts ? "1" : "2";
    facts->mx = &b->row->listed;
    facts->mx_count = b->row->listed != NULL ? 1 : 0;
    soon(b, tell_sts, told(b, (struct told){.sts = done, .arg = arg}), facts);
}

/* ---- servers ---- */

static const char *reply_to(struct server *server, const char *line)
{
    enum doing doing = server->doing;
    bool is_body = server->in_data && strcmp(line, ".") != 0;
    server->in_data = is_body || strncmp(line, "DATA", 4) == 0;
    if (is_body)
        return "";
    if (strncmp(line, "MAIL", 4) == 0 && ++server->mails > 1 && doing == CLOSES_BEFORE_ANOTHER)
        return "421 4.3.2 enough\r\n";
    if (strncmp(line, "RCPT", 4) == 0 && (doing == RCPT_550 || doing == RCPT_450))
        return doing == RCPT_550 ? "550 5.1.1 who?\r\n" : "450 4.2.0 later\r\n";
    return server->in_data ? "354 go\r\n" : "250 2.0.0 ok\r\n";
}

static void on_line(struct bufferevent *io, void *arg)
{
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(io), NULL, EVBUFFER_EOL_CRLF)) != NULL) {
        const char *reply = reply_to(arg, line);
        bufferevent_write(io, reply, strlen(reply));
        free(line);
    }
}

struct connecting {
    connect_done *done;
    void *arg;
    struct bufferevent *io;
};

static void connected(void *arg, const void *facts UNUSED)
{
    struct connecting *c = arg;
    c->done(c->arg, c->io, c->io != NULL ? CAUSE_NONE : CAUSE_CONNECT_REFUSED, "Connection refused");
}

static struct bufferevent *serve(struct bench *b, enum doing doing)
{
    struct bufferevent *pair[2];
    ck_assert_int_eq(bufferevent_pair_new(loop_base(b->loop), BEV_OPT_CLOSE_ON_FREE, pair), 0);
    struct server *server = &b->servers[b->server_count++];
    *server = (struct server){.io = pair[1], .doing = doing};
    bufferevent_setcb(pair[1], on_line, NULL, NULL, server);
    bufferevent_enable(pair[1], EV_READ | EV_WRITE);
    const char *greeting = doing == GREETS_554 ? "554 no\r\n" : "220 mx\r\n";
    bufferevent_write(pair[1], greeting, strlen(greeting));
    return pair[0];
}

static struct connect_attempt *connect_to(void *outside, const struct netaddr *to, double timeout_s UNUSED,
                                          connect_done *done, void *arg)
{
    static const enum doing takes = TAKES;
    struct bench *b = outside;
    const char *address = netaddr_text(b->arena, (const struct sockaddr *)&to->addr);
    int last = (int)strtol(strrchr(address, '.') + 1, NULL, 10);
    const enum doing *doing = last >= 10 ? &b->row->hosts[last / 10 - 1].doing[last % 10] : &takes;
    const char *host = last >= 10 ? arena_printf(b->arena, "mx%d", last / 10) : address;
    b->connects = arena_printf(b->arena, "%s%s%s", b->connects, *b->connects ? " " : "", host);
    struct connecting *c = arena_alloc(b->arena, sizeof *c);
    *c = (struct connecting){done, arg, *doing == REFUSES ? NULL : serve(b, *doing)};
    soon(b, connected, c, NULL);
    return NULL;
}

/* ---- the test ---- */

static void open_bench(struct bench *b, const struct row *row)
{
    struct err err;
    *b = (struct bench){.row = row,
                        .arena = arena_new("test"),
                        .loop = loop_new(&err),
                        .connects = "",
                        .path = "/tmp/delivery_test_XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(b->path));
    b->config = (struct engine_config){.hostname = row->self != NULL ? row->self : "relay.example",
                                       .plan = retry_exchange,
                                       .accept_bogus = true};
    b->config.timeouts = (struct engine_timeouts){60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60};
    b->config.profile = row->exchange ? PROFILE_EXCHANGE : PROFILE_RFC;
    b->connector = (struct connector){.name = "test",
                                      .dane = (int)row->modes.dane,
                                      .mta_sts = (int)row->modes.sts,
                                      .enabled = true};
    if (row->smart_host != NULL)
        b->connector.smart_hosts = (struct schema_texts){(const char **)&b->row->smart_host, NULL, 1};
    b->world =
        (struct delivery_world){.ports = {b, ask_mx, ask_host, ask_sts, connect_to}, .loop = b->loop, .smtp_port = 25};
    b->world.sessions = sessions_new(b->loop, &b->clock, &(struct sessions_limits){2, 100, 10});
    b->world.settle = (struct settle_world){.config = &b->config, .clock = &b->clock};
    b->world.settle.queue = queue_open(arena_printf(b->arena, "%s/queue", b->path), false, &b->clock, &err);
    b->world.settle.trace = trace_new(arena_printf(b->arena, "%s/trace", b->path), DAY);
    ck_assert_ptr_nonnull(b->world.settle.queue);
}

static void close_bench(struct bench *b)
{
    static const char *const names[] = {"queue", "queue-wal", "queue-shm", "trace", "trace-wal", "trace-shm"};
    for (size_t i = 0; i < b->server_count; i++)
        bufferevent_free(b->servers[i].io);
    sessions_free(&b->world.sessions);
    queue_close(&b->world.settle.queue);
    trace_free(&b->world.settle.trace);
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(arena_printf(b->arena, "%s/%s", b->path, names[i]));
    rmdir(b->path);
    loop_free(&b->loop);
    arena_free(&b->arena);
}

static void on_done(void *arg, struct delivery *self)
{
    ((struct bench *)arg)->done = true;
    delivery_cancel(&self);
}

static void deliver(struct bench *b)
{
    const char *domain = b->row->domain != NULL ? b->row->domain : "partner.example";
    const char *recipient = arena_printf(b->arena, "a@%s", domain);
    struct message message = {"s@sender.example", &recipient, 1, "Subject: x\r\n\r\nhello\r\n", 21, false, NULL,
                              b->row->message,    false};
    struct queued_list due = {0};
    b->done = false;
    ck_assert(queue_add(b->world.settle.queue, &message, NULL, NULL));
    clock_advance(&b->clock, b->row->age);
    ck_assert(queue_due(b->world.settle.queue, b->arena, message_domain(b->arena, recipient), &due, NULL));
    struct queued *newest = &due.items[0];
    struct delivery_job job = {{&b->connector, "*", "test", NULL}, newest->domain, newest, 1};
    ck_assert_ptr_nonnull(delivery_start(&b->world, &job, on_done, b));
    ck_assert_msg(loop_run_until(b->loop, &b->done, 10), "%s: no end", b->row->name);
}

static bool by_address(const struct row *row)
{
    return row->smart_host != NULL && strspn(row->smart_host, "0123456789.:") == strlen(row->smart_host);
}

START_TEST(deliveries_go_their_way)
{
    struct bench b;
    const struct row *row = &rows[_i];
    struct queued_list all = {0};
    open_bench(&b, row);
    deliver(&b);
    ck_assert_msg(strcmp(b.connects, row->connects) == 0, "%s: connected to %s", row->name, b.connects);
    ck_assert(queue_list(b.world.settle.queue, b.arena, NULL, false, 10, &all, NULL));
    const struct queued *r = &all.items[0];
    ck_assert_msg(r->state == row->state, "%s: %s %s %s", row->name, recipient_state_names[r->state], r->code,
                  r->reason);
    ck_assert_msg(strcmp(r->code, row->code) == 0, "%s: %s %s", row->name, r->code, r->reason);
    ck_assert_uint_eq(r->attempts, 1);
    bool queued = row->state == RECIPIENT_QUEUED, bounced = row->state == RECIPIENT_BOUNCED;
    ck_assert_msg(!queued || r->due >= clock_now(&b.clock) + 899, "%s: due too soon", row->name);
    ck_assert_msg(all.count == (bounced ? 2U : 1U), "%s: %zu in the queue", row->name, all.count);
    bool asks = row->modes.sts != MTA_STS_NONE && row->domain == NULL && !by_address(row) && !waived(row);
    ck_assert_msg((b.sts_asked > 0) == asks, "%s: policy asked %u times", row->name, b.sts_asked);
    ck_assert_msg(b.rechecked == (row->sts_at_recheck != STS_ABSENT), "%s: rechecked %u", row->name, b.rechecked);
    close_bench(&b);
}
END_TEST

/* Two messages, one behind the other: how many connections? */
static const struct reuse {
    const char *name;
    const char *connects;
    enum doing doing;
    bool closed, of_another_connector, under_another_policy;
    int64_t pause;
} reuses[] = {
    {"the second message takes the connection of the first", "mx1"},
    {"the server has closed it", "mx1 mx1", .closed = true},
    {"the server says so when it is used", "mx1 mx1", CLOSES_BEFORE_ANOTHER},
    {"a refused recipient leaves a transaction that is reset", "mx1", RCPT_550},
    {"another connector", "mx1 mx1", .of_another_connector = true},
    {"another policy", "mx1 mx1", .under_another_policy = true},
    {"too late", "mx1 mx1", .pause = 2},
};

static void between(struct bench *b, const struct reuse *reuse)
{
    static const struct schema_texts none = {0};
    if (reuse->closed)
        bufferevent_flush(b->servers[0].io, EV_WRITE, BEV_FINISHED);
    loop_run_until(b->loop, NULL, 0);
    b->connector.name = reuse->of_another_connector ? "other" : b->connector.name;
    b->connector.smart_hosts = none;
    b->rechecked += reuse->under_another_policy; /* the port then tells of another one */
    clock_advance(&b->clock, reuse->pause);
}

START_TEST(connections_are_reused)
{
    const struct reuse *reuse = &reuses[_i];
    struct bench b;
    struct queued_list all = {0};
    struct row row = {"reuse",
                      {MX_FOUND, TRUST_SECURE},
                      {SECURE_HOST(TLSA_ABSENT), SECURE_HOST(TLSA_ABSENT)},
                      STS_TESTING,
                      "mx1.partner.example",
                      {DANE_OPPORTUNISTIC, MTA_STS_OPPORTUNISTIC},
                      .sts_at_recheck = STS_MODE_NONE};
    row.hosts[0].doing[0] = reuse->doing;
    open_bench(&b, &row);
    deliver(&b);
    between(&b, reuse);
    deliver(&b);
    ck_assert_msg(strcmp(b.connects, reuse->connects) == 0, "%s: connected to %s", reuse->name, b.connects);
    ck_assert(queue_list(b.world.settle.queue, b.arena, NULL, false, 10, &all, NULL));
    for (size_t i = 0; i < all.count; i++) /* with a report about each bounce */
        ck_assert_msg(all.items[i].state != RECIPIENT_QUEUED || all.items[i].sender[0] == '\0', "%s: %zu waits: %s",
                      reuse->name, i, all.items[i].reason);
    close_bench(&b);
}
END_TEST

START_TEST(test_mode_tells_what_would_have_been)
{
    struct bench b;
    struct err err;
    struct queued_list all = {0};
    struct row row = {"test mode",
                      {MX_FOUND, TRUST_SECURE},
                      {SECURE_HOST(TLSA_ABSENT), SECURE_HOST(TLSA_ABSENT)},
                      STS_ABSENT,
                      NULL,
                      {DANE_MANDATORY, MTA_STS_OPPORTUNISTIC}};
    open_bench(&b, &row);
    b.connector.test_mode = true;
    deliver(&b);
    ck_assert(queue_list(b.world.settle.queue, b.arena, NULL, false, 10, &all, NULL));
    ck_assert_int_eq(all.items[0].state, RECIPIENT_DELIVERED);
    json_t *request = json_pack("{s:b}", "events", 1), *trace = trace_list(b.world.settle.trace, request, &err);
    char *text = json_dumps(trace, 0);
    ck_assert_msg(strstr(text, "in test mode, else it would have waited: DANE is mandatory") != NULL, "%s", text);
    free(text);
    json_decref(request);
    json_decref(trace);
    close_bench(&b);
}
END_TEST

TEST_SUITE(delivery)
{
    TEST(test_mode_tells_what_would_have_been);
    TEST_LOOP(connections_are_reused, COUNT(reuses));
    TEST_LOOP(deliveries_go_their_way, COUNT(rows));
}
