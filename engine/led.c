/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/led.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

/* "11/1/2017 12:12:45 PM" */
static const char *retry_time(struct arena *arena, int64_t at)
{
    time_t seconds = (time_t)at;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return arena_printf(arena, "%d/%d/%d %d:%02d:%02d %s", tm.tm_mon + 1, tm.tm_mday, tm.tm_year + 1900,
                        tm.tm_hour % 12 == 0 ? 12 : tm.tm_hour % 12, tm.tm_min, tm.tm_sec,
                        tm.tm_hour < 12 ? "AM" : "PM");
}

/* An address without its port, for the fields that want it bare. */
static const char *bare(struct arena *arena, const char *address)
{
    const char *colon = strrchr(address, ':');
    bool bracketed = address[0] == '[';
    size_t length = colon != NULL ? (size_t)(colon - address) : strlen(address);
    return arena_strndup(arena, address + bracketed, length - 2 * bracketed);
}

const char *led_text(struct arena *arena, const struct led *led)
{
    const char *host = led->host, *ip = led->address != NULL ? bare(arena, led->address) : NULL;
    const char *server = host != NULL ? arena_printf(arena, " [LastAttemptedServerName=%s]", host) : "";
    const char *address = ip != NULL ? arena_printf(arena, " [LastAttemptedIP=%s]", led->address) : "";
    return arena_printf(arena, "Reason: [{LED=%s%s%s [%s %s]};{MSG=};{FQDN=%s};{IP=%s};{LRT=%s}].%s%s%s%s",
                        status_reply(arena, led->status), server, address, led->hostname,
                        text_time(arena, led->at, TEXT_RFC3339), host != NULL ? host : "", ip != NULL ? ip : "",
                        retry_time(arena, led->at), ip != NULL ? " OutboundProxyTargetIP: " : "",
                        ip != NULL ? arena_printf(arena, "%s.", ip) : "",
                        host != NULL ? " OutboundProxyTargetHostName: " : "", host != NULL ? host : "");
}
