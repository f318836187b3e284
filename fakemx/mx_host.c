/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_host.h"

enum { SMTP_PORT = 25 };

static const char *const *copy_texts(struct arena *arena, const char *const *from, size_t count)
{
    const char **copy = arena_alloc(arena, count * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(arena, from[i]);
    return copy;
}

static struct fakemx_sni *copy_sni(struct arena *arena, const struct fakemx_host *from)
{
    struct fakemx_sni *copy = arena_alloc(arena, from->sni_count * sizeof *copy);
    for (size_t i = 0; i < from->sni_count; i++)
        copy[i] = (struct fakemx_sni){arena_strdup(arena, from->sni[i].name), from->sni[i].identity};
    return copy;
}

static const char *copy_text(struct arena *arena, const char *text)
{
    return text != NULL ? arena_strdup(arena, text) : NULL;
}

void mx_host_copy(struct arena *arena, const struct fakemx_host *from, const struct mx_host *before, struct mx_host *to)
{
    to->config = *from;
    struct fakemx_host *config = &to->config;
    config->name = arena_strdup(arena, from->name);
    config->addresses = copy_texts(arena, from->addresses, from->address_count);
    config->port = from->port != 0 ? from->port : SMTP_PORT;
    config->behaviour = mx_behaviour_copy(arena, from->behaviour);
    config->sni = copy_sni(arena, from);
    config->identity_label = copy_text(arena, from->identity_label);
    config->fault_prefix =
        from->fault_prefix != NULL ? arena_strdup(arena, from->fault_prefix) : arena_printf(arena, "%s:", from->name);
    config->certificate_fault = copy_text(arena, from->certificate_fault);
    bool unchanged = before != NULL && mx_behaviour_equal(before->config.behaviour, config->behaviour);
    to->counts = unchanged ? before->counts : arena_alloc(arena, MX_STEP_COUNT * sizeof *to->counts);
}

void mx_witness_hit(const struct mx_witness *witness, size_t setting, const struct mx_doing *doing)
{
    struct arena *arena = arena_new("hit");
    const struct fakemx_host *host = &witness->host->config;
    const char *id = arena_printf(arena, "%s%s", host->fault_prefix, mx_setting_name(setting));
    const char *words = mx_setting_words(arena, host->behaviour, setting, doing);
    journal_add(witness->journal, JOURNAL_FAULT_HIT, host->name, witness->conn, "id", id, "fault", words, NULL);
    arena_free(&arena);
}

void mx_witness_certificate_hit(const struct mx_witness *witness, const char *label)
{
    const struct fakemx_host *host = &witness->host->config;
    if (host->certificate_fault == NULL)
        return;
    struct arena *arena = arena_new("hit");
    journal_add(witness->journal, JOURNAL_FAULT_HIT, host->name, witness->conn, "id", host->certificate_fault, "fault",
                arena_printf(arena, "certificate: %s", label), NULL);
    arena_free(&arena);
}
