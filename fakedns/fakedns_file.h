/* SPDX-License-Identifier: BSD-2-Clause
 * fakedns_file - the configuration file of the program fakedns: a tree of zones by hand, without a scenario.
 *
 * Owns:   the config lives in the arena given.
 * Errors: findings in the diag_list; false when there are any. */
#ifndef FAKEDNS_FAKEDNS_FILE_H
#define FAKEDNS_FAKEDNS_FILE_H

#include "fakedns/fakedns.h"

extern const struct schema fakedns_file_schema;

bool fakedns_file_read(struct arena *arena, const char *path, struct fakedns_config *config, struct diag_list *diags);

#endif
