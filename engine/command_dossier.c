/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine dossier - the sheet to send a partner. */
#include <stdlib.h>

#include "engine/command_look.h"
#include "engine/command_words.h"
#include "engine/dossier.h"

static int print(struct command_look *look)
{
    const struct command_line *line = look->line;
    const struct posture *posture = command_look_at(look, command_domain(line));
    if (line->json) {
        json_t *all = command_posture_json(line->arena, posture);
        command_print_json(stdout, all);
        json_decref(all);
    } else if (command_said(line, "--html") != NULL) {
        dossier_print_html(stdout, line->arena, posture);
    } else {
        dossier_print_text(stdout, line->arena, posture);
    }
    return EXIT_SUCCESS;
}

static int do_dossier(const struct command_line *line)
{
    if (command_domain(line) == NULL)
        return command_misused("dossier wants one domain");
    return command_with_look(line, print);
}

static const struct command_option options[] = {
    {"--html", NULL, "a page to look at instead of text"},
};
const struct command command_dossier = {
    .name = "dossier",
    .args = "DOMAIN",
    .doc = "the sheet to send a partner: their DNSSEC, TLSA, certificates and policy, and what to mend",
    .run = do_dossier,
    .options = options,
    .option_count = COUNT(options),
};
