/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as a scenario: read, checked, and built when nothing is wrong. Bases are never found. */
#include <stdint.h>

#include "harness/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build(const struct scenario *scenario, struct diag_list *diags)
{
    static const struct clock now;
    struct err err = {0};
    struct plan_pki *pki = plan_pki_new(&now, &err);
    struct plan *plan =
        pki != NULL ? plan_build(scenario, scenario->steps[0].world, PLAN_NET_LAB, pki, &now, diags, &err) : NULL;
    plan_free(&plan);
    plan_pki_free(&pki);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct corpus *corpus = corpus_read_text(NULL, "fuzz", (const char *)data, size);
    if (diag_errors(corpus->diags) == 0 && corpus->count > 0)
        build(corpus->items[0], corpus->diags);
    corpus_free(&corpus);
    return 0;
}
