/* SPDX-License-Identifier: BSD-2-Clause
 * report_formats - what report.c's table names: one function a format, in report_<name>.c. False: writing failed. */
#ifndef HARNESS_REPORT_FORMATS_H
#define HARNESS_REPORT_FORMATS_H

#include "harness/report.h"

bool report_junit(const struct report_run *run, FILE *out);
bool report_json(const struct report_run *run, FILE *out);
bool report_tap(const struct report_run *run, FILE *out);
bool report_github(const struct report_run *run, FILE *out);
bool report_html(const struct report_run *run, FILE *out);

#endif
