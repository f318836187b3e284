/* SPDX-License-Identifier: BSD-2-Clause
 * led - the detail of a Defer or Fail as Exchange's message trace words it: last error detail (LED), name and address
 * of the server, last retry time (LRT). Scripts that read the one read the other. Pure. */
#ifndef ENGINE_LED_H
#define ENGINE_LED_H

#include "engine/status.h"

struct led {
    struct status status;
    const char *host, *address; /* of the server that was tried last, "203.0.113.5:25"; NULL: none was */
    const char *hostname;       /* the engine's */
    int64_t at;                 /* UTC seconds */
};

/* "Reason: [{LED=450 4.4.316 Connection refused ...};{MSG=};{FQDN=...};{IP=...};{LRT=...}]. ..." */
const char *led_text(struct arena *arena, const struct led *led);

#endif
