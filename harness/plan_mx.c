/* SPDX-License-Identifier: BSD-2-Clause
 * The MX hosts of a plan, and what each does wrong. */
#include <string.h>

#include "base/text.h"
#include "harness/plan_internal.h"

struct behaving {
    struct plan_builder *b;
    const struct plan_host *host;
};

static struct srcpos place_of(const struct world_name *name, const char *key, const char *setting)
{
    const struct tree_node *map = tree_get(name->node, key), *value = tree_get(map, setting);
    return value != NULL ? value->at : map != NULL ? map->at : name->at;
}

static void behaves(void *arg, const char *setting)
{
    const struct behaving *behaving = arg;
    const struct world_name *name = behaving->host->name;
    struct plan_builder *b = behaving->b;
    struct plan_defect *defect =
        plan_defect_add(b, MECHANISM_SMTP, name->name, arena_printf(b->arena, "%s:%s", name->name, setting),
                        place_of(name, "smtp", setting));
    const struct tree_node *said = tree_get(tree_get(name->node, "smtp"), setting);
    defect->what = arena_printf(b->arena, "%s of %s%s%s", setting, name->name,
                                said != NULL && said->kind == TREE_TEXT ? " is " : "",
                                said != NULL && said->kind == TREE_TEXT ? said->text : "");
    defect->aside = !behaving->host->first;
    defect->visible = !(strcmp(setting, "tcp") == 0 && name->smtp.tcp == MX_TCP_REFUSE);
}

static const char *certificate_defect(struct plan_builder *b, const struct plan_host *host)
{
    const struct world_name *name = host->name;
    if (host->identity == NULL || !plan_certificate_departs(&name->certificate))
        return NULL;
    struct plan_defect *defect =
        plan_defect_add(b, MECHANISM_CERTIFICATE, name->name, arena_printf(b->arena, "%s:certificate", name->name),
                        name->certificate.at.file != NULL ? name->certificate.at : name->at);
    defect->what = arena_printf(b->arena, "the certificate of %s is %s", name->name,
                                plan_certificate_label(b->arena, &name->certificate));
    defect->aside = !host->first;
    return defect->id;
}

/* What is shown to clients that ask for a name. False with *err filled where the machine fails. */
static bool take_sni(struct plan_builder *b, const struct world_name *name, struct fakemx_host *out)
{
    out->sni = arena_alloc(b->arena, name->sni.count * sizeof *out->sni);
    for (size_t i = 0; i < name->sni.count; i++) {
        struct err err = {0};
        const struct identity *identity = plan_pki_identity(b->pki, name->name, name->sni.items[i].value, &err);
        if (identity == NULL && err.kind != ERR_INPUT) {
            *b->err = err;
            return false;
        }
        if (identity == NULL)
            diag_error(b->diags, name->sni.items[i].at, "%s", err.text);
        else
            out->sni[out->sni_count++] = (struct fakemx_sni){text_name(b->arena, name->sni.items[i].name), identity};
    }
    return true;
}

/* Does the sender have to wait until its patience ends? */
static bool doings_stall(const struct schema_list *doings)
{
    static const bool waits[] = {[MX_STALL] = true, [MX_DRIP] = true, [MX_PIECEMEAL] = false, [MX_DEAF] = true};
    for (size_t i = 0; i < doings->count; i++)
        if (waits[((const struct mx_doing *)doings->items)[i].act])
            return true;
    return false;
}

static bool stalls(const struct mx_behaviour *smtp)
{
    const struct schema_list *steps[] = {&smtp->greeting, &smtp->ehlo, &smtp->helo,        &smtp->mail,
                                         &smtp->rcpt,     &smtp->data, &smtp->end_of_data, &smtp->quit};
    bool any = smtp->tcp == MX_TCP_STALL || smtp->starttls == MX_STARTTLS_STALL || smtp->starttls == MX_STARTTLS_SLOW ||
               smtp->starttls == MX_STARTTLS_FLOODED;
    for (size_t i = 0; i < COUNT(steps); i++)
        any = any || doings_stall(steps[i]);
    return any;
}

/* A host that refuses connections has its addresses in DNS, and is no server at all. */
bool plan_mx_hosts(struct plan_builder *b)
{
    struct fakemx_host *hosts = arena_alloc(b->arena, b->hosts.count * sizeof *hosts);
    size_t count = 0;
    for (size_t i = 0; i < b->hosts.count; i++) {
        const struct plan_host *host = &b->hosts.items[i];
        const struct world_name *name = host->name;
        if (host->role != PLAN_MX)
            continue;
        mx_behaviour_departures(&name->smtp, behaves, &(struct behaving){b, host});
        if (stalls(&name->smtp))
            b->plan->patience_s = PLAN_PATIENCE_STALLED_S;
        if (name->smtp.tcp == MX_TCP_REFUSE || host->listening_count == 0)
            continue;
        struct fakemx_host *out = &hosts[count++];
        *out = (struct fakemx_host){
            .name = name->name,
            .addresses = host->listening,
            .address_count = host->listening_count,
            .port = (uint16_t)name->port,
            .behaviour = &name->smtp,
            .identity = host->identity,
            .beside = host->beside,
            .identity_label = plan_certificate_label(b->arena, &name->certificate),
            .fault_prefix = arena_printf(b->arena, "%s:", name->name),
            .certificate_fault = certificate_defect(b, host),
        };
        if (!take_sni(b, name, out))
            return false;
    }
    b->plan->mx = (struct fakemx_config){hosts, count};
    return true;
}
