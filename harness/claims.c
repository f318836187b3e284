/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/claims.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static bool is_claimed(const struct claims *claims, const char *name, const char *about)
{
    for (size_t i = 0; i < claims->count; i++)
        if (strcmp(claims->items[i].name, name) == 0 && strcmp(claims->items[i].about, about) == 0)
            return true;
    return false;
}

void claims_of(struct arena *arena, const struct plan *plan, struct claims *claims)
{
    const struct scenario *scenario = plan->scenario;
    for (size_t i = 0; i < scenario->step_count; i++)
        for (size_t k = 0; k < scenario->steps[i].to.count; k++) {
            const char *at = strrchr(scenario->steps[i].to.items[k], '@');
            const char *domain = at != NULL ? text_name(arena, at + 1) : NULL;
            if (domain != NULL && !is_claimed(claims, domain, "MX"))
                claims_dns(arena, &plan->dns, domain, claims);
        }
    claims_zones(arena, &plan->dns, claims);
    claims_tls(arena, plan, claims);
}

void claims_print(const struct claims *claims, FILE *out)
{
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = &claims->items[i];
        fprintf(out, "%s %s %s", claim->name, claim->about, claim->says);
        if (claim->more != NULL) {
            fputc(' ', out);
            text_print_escaped(out, claim->more, strlen(claim->more));
        }
        fputc('\n', out);
    }
}

/* --- the file of the program fakedns --- */

/* A literal block, its lines indented. */
static void print_block(const char *text, FILE *out)
{
    fputs("    records: |\n", out);
    for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        if (length > 0)
            fprintf(out, "      %.*s\n", (int)length, text);
    }
}

static void print_zone(const struct fakedns_zone *zone, FILE *out)
{
    fprintf(out,
            "  \"%s\":\n    signed: %s\n    ds: %s\n    algorithm: %s\n    digest: %s\n    denial: %s\n    iterations: "
            "%" PRId64 "\n    addresses: [",
            zone->name, zone->is_signed ? "yes" : "no", zone->ds ? "yes" : "no", dns_algorithm_words[zone->algorithm],
            dns_digest_words[zone->digest], dns_denial_words[zone->denial], zone->iterations);
    for (size_t i = 0; i < zone->address_count; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? ", " : "", zone->addresses[i]);
    fputs("]\n", out);
    if (zone->records != NULL && zone->records[0] != '\0')
        print_block(zone->records, out);
}

static void print_fault(const struct fakedns_fault *fault, FILE *out)
{
    fprintf(out, "  - {fault: %s, zone: \"%s\"", fault->fault, fault->zone);
    if (fault->owner != NULL)
        fprintf(out, ", owner: \"%s\"", fault->owner);
    if (fault->type != NULL)
        fprintf(out, ", type: %s", fault->type);
    fprintf(out, ", nth: %u}\n", fault->nth);
}

void claims_print_fakedns(const struct fakedns_config *dns, FILE *out)
{
    fputs("zones:\n", out);
    for (size_t i = 0; i < dns->zone_count; i++)
        print_zone(&dns->zones[i], out);
    if (dns->fault_count > 0)
        fputs("faults:\n", out);
    for (size_t i = 0; i < dns->fault_count; i++)
        print_fault(&dns->faults[i], out);
}
