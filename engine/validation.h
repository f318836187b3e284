/* SPDX-License-Identifier: BSD-2-Clause
 * validation - a survey of one host told as tasks, each with a status and a detail: resolve, connect, EHLO, STARTTLS,
 * certificate, DANE, MTA-STS. Pure. */
#ifndef ENGINE_VALIDATION_H
#define ENGINE_VALIDATION_H

#include "engine/survey.h"

enum task_status { TASK_SUCCEEDED, TASK_FAILED, TASK_SKIPPED };
extern const char *const task_status_words[];

enum { VALIDATION_TASKS = 7 };
struct task {
    const char *name;
    enum task_status status;
    const char *detail; /* arena */
};

void validation_of(struct arena *arena, const struct survey *survey, const struct survey_visit *visit,
                   struct task tasks[VALIDATION_TASKS]);
bool validation_passed(const struct task tasks[VALIDATION_TASKS]);

#endif
