/* SPDX-License-Identifier: BSD-2-Clause
 * Whether a sender in a mode must, may or must never meet a defect. */
#include <string.h>

#include "base/text.h"
#include "harness/expect.h"
#include "harness/plan.h"

/* 7672-2.1.1: without DANE nobody asks for TLSA records. */
static int tlsa_rule(const struct plan_defect *defect, unsigned mode)
{
    if (mode_dane(mode) == MODE_DANE_NONE)
        return HIT_NEVER;
    return defect->aside ? HIT_MAY : HIT_MUST;
}

/* Mandatory DANE may give up before it looks for a policy; a host that DANE authenticates may make one needless. */
static int sts_rule(const struct plan_defect *defect, unsigned mode)
{
    if (mode_sts(mode) == MODE_STS_NONE)
        return HIT_NEVER;
    bool left_aside =
        mode_dane(mode) == MODE_DANE_MANDATORY || (mode_dane(mode) == MODE_DANE_OPPORTUNISTIC && defect->under_dane);
    return defect->aside || left_aside ? HIT_MAY : HIT_MUST;
}

/* What a host does wrong is met by those who must be seen there, and by nobody who must not connect. */
static int host_rule(const struct plan_defect *defect, const struct expectation *expectation)
{
    static const char *const words[] = {"connect", "starttls", "tls"};
    int rule = HIT_MAY;
    for (size_t i = 0; expectation != NULL && i < expectation->line_count; i++) {
        const struct expect_line *line = &expectation->lines[i];
        if (line->row->about != EXPECT_HOST || !text_name_equal(line->host, defect->host))
            continue;
        if (line->forbidden && strcmp(line->row->word, "connect") == 0)
            return HIT_NEVER;
        for (size_t k = 0; !line->forbidden && k < COUNT(words); k++)
            if (strcmp(line->row->word, words[k]) == 0)
                rule = HIT_MUST;
    }
    return rule;
}

int plan_hit_rule(const struct plan_defect *defect, unsigned mode, const struct expectation *expectation)
{
    if (expectation != NULL && expectation->hit != HIT_DEFAULT)
        return expectation->hit;
    if (defect->hit != HIT_DEFAULT)
        return defect->hit;
    switch (defect->mechanism) {
    case MECHANISM_DNS:
        return defect->aside ? HIT_MAY : HIT_MUST;
    case MECHANISM_TLSA:
        return tlsa_rule(defect, mode);
    case MECHANISM_STS:
        return sts_rule(defect, mode);
    case MECHANISM_SMTP:
    case MECHANISM_CERTIFICATE:
        return host_rule(defect, expectation);
    }
    return HIT_MAY;
}
