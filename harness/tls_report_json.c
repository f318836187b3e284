/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/tls_report_json.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

const char *const tls_report_policies[] = {"tlsa", "sts", "no-policy-found", NULL};
const char *const tls_report_results[] = {"none", /* of expectations alone */
                                          "starttls-not-supported",
                                          "certificate-host-mismatch",
                                          "certificate-expired",
                                          "certificate-not-trusted",
                                          "validation-failure",
                                          "tlsa-invalid",
                                          "dnssec-invalid",
                                          "dane-required",
                                          "sts-policy-fetch-error",
                                          "sts-policy-invalid",
                                          "sts-webpki-invalid",
                                          NULL};

struct reading {
    struct arena *arena;
    struct tls_report *out;
};

static void flaw(struct reading *r, const char *clause, const char *what)
{
    tls_report_flaw(r->arena, r->out, clause, what);
}

static const char *quoted(struct reading *r, const char *format, const char *value)
{
    char *safe = text_escape(r->arena, value, strnlen(value, 200));
    const char *gap = strstr(format, "%s");
    return arena_printf(r->arena, "%.*s%s%s", (int)(gap - format), format, safe, gap + 2);
}

/* "" with a flaw, unless it may be missing. */
static const char *text_of(struct reading *r, json_t *object, const char *name, const char *clause)
{
    json_t *value = json_object_get(object, name);
    if (json_is_string(value))
        return arena_strdup(r->arena, json_string_value(value));
    if (clause != NULL || value != NULL)
        flaw(r, clause != NULL ? clause : "8460-4-3",
             quoted(r, value != NULL ? "%s is no text" : "%s is missing", name));
    return "";
}

static int64_t count_of(struct reading *r, json_t *object, const char *name, const char *clause)
{
    json_t *value = json_object_get(object, name);
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return json_integer_value(value);
    flaw(r, value != NULL ? "8460-4.4-11" : clause, quoted(r, "%s is no number of sessions", name));
    return 0;
}

static bool is_word_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

static bool is_ascii_lower(const char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name >= 0x7f || (*name >= 'A' && *name <= 'Z'))
            return false;
    return true;
}

/* ---- the frame ---- */

/* RFC 3339: 0 with a flaw for what is none, or has no zone. */
static int64_t date_of(struct reading *r, json_t *range, const char *name)
{
    const char *text = text_of(r, range, name, "8460-4-3");
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest != NULL && *rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (rest == NULL || !(strcmp(rest, "Z") == 0 || strcmp(rest, "+00:00") == 0)) {
        if (*text != '\0')
            flaw(r, "8460-4.4-1", quoted(r, "'%s' is no date and time of RFC 3339 in UTC", text));
        return 0;
    }
    return timegm(&tm);
}

static void read_range(struct reading *r, json_t *root)
{
    enum { DAY = 86400 };
    json_t *range = json_object_get(root, "date-range");
    struct tls_report *out = r->out;
    if (!json_is_object(range)) {
        flaw(r, "8460-4-3", "date-range is missing");
        return;
    }
    out->begins = date_of(r, range, "start-datetime");
    out->ends = date_of(r, range, "end-datetime");
    bool day = out->begins % DAY == 0 && (out->ends == out->begins + DAY || out->ends == out->begins + DAY - 1);
    if (out->begins != 0 && out->ends != 0 && !day)
        flaw(r, "8460-4.1-1", "the report is not about one UTC day");
}

static void read_contact(struct reading *r, json_t *root)
{
    const char *contact = r->out->contact = text_of(r, root, "contact-info", "8460-4-3");
    const char *at = strchr(contact, '@');
    if (*contact != '\0' && (at == NULL || at == contact || at[1] == '\0' || strpbrk(contact, " <>:") != NULL))
        flaw(r, "8460-4.4-2", quoted(r, "contact-info '%s' is no bare address", contact));
}

/* ---- a policy ---- */

