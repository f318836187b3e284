/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/story.h"

#include <string.h>
#include <time.h>

#include "base/base.h"
#include "base/text.h"

enum { INDENT = 31 };

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text != NULL ? text : "";
}

static json_int_t number_of(const json_t *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

/* before, the field escaped, after; nothing at all when the field is empty. */
static void field(FILE *out, const char *before, const json_t *row, const char *key, const char *after)
{
    const char *text = text_of(row, key);
    if (*text == '\0')
        return;
    fputs(before, out);
    text_print_escaped(out, text, strlen(text));
    fputs(after, out);
}

static void print_time(FILE *out, json_int_t at)
{
    time_t seconds = (time_t)at;
    struct tm tm;
    char text[20];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &tm));
    fputs(text, out);
}

static void new_line(FILE *out)
{
    fprintf(out, "\n%*s", INDENT, "");
}

/* ---- one event ---- */

static void tell_facts(FILE *out, const json_t *e)
{
    new_line(out);
    field(out, "MX ", e, "mx", " ");
    field(out, "(", e, "mx_trust", ")");
    field(out, ", address ", e, "host_trust", "");
    field(out, ", TLSA ", e, "tlsa", "");
    field(out, ", MTA-STS ", e, "sts_mode", "");
    field(out, " ", e, "sts_id", "");
}

static void tell_decision(FILE *out, const json_t *e)
{
    new_line(out);
    field(out, "demands ", e, "demand", "");
    field(out, " by ", e, "clause", "");
    field(out, ": ", e, "because", "");
}

static void tell_tls(FILE *out, const json_t *e)
{
    new_line(out);
    field(out, "", e, "tls", "");
    field(out, " with ", e, "cipher", "");
    field(out, ", certificate ", e, "certificate", "");
    fputs(number_of(e, "authenticated") != 0 ? ", authenticated" : "", out);
}

/* A host, skipped or tried: what was known of it, what had to hold, what came of it. */
static void tell_host(FILE *out, const json_t *e)
{
    field(out, " ", e, "host", "");
    field(out, " at ", e, "address", "");
    if (*text_of(e, "host") == '\0')
        field(out, " to ", e, "destination", "");
    field(out, " by connector ", e, "connector", "");
    field(out, " (", e, "connector_why", ")");
    if (*text_of(e, "mx") != '\0')
        tell_facts(out, e);
    if (*text_of(e, "demand") != '\0')
        tell_decision(out, e);
    if (*text_of(e, "tls") != '\0')
        tell_tls(out, e);
}

static void tell_event(FILE *out, const json_t *e)
{
    print_time(out, number_of(e, "at"));
    fprintf(out, "  %-8s", text_of(e, "event"));
    field(out, " ", e, "recipient", "");
    if (*text_of(e, "recipient") == '\0')
        tell_host(out, e);
    bool own_line = *text_of(e, "recipient") == '\0' && *text_of(e, "host") != '\0' && *text_of(e, "code") != '\0';
    if (own_line)
        new_line(out);
    field(out, own_line ? "" : " ", e, "code", "");
    field(out, " ", e, "text", "");
    if (number_of(e, "next") != 0) {
        fputs("; again ", out);
        print_time(out, number_of(e, "next"));
    }
    fputc('\n', out);
}

/* ---- the whole ---- */

static void tell_recipient(FILE *out, const json_t *r)
{
    field(out, "  ", r, "recipient", ": ");
    field(out, "", r, "status", "");
    field(out, " ", r, "code", "");
    field(out, " ", r, "text", "");
    fprintf(out, " (%lld %s)\n", (long long)number_of(r, "attempts"),
            number_of(r, "attempts") == 1 ? "attempt" : "attempts");
}

void story_print(FILE *out, const json_t *recipients, const json_t *events)
{
    const json_t *first = json_array_get(recipients, 0);
    size_t i;
    json_t *row;
    if (first == NULL) {
        fputs("nothing is known of it\n", out);
        return;
    }
    fprintf(out, "message %lld from <", (long long)number_of(first, "message"));
    field(out, "", first, "sender", "");
    fputs(">, received ", out);
    print_time(out, number_of(first, "received"));
    field(out, ", Message-ID ", first, "message-id", "");
    fprintf(out, ", %lld bytes\n", (long long)number_of(first, "size"));
    json_array_foreach(recipients, i, row)
    {
        tell_recipient(out, row);
    }
    fputc('\n', out);
    json_array_foreach(events, i, row)
    {
        tell_event(out, row);
    }
}
