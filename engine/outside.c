/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/outside.h"

static void ask_mx(void *outside, struct arena *arena, const char *domain, bool override_bogus,
                   void (*done)(void *, const struct mx_facts *), void *arg)
{
    resolve_mx(((struct outside *)outside)->resolve, arena, domain, override_bogus, done, arg);
}

static void ask_host(void *outside, struct arena *arena, const char *host, uint16_t port, bool ask_tlsa,
                     bool override_bogus, void (*done)(void *, const struct host_facts *), void *arg)
{
    resolve_host(((struct outside *)outside)->resolve, arena, host, port, ask_tlsa, override_bogus, done, arg);
}

static void ask_sts(void *outside, struct arena *arena, const char *domain, bool recheck,
                    void (*done)(void *, const struct sts_facts *), void *arg)
{
    (recheck ? sts_recheck : sts_find)(((struct outside *)outside)->sts, arena, domain, done, arg);
}

static struct connect_attempt *connect_to(void *outside, const struct netaddr *to, double timeout_s, connect_done *done,
                                          void *arg)
{
    return connect_start(((struct outside *)outside)->loop, to, timeout_s, done, arg);
}

static void ask_addresses(void *outside, struct arena *arena, const char *name, uint16_t port,
                          void (*done)(void *, const struct host_facts *), void *arg)
{
    resolve_addresses(((struct outside *)outside)->resolve, arena, name, port, done, arg);
}

struct delivery_ports outside_ports(struct outside *outside)
{
    return (struct delivery_ports){outside, ask_mx, ask_host, ask_sts, connect_to};
}

bool outside_open(struct outside *o, const struct engine_config *config, const char *sts_cache,
                  const struct clock *clock, struct loop *loop, struct err *err)
{
    struct dns_options resolver = {
        .root_hints = config->resolver.root_hints,
        .trust_anchor = config->resolver.trust_anchor,
        .options_file = config->resolver.options_file,
        .forward = config->resolver.forward,
        .port = OUTSIDE_SMTP_PORT,
        .ipv4 = config->ipv4,
        .ipv6 = config->ipv6,
    };
    struct sts_options policies = {
        .cache_path = sts_cache,
        .ca_file = config->ca_file,
        .fetch_timeout_s = engine_capped(config, config->timeouts.policy),
        .port = OUTSIDE_HTTPS_PORT,
    };
    *o = (struct outside){.loop = loop};
    o->resolve = resolve_new(&resolver, loop, err);
    o->sts = o->resolve != NULL ? sts_new(&policies, o->resolve, clock, loop, err) : NULL;
    o->tls = o->sts != NULL ? tls_client_new(config->ca_file, err) : NULL;
    if (o->tls == NULL || config->revocation == REVOCATION_OFF)
        return o->tls != NULL;
    o->revocation =
        revocation_new((enum revocation_mode)config->revocation, engine_capped(config, config->timeouts.revocation),
                       &(struct revocation_ports){o, ask_addresses}, loop);
    tls_client_set_revocation(o->tls, o->revocation);
    return true;
}

void outside_close(struct outside *o)
{
    sts_free(&o->sts);
    resolve_free(&o->resolve);
    tls_client_free(&o->tls);
    revocation_free(&o->revocation);
}
