/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/reload.h"

#include <string.h>

#include "base/testing.h"

#define MUST "hostname: relay.example\ndirectory: /var/x\n"
/* clang-format off */
static const struct { const char *name, *now, *next, *waits; } cases[] = {
    {"nothing", MUST, MUST, ""},
    {"what rules at once", MUST "expiry: 1h\n", MUST "expiry: 2h\nmessage-size: 1MiB\nretry: rfc\n", ""},
    {"connectors", MUST, MUST "connectors: [{name: a, recipient-domains: '*', smtp-dane: mandatory}]\n", ""},
    {"the host's name", MUST, "hostname: other.example\ndirectory: /var/x\n", ""},
    {"a directory, and so its socket", MUST, "hostname: relay.example\ndirectory: /var/y\n", "directory, control"},
    {"one more address", MUST "listen: 127.0.0.1:25\n", MUST "listen: [127.0.0.1:25, '[::1]:25']\n", "listen"},
    {"another address", MUST "listen: 127.0.0.1:25\n", MUST "listen: 127.0.0.2:25\n", "listen"},
    {"where metrics are served", MUST "metrics: 127.0.0.1:9465\n", MUST "metrics: 127.0.0.1:9466\n", "metrics"},
    {"of the resolver", MUST, MUST "resolver: {forward: 127.0.0.1}\n", "forward"},
    {"several", MUST, MUST "ipv6: no\nfsync: no\ntimeouts: {policy: 5s}\nmessages-per-connection: 1\n",
     "ipv6, fsync, timeouts: policy, messages-per-connection"},
};
/* clang-format on */

static const struct engine_config *config_of(struct arena *arena, const char *text)
{
    struct diag_list *diags = diag_new(arena);
    const struct tree_node *root = tree_read_text(arena, "engine.yaml", text, strlen(text), diags);
    const struct engine_config *config = engine_config_parse(arena, root, diags);
    diag_print(diags, stderr);
    ck_assert_ptr_nonnull(config);
    return config;
}

START_TEST(some_settings_wait)
{
    struct arena *arena = arena_new("test");
    const char *waits = reload_waits(arena, config_of(arena, cases[_i].now), config_of(arena, cases[_i].next));
    ck_assert_msg(strcmp(waits, cases[_i].waits) == 0, "%s: '%s'", cases[_i].name, waits);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(reload)
{
    TEST_LOOP(some_settings_wait, COUNT(cases));
}
