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

int command_faults(int argc, char **argv)
{
    const char *json = NULL;
    const struct command_option options[] = {{"--json", NULL, "one line of JSON for each", &json}};
    struct command_line line = {
        "faults [--json]", "Lists the DNS faults that a world can have.", options, COUNT(options), NULL, 0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status))
        for (size_t i = 0; fakedns_fault_at(i) != NULL; i++)
            (json != NULL ? print_json : print_for_people)(fakedns_fault_at(i));
    arena_free(&arena);
    return status;
}
