/* SPDX-License-Identifier: BSD-2-Clause
 * connector_change - settings of connectors changed beside the configuration file: by `connector set`, `fallback`, at
 * once and for good, until they are taken back. The table of changes is their dated log; what changes about modes in
 * the file stands there too, from when an engine has first seen it.
 *
 * Owns:    nothing between calls; the file is opened for each. What comes of it lives in the arena given.
 * Errors:  false with *err filled; nothing is then changed. A change that makes no sense is refused with its finding.
 * Threads: one; several processes may use the file. */
#ifndef ENGINE_CONNECTOR_CHANGE_H
#define ENGINE_CONNECTOR_CHANGE_H

#include <jansson.h>

#include "engine/engine_config.h"

struct connector_change {
    const char *connector, *key;
    const char *value; /* as it would be written in the file, "a,b" for a list; NULL: what the file says */
    const char *note;  /* for the log; NULL: none */
};
struct change_list {
    struct connector_change *items;
    size_t count, room;
};

/* Pure: the connectors as written, with the changes made; later ones win. False with findings. */
bool connector_changed(struct arena *arena, const struct routing *written, const struct change_list *changes,
                       struct routing *out, struct diag_list *diags) NODISCARD;

/* Puts the changes that were made into force: config->routing. */
bool connector_changes_load(struct arena *arena, struct engine_config *config, struct err *err) NODISCARD;
/* What would be in force with these changes; nothing is changed. */
bool connector_changes_try(struct arena *arena, const struct engine_config *config, const struct change_list *wanted,
                           struct routing *out, struct err *err) NODISCARD;
/* Makes changes as of now; *out is then in force. */
bool connector_changes_make(struct arena *arena, const struct engine_config *config, int64_t now,
                            const struct change_list *wanted, struct routing *out, struct err *err) NODISCARD;
/* {"name":"lab","set":{"smtp-dane":"none","fallback":null},"note":"why"} as changes. */
bool connector_changes_read(struct arena *arena, const json_t *request, struct change_list *out, struct err *err)
    NODISCARD;
/* Puts into the log what the file says of modes and did not say before: *news. A connector that nobody has seen yet was
 * like the defaults; the value of one that is gone is NULL. */
bool connector_changes_note(struct arena *arena, const struct engine_config *config, int64_t now,
                            struct change_list *news, struct err *err) NODISCARD;
/* Every change ever made, oldest first: at, connector, key, value, by ("command" or "file"), note. */
json_t *connector_changes_log(struct arena *arena, const struct engine_config *config, struct err *err);

#endif
