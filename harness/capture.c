/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/capture.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

struct capture {
    struct arena *arena;
    const json_t *posture;
    const char *domain;
    FILE *out;
};

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static bool is(const json_t *object, const char *key, const char *word)
{
    return strcmp(text_at(object, key), word) == 0;
}

/* What a name of the world may be: a peer chose it. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length < 254 && strchr(name, '.') != NULL && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == length;
}

/* A word of check's own, of letters and hyphens; "" for anything else. */
static const char *word_at(const json_t *object, const char *key)
{
    const char *word = text_at(object, key);
    return word[strspn(word, "abcdefghijklmnopqrstuvwxyz-")] == '\0' ? word : "";
}

/* A text of YAML in double quotes. */
static void quoted(const char *text, FILE *out)
{
    fputc('"', out);
    text_print_json(out, text);
    fputc('"', out);
}

/* Between comma and blank, but for the first. */
static const char *between(bool *first)
{
    const char *text = *first ? "" : ", ";
    *first = false;
    return text;
}

/* ---- DNS ---- */

/* How a zone is in which something was found so. */
static const char *zone_of_trust(const char *trust)
{
    static const struct {
        const char *trust, *setting;
    } rows[] = {
        {"insecure", "dnssec: unsigned"},
        {"bogus", "dns: [signature-expired]"},
        {"overridden", "dns: [signature-expired]"},
        {"failed", "dns: [servfail]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(trust, rows[i].trust) == 0)
            return rows[i].setting;
    return NULL;
}

static const char *mx_of_state(const struct capture *c, const json_t *mx)
{
    if (is(mx, "state", "null"))
        return "mx: [\"null\"]";
    if (is(mx, "state", "implicit"))
        return "address: v4";
    const char *list = "";
    size_t i;
    json_t *host;
    json_array_foreach(json_object_get(c->posture, "hosts"), i, host) list =
        arena_printf(c->arena, "%s%s%s", list, i > 0 ? ", " : "", text_at(host, "host"));
    return arena_printf(c->arena, "mx: [%s]", list);
}

/* ---- TLSA ---- */

/* Whose data a record holds: of what the host shows, or of nothing that it has. The lab's chains are the host's
 * certificate and an intermediate. */
static const char *owner_of(const json_t *host, const json_t *record)
{
    const json_t *matches = json_object_get(record, "matches");
    if (json_is_integer(matches))
        return json_integer_value(matches) > 0 ? " of intermediate" : "";
    return json_is_object(json_object_get(host, "certificate")) ? " of other-key" : "";
}

static void records(const struct capture *c, const json_t *host)
{
    bool first = true;
    size_t i;
    json_t *record;
    fputs("    tlsa: [", c->out);
    json_array_foreach(json_object_get(host, "records"), i, record)
    {
        unsigned usage, selector, matching;
        if (sscanf(text_at(record, "record"), "%u %u %u", &usage, &selector, &matching) == 3)
            fprintf(c->out, "%s%u %u %u%s", between(&first), usage, selector, matching, owner_of(host, record));
    }
    json_int_t unusable = json_integer_value(json_object_get(host, "unusable"));
    for (json_int_t n = 0; n < unusable && n < 4; n++)
        fprintf(c->out, "%s3 1 1 00%02x", between(&first), (unsigned)n);
    fputs("]\n", c->out);
}

static void tlsa(const struct capture *c, const json_t *host)
{
    bool any = json_array_size(json_object_get(host, "records")) > 0 ||
               json_integer_value(json_object_get(host, "unusable")) > 0;
    if (is(host, "tlsa", "failed"))
        fputs("    dns: [{fault: servfail, type: TLSA}]\n", c->out);
    else if (is(host, "tlsa", "insecure"))
        fputs("    # its TLSA records are not signed, and not shown here\n", c->out);
    else if (any)
        records(c, host);
}

/* ---- certificates and SMTP ---- */

static bool covers(const char *name, const char *host)
{
    if (strncmp(name, "*.", 2) != 0)
        return text_name_equal(name, host);
    const char *rest = strchr(host, '.');
    return rest != NULL && text_name_equal(name + 2, rest + 1);
}

/* names: divided by blanks. */
static bool any_covers(struct arena *arena, const char *names, const char *host)
{
    for (const char *at = names; *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (covers(arena_strndup(arena, at, length), host))
            return true;
        at += length;
    }
    return false;
}

static const char *dates(const struct capture *c, const json_t *certificate)
{
    const char *now = text_at(c->posture, "at"); /* ISO 8601: sorts as time does */
    if (strcmp(text_at(certificate, "until"), now) < 0)
        return "expired";
    return strcmp(text_at(certificate, "from"), now) > 0 ? "not-yet-valid" : NULL;
}

static const char *issuer(const json_t *host, const json_t *certificate)
{
    bool alone = strcmp(text_at(certificate, "subject"), text_at(certificate, "issuer")) == 0;
    if (alone && json_integer_value(json_object_get(certificate, "chain")) == 1)
        return "self-signed";
    return is(host, "pkix", "certificate-not-trusted") ? "unknown-root" : NULL;
}

static void certificate(const struct capture *c, const json_t *host)
{
    const json_t *shown = json_object_get(host, "certificate");
    if (!json_is_object(shown))
        return;
    const char *when = dates(c, shown), *by = issuer(host, shown), *names = text_at(shown, "names");
    const char *name = text_at(host, "host");
    bool misnamed = *names != '\0' && !any_covers(c->arena, names, name), first = true;
    if (when == NULL && by == NULL && !misnamed && *names != '\0')
        return;
    fputs("    certificate: {", c->out);
    if (by != NULL)
        fprintf(c->out, "%sissuer: %s", between(&first), by);
    if (when != NULL)
        fprintf(c->out, "%sdates: %s", between(&first), when);
    if (misnamed)
        fprintf(c->out, "%snames: [another.%s]", between(&first), name);
    if (*names == '\0')
        fprintf(c->out, "%snames-as: cn-only", between(&first));
    fputs("}\n", c->out);
}

/* What a host did that kept a session from being set up. */
static const char *smtp_of_failure(const char *failure)
{
    static const struct {
        const char *failure, *setting;
    } rows[] = {
        {"connect-refused", "{tcp: refuse}"},
        {"connect-timeout", "{tcp: stall}"},
        {"connect-failed", "{tcp: refuse}"},
        {"greeting-4xx", "{greeting: 421 4.3.2 later}"},
        {"greeting-5xx", "{greeting: 554 5.3.2 not here}"},
        {"starttls-broken", "{starttls: refused-454}"},
        {"handshake-failed", "{starttls: alert}"},
        {"lost", "{tcp: reset}"},
        {"timeout", "{tcp: stall}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(failure, rows[i].failure) == 0)
            return rows[i].setting;
    return NULL;
}

static void smtp(const struct capture *c, const json_t *host)
{
    bool encrypted = *text_at(host, "tls") != '\0', spoken = *text_at(host, "address") != '\0';
    const char *setting = smtp_of_failure(text_at(host, "failure"));
    if (!encrypted && setting != NULL)
        fprintf(c->out, "    smtp: %s\n", setting);
    else if (!encrypted && spoken)
        fputs("    smtp: {starttls: hidden}\n", c->out);
}

/* ---- the world ---- */

static const char *parent_zone(const struct capture *c, const char *host)
{
    if (text_name_under(host, c->domain))
        return host; /* a zone of its own below the domain's */
    const char *zone = host;
    for (const char *dot = host; (dot = strchr(dot, '.')) != NULL && strchr(dot + 1, '.') != NULL; dot++)
        zone = dot + 1;
    return zone;
}

/* Is this the first host in a zone that differs from the domain's? Its setting; NULL: nothing to be said. */
static const char *zone_setting(const struct capture *c, const json_t *host, size_t before)
{
    const char *name = text_at(host, "host"), *zone = parent_zone(c, name), *trust = text_at(host, "dnssec");
    bool as_the_domain = strcmp(trust, text_at(json_object_get(c->posture, "mx"), "dnssec")) == 0;
    if (text_name_under(name, c->domain) && as_the_domain)
        return NULL;
    for (size_t i = 0; i < before; i++) {
        const char *other = text_at(json_array_get(json_object_get(c->posture, "hosts"), i), "host");
        if (text_name_equal(parent_zone(c, other), zone))
            return NULL;
    }
    return zone_of_trust(trust);
}

static void one_host(const struct capture *c, const json_t *host, size_t before)
{
    const char *name = text_at(host, "host"), *setting = zone_setting(c, host, before);
    bool of_its_own = text_name_equal(parent_zone(c, name), name);
    if (setting != NULL && !of_its_own)
        fprintf(c->out, "  %s: {%s}\n", parent_zone(c, name), setting);
    if (!text_name_equal(name, c->domain))
        fprintf(c->out, "  %s:\n    address: v4\n", name);
    if (setting != NULL && of_its_own)
        fprintf(c->out, "    zone: yes\n    %s\n", setting);
    tlsa(c, host);
    certificate(c, host);
    smtp(c, host);
}

static void policy(const struct capture *c)
{
    const json_t *policy = json_object_get(c->posture, "policy");
    bool first = true;
    size_t i;
    json_t *pattern;
    if (is(policy, "mode", "absent") || *word_at(policy, "mode") == '\0')
        return;
    fprintf(c->out, "    mta-sts: {mode: %s, max-age: %llds, mx: [", word_at(policy, "mode"),
            (long long)json_integer_value(json_object_get(policy, "max-age")));
    json_array_foreach(json_object_get(policy, "mx"), i, pattern)
    {
        fputs(between(&first), c->out);
        quoted(json_string_value(pattern) != NULL ? json_string_value(pattern) : "", c->out);
    }
    fputs("]}\n", c->out);
}

static void world(const struct capture *c)
{
    const json_t *mx = json_object_get(c->posture, "mx");
    const char *zone = zone_of_trust(text_at(mx, "dnssec"));
    size_t i;
    json_t *host;
    fprintf(c->out, "world:\n  %s:\n", c->domain);
    fprintf(c->out, "    %s\n", mx_of_state(c, mx));
    if (zone != NULL)
        fprintf(c->out, "    %s\n", zone);
    policy(c);
    json_array_foreach(json_object_get(c->posture, "hosts"), i, host) one_host(c, host, i);
}

/* ---- what is expected ---- */

static void expectation(const struct capture *c, const json_t *mode)
{
    static const struct {
        const char *message, *course;
    } courses[] = {{"delivered", "delivered"}, {"waits", "deferred"}, {"bounces", "bounced"}};
    const char *channel = text_at(mode, "channel");
    fprintf(c->out, "  - when: {dane: %s, mta-sts: %s}\n", word_at(mode, "smtp-dane"), word_at(mode, "mta-sts"));
    for (size_t i = 0; i < COUNT(courses); i++)
        if (is(mode, "message", courses[i].message))
            fprintf(c->out, "    message: %s\n", courses[i].course);
    if (*channel != '\0')
        fprintf(c->out, "    channel: %s\n", strcmp(channel, "clear") == 0 ? "clear" : "tls");
    fputs("    faults: may\n", c->out);
}

static bool check_posture(const struct capture *c, struct err *err)
{
    size_t i;
    json_t *host;
    if (is(json_object_get(c->posture, "mx"), "state", "no-domain"))
        return err_set(err, ERR_INPUT, "there is no domain %s", c->domain);
    if (!is_name(c->domain) || json_array_size(json_object_get(c->posture, "modes")) != 6)
        return err_set(err, ERR_INPUT, "this is not what 'mtalab-engine check DOMAIN --json' prints");
    json_array_foreach(
        json_object_get(c->posture, "hosts"), i,
        host) if (!is_name(text_at(host, "host"))) return err_set(err, ERR_INPUT,
                                                                  "an MX host has a name that no scenario can have");
    return true;
}

bool capture_print(const json_t *posture, FILE *out, struct err *err)
{
    struct capture c = {arena_new("capture"), posture, text_at(posture, "domain"), out};
    bool sound = check_posture(&c, err);
    size_t i;
    json_t *mode;
    if (sound) {
        fputs("says: ", out);
        quoted(arena_printf(c.arena, "What %s published on %.10s.", c.domain, text_at(posture, "at")), out);
        fprintf(out, "\nsend: {to: someone@%s}\n", c.domain);
        world(&c);
        fputs("expect:\n", out);
        json_array_foreach(json_object_get(posture, "modes"), i, mode) expectation(&c, mode);
    }
    arena_free(&c.arena);
    return sound;
}
