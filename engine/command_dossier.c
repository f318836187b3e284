/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine dossier - the sheet to send a partner. */
#include <stdlib.h>

#include "engine/command_look.h"
#include "engine/command_words.h"
#include "engine/domain_name.h"
#include "engine/dossier.h"

static void print(const struct command_line *line, const struct posture *posture)
{
    if (line->json) {
        json_t *all = command_posture_json(line->arena, posture);
        command_print_json(stdout, all);
        json_decref(all);
    } else if (command_said(line, "--html") != NULL) {
        dossier_print_html(stdout, line->arena, posture);
    } else {
        dossier_print_text(stdout, line->arena, posture);
    }
}

static int do_dossier(const struct command_line *line)
{
    if (line->word_count != 1 || domain_name_ascii(line->arena, line->words[0]) == NULL)
        return command_misused("dossier wants one domain");
    struct command_look look;
    if (!command_look_begin(&look, line))
        return COMMAND_FAILED;
    print(line, command_look_at(&look, domain_name_ascii(line->arena, line->words[0])));
    command_look_end(&look);
    return EXIT_SUCCESS;
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
