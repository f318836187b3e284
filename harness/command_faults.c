/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab faults - what can be wrong in the DNS of a world. What hosts can do wrong is in `mtalab schema --manual`. */
#include "base/text.h"
#include "fakedns/fakedns.h"
#include "harness/command.h"

static void print_json(const struct dns_fault_info *fault)
{
    printf("{\"name\": \"%s\", \"doc\": \"", fault->name);
    text_print_json(stdout, fault->doc);
    printf("\", \"clause\": ");
    if (fault->clause != NULL)
        printf("\"%s\"", fault->clause);
    else
        printf("null");
    printf(", \"zone-wide\": %s, \"bogus\": %s, \"silent\": %s}\n", fault->zone_wide_only ? "true" : "false",
           fault->bogus ? "true" : "false", fault->silent ? "true" : "false");
}

static void print_for_people(const struct dns_fault_info *fault)
{
    printf("%-28s %s%s%s%s\n", fault->name, fault->doc, fault->zone_wide_only ? " [whole zone]" : "",
           fault->bogus ? " [bogus]" : "", fault->silent ? " [silent]" : "");
}

static const struct {
    enum dns_fault_place place;
    const char *title;
} places[] = {
    {DNS_FAULT_OF_ZONE, "What holds a zone to its parent"},
    {DNS_FAULT_OF_RECORDS, "Records that are there, and their signatures"},
    {DNS_FAULT_OF_DENIAL, "The proof that something is absent"},
    {DNS_FAULT_OF_ANSWER, "The answer as a whole"},
};

/* A table in Markdown for each part of the DNS that can be wrong. */
static void print_markdown(void)
{
    for (size_t i = 0; i < COUNT(places); i++) {
        printf("\n## %s\n\n| fault | what is wrong | whole zone | to a validator | clause |\n|---|---|---|---|---|\n",
               places[i].title);
        for (size_t k = 0; fakedns_fault_at(k) != NULL; k++) {
            const struct dns_fault_info *fault = fakedns_fault_at(k);
            if (fakedns_fault_place(fault) == places[i].place)
                printf("| `%s` | %s | %s | %s | %s |\n", fault->name, fault->doc, fault->zone_wide_only ? "yes" : "",
                       fault->silent  ? "silence"
                       : fault->bogus ? "bogus"
                                      : "",
                       fault->clause != NULL ? fault->clause : "");
        }
    }
}

int command_faults(int argc, char **argv)
{
    const char *json = NULL, *markdown = NULL;
    const struct command_option options[] = {{"--json", NULL, "one line of JSON for each", &json},
                                             {"--markdown", NULL, "tables, in Markdown, instead", &markdown}};
    struct command_line line = {
        "faults [--json|--markdown]", "Lists the DNS faults that a world can have.", options, COUNT(options), NULL, 0};
    struct arena *arena = arena_new("command");
    int status;
    bool listed = command_read(arena, &line, argc, argv, &status);
    if (listed && markdown != NULL)
        print_markdown();
    else if (listed)
        for (size_t i = 0; fakedns_fault_at(i) != NULL; i++)
            (json != NULL ? print_json : print_for_people)(fakedns_fault_at(i));
    arena_free(&arena);
    return status;
}
