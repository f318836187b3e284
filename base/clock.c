/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

time_t clock_now(const struct clock *clock)
{
    return time(NULL) + (clock != NULL ? (time_t)clock->offset_s : 0);
}

void clock_advance(struct clock *clock, int64_t seconds)
{
    clock->offset_s += seconds;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
