/* SPDX-License-Identifier: BSD-2-Clause
 * mode - a connector's pair of DANE and MTA-STS settings: the demand put on the subject. Pure. */
#ifndef HARNESS_MODE_H
#define HARNESS_MODE_H

#include "base/arena.h"

enum mode_dane { MODE_DANE_NONE, MODE_DANE_OPPORTUNISTIC, MODE_DANE_MANDATORY };
enum mode_sts { MODE_STS_NONE, MODE_STS_OPPORTUNISTIC };
enum { MODE_COUNT = 6 };

/* A mode is an index 0..5: dane * 2 + sts. A set of modes is a bit mask. */
static inline enum mode_dane mode_dane(unsigned mode) { return (enum mode_dane)(mode / 2); }
static inline enum mode_sts mode_sts(unsigned mode) { return (enum mode_sts)(mode % 2); }
enum { MODES_ALL = (1 << MODE_COUNT) - 1 };

extern const char *const mode_dane_words[];   /* "none", "opportunistic", "mandatory", NULL */
extern const char *const mode_sts_words[];    /* "none", "opportunistic", NULL */
const char *mode_text(unsigned mode);         /* "dane=opportunistic,mta-sts=none" */
/* A set: "every mode", "dane=opportunistic|mandatory", "dane=none,mta-sts=none; dane=..." where it is no product. */
const char *mode_set_text(struct arena *arena, unsigned modes);
bool mode_parse(const char *text, unsigned *mode);  /* that, or with one of the two alone: false; see mode_parse_set */
/* "dane=mandatory" is two modes, "dane=mandatory,mta-sts=none" one; 0 on a mistake. */
unsigned mode_parse_set(const char *text);

#endif
