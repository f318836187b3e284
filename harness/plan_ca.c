/* SPDX-License-Identifier: BSD-2-Clause
 * Whom the certificates of a plan name as those who know whether they are revoked. */
#include "harness/plan_internal.h"

bool plan_ca(struct plan_builder *b)
{
    struct fakeca_certificate *list = arena_alloc(b->arena, (b->hosts.count + 1) * sizeof *list);
    const struct plan_host *authority = plan_host_find(b, PLAN_CA_HOST, PLAN_MX);
    size_t count = 0;
    for (size_t i = 0; i < b->hosts.count; i++) {
        const struct plan_host *host = &b->hosts.items[i];
        const struct world_certificate *said = &host->name->certificate;
        if (host->identity != NULL && plan_certificate_names_authority(said))
            list[count++] =
                (struct fakeca_certificate){host->name->name, host->identity, (enum ca_says)said->revocation};
    }
    b->plan->ca = (struct fakeca_config){.certificates = list, .count = count};
    if (count > 0 && authority != NULL && authority->listening_count > 0)
        b->plan->ca.address = authority->listening[0];
    return true;
}
