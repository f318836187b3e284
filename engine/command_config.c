/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine config, schema - the configuration: is it sound, and what may stand in it. */
#include <stdlib.h>

#include "engine/command_words.h"

static int do_config(const struct command_line *line)
{
    size_t count = line->config->routing.connector_count;
    printf(line->json ? "{\"ok\":true,\"connectors\":%zu}\n" : "the configuration is sound; %zu connectors\n", count);
    return EXIT_SUCCESS;
}

static int do_schema(const struct command_line *line)
{
    if (command_said(line, "--manual") != NULL)
        schema_print_manual(&engine_config_schema, stdout);
    else
        schema_print_json(&engine_config_schema, "engine", stdout);
    return EXIT_SUCCESS;
}

static const struct command_option schema_options[] = {
    {"--manual", NULL, "a manual in Markdown instead of JSON Schema"},
};
const struct command command_config = {.name = "config",
                                       .args = "",
                                       .doc = "checks the configuration",
                                       .run = do_config};
const struct command command_schema = {.name = "schema",
                                       .args = "",
                                       .doc = "everything that can be configured",
                                       .run = do_schema,
                                       .options = schema_options,
                                       .option_count = COUNT(schema_options),
                                       .no_config = true};
