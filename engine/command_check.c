/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine check - what a domain's DNSSEC, TLSA records, certificates and policy are worth, and what each pair of
 * modes would do. */
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "engine/command_look.h"
#include "engine/command_words.h"

static void print_for_people(const json_t *posture)
{
    printf("%s: %s\n\n", json_string_value(json_object_get(posture, "domain")),
           json_string_value(json_object_get(posture, "verdict")));
    command_print_table(stdout, json_object_get(posture, "findings"), command_findings_table);
    fputc('\n', stdout);
    command_print_table(stdout, json_object_get(posture, "modes"), command_modes_table);
}

static int index_of(const char *const *words, const char *text, size_t length)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0)
            return i;
    return -1;
}

/* "mandatory" or "mandatory,none": the modes that decide about the exit status. */
static bool read_mode(const char *text, int *dane, int *sts)
{
    size_t length = strcspn(text, ",");
    const char *rest = text + length + (text[length] == ',');
    *dane = index_of(connector_dane_words, text, length);
    *sts = *rest == '\0' ? MTA_STS_OPPORTUNISTIC : index_of(connector_sts_words, rest, strlen(rest));
    return *dane >= 0 && *sts >= 0 && *sts < POSTURE_STS_MODES;
}

static bool is_good(struct arena *arena, const struct posture *posture, const char *mode)
{
    int dane, sts;
    if (mode == NULL) {
        struct findings findings = posture_findings(arena, posture);
        return posture_worst(&findings) < GRADE_FAIL;
    }
    (void)read_mode(mode, &dane, &sts);
    return posture_outlook(arena, posture->modes[dane][sts]).prospect == PROSPECT_DELIVERED;
}

static int check(struct command_look *look)
{
    struct arena *arena = look->line->arena;
    const struct posture *posture = command_look_at(look, command_domain(look->line));
    json_t *all = command_posture_json(arena, posture);
    if (look->line->json)
        command_print_json(stdout, all);
    else
        print_for_people(all);
    json_decref(all);
    return is_good(arena, posture, command_said(look->line, "--mode")) ? EXIT_SUCCESS : COMMAND_FAILED;
}

static int do_check(const struct command_line *line)
{
    const char *mode = command_said(line, "--mode");
    int dane, sts;
    if (command_domain(line) == NULL)
        return command_misused("check wants one domain");
    if (mode != NULL && !read_mode(mode, &dane, &sts))
        return command_misused("--mode wants smtp-dane, or smtp-dane and mta-sts: mandatory,none");
    return command_with_look(line, check);
}

static const struct command_option options[] = {
    {"--mode", "DANE[,MTA-STS]", "the status says whether mail would be delivered under these modes: mandatory,none"},
};
const struct command command_check = {
    .name = "check",
    .args = "DOMAIN",
    .doc = "a domain's DNSSEC, TLSA, certificates and policy, and what each pair of modes would do",
    .run = do_check,
    .options = options,
    .option_count = COUNT(options),
    .details =
        "Asks DNS, fetches the policy and speaks to every MX host up to the point where mail would begin. Status 0: "
        "nothing that the domain offers is broken; 1: something is, and mail would wait or bounce.",
};
