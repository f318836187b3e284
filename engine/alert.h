/* SPDX-License-Identifier: BSD-2-Clause
 * alert - what an administrator should look at before somebody complains. Each kind is a row in alert.c: a function
 * that goes through what is known. Pure; who has been told what is the business of alerts_told. */
#ifndef ENGINE_ALERT_H
#define ENGINE_ALERT_H

#include "engine/history.h"

struct alert_limits {
    int64_t late;                  /* recipients of one destination that wait longer than an hour */
    double signature, certificate; /* seconds of life left */
};
struct alert_facts {
    const struct history *history;
    struct alert_limits limits;
    bool engine_answers;
};
struct alert {
    const char *kind;  /* "late", "failing", ... */
    const char *about; /* destination or host; with kind it is the alert's name */
    const char *text;  /* one sentence; arena */
};
struct alerts { struct alert *items; size_t count, room; };

struct alerts alerts_find(struct arena *arena, const struct alert_facts *facts);
#endif
