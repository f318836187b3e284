/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/hosts.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/text.h"

static void shuffle(struct mx_host *hosts, size_t count, struct random_source random)
{
    for (size_t left = count; left > 1; left--) {
        size_t other = random.below(random.arg, (uint32_t)left);
        struct mx_host last = hosts[left - 1];
        hosts[left - 1] = hosts[other];
        hosts[other] = last;
    }
}

static int by_preference(const void *a, const void *b)
{
    unsigned one = ((const struct mx_host *)a)->preference, other = ((const struct mx_host *)b)->preference;
    return (one > other) - (one < other);
}

void hosts_order(struct mx_host *hosts, size_t count, struct random_source random)
{
    if (count == 0)
        return;
    qsort(hosts, count, sizeof *hosts, by_preference);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && hosts[to].preference == hosts[from].preference; to++)
            ;
        shuffle(hosts + from, to - from, random);
    }
}

size_t hosts_better_than(const struct mx_host *hosts, size_t count, const char *self)
{
    size_t found = 0, better = 0;
    while (found < count && !text_name_equal(hosts[found].name, self))
        found++;
    while (better < found && (found == count || hosts[better].preference < hosts[found].preference))
        better++;
    return better;
}

static uint32_t system_below(void *arg UNUSED, uint32_t bound)
{
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return 0; /* no randomness yet: the order of the zone is as good as any */
    return number % bound;
}

const struct random_source hosts_random = {system_below, NULL};
