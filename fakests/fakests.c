/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakests/fakests.h"

#include <stdlib.h>
#include <string.h>

#include "fakests/web_front.h"

enum { HTTPS_PORT = 443 };

struct fakests {
    struct arena *arena; /* of every world, former ones included: connections under way still refer to them */
    struct web_front *front;
    const struct web_world *world;
};

static const char *copy(struct arena *arena, const char *text)
{
    return text != NULL ? arena_strdup(arena, text) : NULL;
}

static bool copy_addresses(struct arena *arena, const struct fakests_host *from, struct web_host *to, struct err *err)
{
    struct netaddr *at = arena_alloc(arena, (from->address_count + 1) * sizeof *at);
    for (size_t i = 0; i < from->address_count; i++)
        if (!netaddr_parse(from->addresses[i], from->port != 0 ? from->port : HTTPS_PORT, &at[i], err))
            return false;
    to->at = at;
    to->at_count = from->address_count;
    return true;
}

static struct schema_texts copy_texts(struct arena *arena, const struct schema_texts *from)
{
    struct schema_texts to = {.items = arena_alloc(arena, (from->count + 1) * sizeof *to.items), .count = from->count};
    for (size_t i = 0; i < to.count; i++)
        to.items[i] = arena_strdup(arena, from->items[i]);
    return to;
}

static bool never_needs_nginx(const struct web_behaviour *behaviour)
{
    return behaviour->https != WEB_HTTPS_OK && behaviour->nth == 0;
}

static bool copy_host(struct arena *arena, const struct fakests_host *from, struct web_host *to, struct err *err)
{
    to->name = arena_strdup(arena, from->name);
    to->behaviour = from->behaviour != NULL ? *from->behaviour : web_behaviour_usual;
    to->behaviour.location = copy(arena, to->behaviour.location);
    to->behaviour.type = copy(arena, to->behaviour.type);
    to->behaviour.headers = copy_texts(arena, &to->behaviour.headers);
    to->behaviour.policy = copy(arena, to->behaviour.policy);
    to->policy = copy(arena, from->policy);
    to->identity = from->identity;
    to->fault_prefix =
        from->fault_prefix != NULL ? copy(arena, from->fault_prefix) : arena_printf(arena, "%s:", from->name);
    to->certificate_fault = copy(arena, from->certificate_fault);
    to->policy_fault = copy(arena, from->policy_fault);
    if (to->identity == NULL && !never_needs_nginx(&to->behaviour))
        return err_set(err, ERR_INPUT, "policy host %s has no certificate", to->name);
    return copy_addresses(arena, from, to, err);
}

/* What was counted for n-th goes on where the behaviour stays as it was. */
static void keep_counts(struct web_host *host, const struct web_world *before)
{
    for (size_t i = 0; before != NULL && i < before->count; i++) {
        const struct web_host *was = &before->hosts[i];
        if (strcmp(was->name, host->name) == 0 && web_behaviour_equal(&was->behaviour, &host->behaviour)) {
            host->connections = was->connections;
            host->requests = was->requests;
        }
    }
}

static const struct web_world *copy_world(struct fakests *sts, const struct fakests_config *config, struct err *err)
{
    struct web_world *world = arena_alloc(sts->arena, sizeof *world);
    world->count = config->host_count;
    world->hosts = arena_alloc(sts->arena, (config->host_count + 1) * sizeof *world->hosts);
    for (size_t i = 0; i < world->count; i++) {
        if (!copy_host(sts->arena, &config->hosts[i], &world->hosts[i], err))
            return NULL;
        keep_counts(&world->hosts[i], sts->world);
    }
    return world;
}

struct fakests *fakests_new(const struct fakests_config *config, struct loop *loop, struct journal *journal,
                            struct err *err)
{
    struct arena *arena = arena_new("fakests");
    struct fakests *sts = arena_alloc(arena, sizeof *sts);
    sts->arena = arena;
    sts->front = web_front_new(loop, journal, copy(arena, config->directory), err);
    if (sts->front == NULL || !fakests_change(sts, config, err))
        fakests_free(&sts);
    return sts;
}

bool fakests_listen(struct fakests *sts, struct err *err)
{
    return web_front_listen(sts->front, err);
}

bool fakests_change(struct fakests *sts, const struct fakests_config *config, struct err *err)
{
    const struct web_world *world = copy_world(sts, config, err);
    if (world == NULL || !web_front_serve(sts->front, world, err))
        return false;
    sts->world = world;
    return true;
}

const char *fakests_report(const struct fakests *sts, size_t n, const char **type, size_t *length)
{
    const struct web_report *report = web_reports_at(web_front_reports(sts->front), n);
    if (report == NULL)
        return NULL;
    *type = report->type;
    *length = report->length;
    return report->bytes;
}

void fakests_free(struct fakests **sts)
{
    if (sts == NULL || *sts == NULL)
        return;
    web_front_free(&(*sts)->front);
    struct arena *arena = (*sts)->arena;
    *sts = NULL;
    arena_free(&arena);
}