static bool is_hex(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

/* "3 1 1 0fab...", or the generic form of RFC 3597: "\\# 3 030101". */
static bool is_tlsa(const char *text)
{
    unsigned fields[3];
    int from = 0;
    if (strncmp(text, "\\# ", 3) == 0)
        return true;
    return sscanf(text, "%3u %3u %3u %n", &fields[0], &fields[1], &fields[2], &from) == 3 && from > 0 &&
           is_hex(text + from);
}

static void read_strings(struct reading *r, json_t *policy, struct tls_report_entry *entry)
{
    json_t *list = json_object_get(policy, "policy-string"), *value;
    size_t i;
    if (list != NULL && !json_is_array(list))
        flaw(r, "8460-4.4-5", "policy-string is no array");
    json_array_foreach(list, i, value)
    {
        const char *text = json_string_value(value);
        entry->strings++;
        if (text == NULL)
            flaw(r, "8460-4.4-5", "policy-string holds something else than texts");
        else if (strcmp(entry->policy, "tlsa") == 0 && !is_tlsa(text))
            flaw(r, "8460-4.5-1", quoted(r, "'%s' is no TLSA record in presentation form", text));
        else if (strcmp(entry->policy, "sts") == 0 && strchr(text, '\n') != NULL)
            flaw(r, "8460-4.5-2", "several lines of the MTA-STS policy stand in one text");
    }
}

static void read_mx_host(struct reading *r, json_t *policy, const struct tls_report_entry *entry)
{
    json_t *list = json_object_get(policy, "mx-host"), *value;
    size_t i;
    bool lone = json_is_string(list); /* erratum 6241: deployed reporters vary */
    if (list != NULL && !lone && !json_is_array(list))
        flaw(r, "8460-4.4-7", "mx-host is no array");
    if (lone && !is_ascii_lower(json_string_value(list)))
        flaw(r, "8460-4.4-8", "mx-host is not in A-labels");
    if (strcmp(entry->policy, "sts") != 0 && json_array_size(list) > 0)
        flaw(r, "8460-4.4-7", "mx-host is for policies of MTA-STS");
    json_array_foreach(list, i, value)
    {
        if (!json_is_string(value))
            flaw(r, "8460-4.4-7", "mx-host holds something else than texts");
        else if (!is_ascii_lower(json_string_value(value)))
            flaw(r, "8460-4.4-8", "mx-host is not in A-labels");
    }
}

static void read_policy(struct reading *r, json_t *policy, struct tls_report_entry *entry)
{
    entry->policy = text_of(r, policy, "policy-type", "8460-4.4-4");
    entry->domain = text_of(r, policy, "policy-domain", "8460-4.4-6");
    if (*entry->policy != '\0' && !is_word_of(entry->policy, tls_report_policies))
        flaw(r, "8460-4.4-4", quoted(r, "policy-type is '%s'", entry->policy));
    if (!is_ascii_lower(entry->domain))
        flaw(r, "8460-4.4-6", quoted(r, "policy-domain '%s' is not in lower-case A-labels", entry->domain));
    read_strings(r, policy, entry);
    read_mx_host(r, policy, entry);
}

/* ---- its failures ---- */

static void check_ip(struct reading *r, json_t *detail, const char *name)
{
    const char *text = text_of(r, detail, name, NULL);
    unsigned char bytes[16];
    char again[INET6_ADDRSTRLEN] = "";
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    bool good = inet_pton(family, text, bytes) == 1 && inet_ntop(family, bytes, again, sizeof again) != NULL &&
                strcmp(text, again) == 0; /* RFC 5952 is what inet_ntop writes */
    if (*text != '\0' && !good)
        flaw(r, "8460-4.4-9", quoted(r, "'%s' is no plain IP address", text));
}

/* The clause that wants a failure-reason-code with this result; NULL: none does. */
static const char *wants_reason(const char *result)
{
    if (strcmp(result, "certificate-not-trusted") == 0)
        return "8460-4.3.1-4";
    return strcmp(result, "validation-failure") == 0 ? "8460-4.3.1-5" : NULL;
}

static void read_detail(struct reading *r, json_t *value, struct tls_report_entry *entry)
{
    struct tls_report_detail *detail = ARENA_PUSH(r->arena, &entry->details);
    detail->result = text_of(r, value, "result-type", "8460-4.3-1");
    detail->mx = text_of(r, value, "receiving-mx-hostname", NULL);
    detail->count = count_of(r, value, "failed-session-count", "8460-4-6");
    if (*detail->result != '\0' && !is_word_of(detail->result, tls_report_results + 1))
        flaw(r, "8460-4.3-1", quoted(r, "'%s' is no result type", detail->result));
    const char *clause = wants_reason(detail->result);
    if (clause != NULL && *text_of(r, value, "failure-reason-code", NULL) == '\0')
        flaw(r, clause, quoted(r, "%s comes without a failure-reason-code", detail->result));
    check_ip(r, value, "sending-mta-ip");
    check_ip(r, value, "receiving-ip");
}

static void read_details(struct reading *r, json_t *item, struct tls_report_entry *entry)
{
    json_t *list = json_object_get(item, "failure-details"), *value;
    int64_t sum = 0;
    size_t i;
    json_array_foreach(list, i, value) read_detail(r, value, entry);
    for (i = 0; i < entry->details.count; i++)
        sum += entry->details.items[i].count;
    if (sum < entry->failure)
        flaw(r, "8460-4-6", "more sessions failed than failure-details speaks of");
}

/* A session that met a policy is reported with it; one without a policy has none to report. */
static void check_strings(struct reading *r, const struct tls_report_entry *entry)
{
    bool without = strcmp(entry->policy, "no-policy-found") == 0;
    if (without && entry->strings > 0)
        flaw(r, "8460-4.4-5", "policy-string holds a policy where none was found");
    bool with = strcmp(entry->policy, "tlsa") == 0 || strcmp(entry->policy, "sts") == 0;
    if (with && entry->success > 0 && entry->strings == 0)
        flaw(r, "8460-4.4-5", "sessions met a policy that policy-string does not hold");
}

static void read_entry(struct reading *r, json_t *item)
{
    json_t *summary = json_object_get(item, "summary");
    struct tls_report_entry *entry = ARENA_PUSH(r->arena, &r->out->entries);
    *entry = (struct tls_report_entry){0};
    read_policy(r, json_object_get(item, "policy"), entry);
    entry->success = count_of(r, summary, "total-successful-session-count", "8460-4.2.1-1");
    entry->failure = count_of(r, summary, "total-failure-session-count", "8460-4.2.2-1");
    read_details(r, item, entry);
    check_strings(r, entry);
}

void tls_report_read_json(struct arena *arena, const char *text, size_t length, struct tls_report *out)
{
    struct reading r = {arena, out};
    json_error_t wrong;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong), *policies, *item;
    size_t i;
    if (!json_is_object(root)) {
        flaw(&r, "8460-4-1",
             root == NULL ? quoted(&r, "the report is no JSON: %s", wrong.text) : "the report is no JSON object");
        json_decref(root);
        return;
    }
    text_of(&r, root, "organization-name", "8460-4-3");
    out->id = text_of(&r, root, "report-id", "8460-4-3");
    read_range(&r, root);
    read_contact(&r, root);
    policies = json_object_get(root, "policies");
    if (!json_is_array(policies))
        flaw(&r, "8460-4-2", "policies is no array");
    json_array_foreach(policies, i, item) read_entry(&r, item);
    json_decref(root);
}
