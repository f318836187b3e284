/* SPDX-License-Identifier: BSD-2-Clause
 * dossier - the sheet to send a partner: what was found of their DNSSEC, TLSA records, certificates and policy, and
 * what to mend. Pure: a posture in, text or HTML out. Everything a peer has said is escaped. */
#ifndef ENGINE_DOSSIER_H
#define ENGINE_DOSSIER_H

#include <stdio.h>

#include "engine/posture.h"

void dossier_print_text(FILE *out, struct arena *arena, const struct posture *posture);
void dossier_print_html(FILE *out, struct arena *arena, const struct posture *posture);

#endif
