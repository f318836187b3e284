/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as a configuration: findings, or a configuration whose every part makes sense. */
#include <stdlib.h>

#include "base/netaddr.h"
#include "engine/engine_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(const struct engine_config *config)
{
    static const char header[] = "Subject: x\r\nX-Class: secret\r\n folded\r\n\r\n";
    struct route_question question = {"a@sender.example", "b@mail.contoso.com", "mail.contoso.com", header,
                                      sizeof header - 1};
    struct connector_choice choice = connector_choose(&config->routing, &question);
    struct netaddr client;
    if (choice.connector != NULL && choice.instead_of == NULL && !choice.connector->enabled)
        abort();
    if (config->hostname == NULL || config->directory == NULL || config->control == NULL)
        abort();
    if (!netaddr_parse("192.0.2.1", 25, &client, NULL))
        abort();
    (void)engine_client_allowed(config, (const struct sockaddr *)&client.addr);
    struct retry_next next = retry_after(&config->plan, 1, 0, 0);
    if (!next.give_up && next.due < 1)
        abort(); /* a retry at once */
    (void)engine_smtp_timeouts(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena *arena = arena_new("fuzz");
    struct diag_list *diags = diag_new(arena);
    const struct tree_node *root = tree_read_text(arena, "engine.yaml", (const char *)bytes, size, diags);
    const struct engine_config *config = root != NULL ? engine_config_parse(arena, root, diags) : NULL;
    if (config == NULL && diag_errors(diags) == 0)
        abort();
    if (config != NULL)
        use(config);
    arena_free(&arena);
    return 0;
}
