/* SPDX-License-Identifier: BSD-2-Clause
 * clock - now, as a value: the system's time plus an offset that its owner may move.
 *
 * Owns: itself. Dates of certificates and signatures are relative to clock_now(). Monotonic time never moves back and
 * takes no offset. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <time.h>

#include "base/base.h"

struct clock { int64_t offset_s; };

time_t clock_now(const struct clock *clock);                      /* UTC seconds; NULL: the system's time */
void clock_advance(struct clock *clock, int64_t seconds);
int64_t clock_monotonic_us(void);

#endif
