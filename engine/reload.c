/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/reload.h"

#include "base/text.h"

enum kind { TEXT, TEXTS, SECONDS, NUMBER, INT, BOOL };

/* What is opened, bound or measured once. */
static const struct {
    const char *key;
    enum kind kind;
    size_t offset;
} fixed[] = {
#define FIXED(key, kind, member)                                                                                       \
    {                                                                                                                  \
        key, kind, offsetof(struct engine_config, member)                                                              \
    }
    FIXED("listen", TEXTS, listen),
    FIXED("directory", TEXT, directory),
    FIXED("control", TEXT, control),
    FIXED("metrics", TEXT, metrics),
    FIXED("ca-file", TEXT, ca_file),
    FIXED("root-hints", TEXT, resolver.root_hints),
    FIXED("trust-anchor", TEXT, resolver.trust_anchor),
    FIXED("options-file", TEXT, resolver.options_file),
    FIXED("forward", TEXT, resolver.forward),
    FIXED("ipv4", BOOL, ipv4),
    FIXED("ipv6", BOOL, ipv6),
    FIXED("fsync", BOOL, fsync),
    FIXED("timeouts: policy", SECONDS, timeouts.policy),
    FIXED("timeouts: revocation", SECONDS, timeouts.revocation),
    FIXED("revocation", INT, revocation),
    FIXED("keep-connection", SECONDS, keep_connection),
    FIXED("messages-per-connection", NUMBER, messages_per_connection),
    FIXED("tls-sessions", SECONDS, tls_sessions),
    FIXED("tls-rpt: organization", TEXT, tlsrpt.organization),
    FIXED("tls-rpt: contact", TEXT, tlsrpt.contact),
    FIXED("tls-rpt: dkim-key", TEXT, tlsrpt.dkim_key),
    FIXED("tls-rpt: dkim-selector", TEXT, tlsrpt.dkim_selector),
    FIXED("tls-rpt: dkim-domain", TEXT, tlsrpt.dkim_domain),
    FIXED("tls-rpt: delay", SECONDS, tlsrpt.delay),
    FIXED("profile (of TLS reports)", INT, profile),
    FIXED("clock-offset", SECONDS, clock_offset),
    FIXED("trace-keep", SECONDS, trace_keep),
#undef FIXED
};

static bool same(enum kind kind, const void *a, const void *b)
{
    switch (kind) {
    case TEXT:
        return text_same(*(const char *const *)a, *(const char *const *)b);
    case TEXTS:
        return schema_texts_same(a, b);
    case SECONDS:
        return *(const double *)a == *(const double *)b;
    case NUMBER:
        return *(const int64_t *)a == *(const int64_t *)b;
    case INT:
        return *(const int *)a == *(const int *)b;
    case BOOL:
        return *(const bool *)a == *(const bool *)b;
    }
    return false;
}

const char *reload_waits(struct arena *arena, const struct engine_config *now, const struct engine_config *next)
{
    const char *keys = "";
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (!same(fixed[i].kind, (const char *)now + fixed[i].offset, (const char *)next + fixed[i].offset))
            keys = arena_printf(arena, "%s%s%s", keys, *keys != '\0' ? ", " : "", fixed[i].key);
    return keys;
}
