/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts_policy.h"

#include <string.h>

#include "base/text.h"
#include "engine/domain_name.h"

struct span {
    const char *at;
    size_t length;
};

struct reading {
    struct arena *arena;
    struct sts_policy policy;
    bool has_version, has_mode, has_max_age;
    struct {
        const char **items;
        size_t count, room;
    } mx;
};

static bool equals(struct span s, const char *literal)
{
    return s.length == strlen(literal) && memcmp(s.at, literal, s.length) == 0;
}

/* The readers of values: false when the value is not what the grammar wants. Case counts everywhere (8461-3.2-5). */

static bool read_version(struct reading *r, struct span value)
{
    r->has_version = true;
    return equals(value, "STSv1");
}

static bool read_mode(struct reading *r, struct span value)
{
    static const struct {
        const char *word;
        enum sts_policy_mode mode;
    } modes[] = {
        {"enforce", STS_ENFORCE},
        {"testing", STS_TESTING},
        {"none", STS_MODE_NONE},
    };
    r->has_mode = true;
    for (size_t i = 0; i < COUNT(modes); i++)
        if (equals(value, modes[i].word)) {
            r->policy.mode = modes[i].mode;
            return true;
        }
    return false;
}

/* 1*10(DIGIT), and never longer than a year (8461-3.2-6, erratum 7282: cut, not refused). */
static bool read_max_age(struct reading *r, struct span value)
{
    r->has_max_age = true;
    if (value.length < 1 || value.length > 10)
        return false;
    int64_t seconds = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return false;
        seconds = seconds * 10 + (value.at[i] - '0');
    }
    r->policy.max_age = seconds < STS_MAX_AGE_MAX ? seconds : STS_MAX_AGE_MAX;
    return true;
}

/* sts-policy-mx-value = ["*."] Domain (8461-3.2-12) */
static bool read_mx(struct reading *r, struct span value)
{
    size_t star = value.length > 2 && memcmp(value.at, "*.", 2) == 0 ? 2 : 0;
    if (!domain_name_is_domain(value.at + star, value.length - star))
        return false;
    *ARENA_PUSH(r->arena, &r->mx) = text_name(r->arena, arena_strndup(r->arena, value.at, value.length));
    return true;
}

/* sts-policy-ext-value: printable or UTF-8, blanks only inside. */
static bool is_extension_value(struct span value)
{
    if (value.length == 0 || !text_is_utf8(value.at, value.length, NULL))
        return false;
    for (size_t i = 0; i < value.length; i++)
        if ((unsigned char)value.at[i] < ' ' || value.at[i] == 0x7f)
            return false;
    return true;
}

static const struct key {
    const char *name;
    bool (*read)(struct reading *r, struct span value);
    size_t seen; /* offset of the flag: later ones are passed over (8461-3.2-15); 0: each counts */
    const char *why;
} keys[] = {
    {"version", read_version, offsetof(struct reading, has_version), "the policy's version is not STSv1"},
    {"mode", read_mode, offsetof(struct reading, has_mode), "the policy's mode is none of enforce, testing, none"},
    {"max_age", read_max_age, offsetof(struct reading, has_max_age), "the policy's max_age is not 1 to 10 digits"},
    {"mx", read_mx, 0, "an mx of the policy is no host name or *.domain"},
};

/* sts-policy-ext-name = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".") */
static bool is_name(struct span name)
{
    static const char alphanum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    if (name.length < 1 || name.length > 32 || memchr(alphanum, name.at[0], sizeof alphanum - 1) == NULL)
        return false;
    for (size_t i = 0; i < name.length; i++)
        if (memchr(alphanum, name.at[i], sizeof alphanum - 1) == NULL && memchr("_-.", name.at[i], 3) == NULL)
            return false;
    return true;
}

/* NULL: the field is fine. Fields nobody knows are passed over (8461-3.2-14). */
static const char *read_field(struct reading *r, struct span name, struct span value)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (!equals(name, keys[i].name))
            continue;
        if (keys[i].seen != 0 && *(bool *)((char *)r + keys[i].seen))
            break;
        return keys[i].read(r, value) ? NULL : keys[i].why;
    }
    return is_name(name) && is_extension_value(value) ? NULL : "a line of the policy is not 'name: value'";
}

/* name ":" *WSP value *WSP, the line's end already off. */
static const char *read_line(struct reading *r, struct span line)
{
    while (line.length > 0 && (line.at[line.length - 1] == ' ' || line.at[line.length - 1] == '\t'))
        line.length--;
    const char *colon = memchr(line.at, ':', line.length);
    if (colon == NULL)
        return "a line of the policy is not 'name: value'";
    struct span name = {line.at, (size_t)(colon - line.at)};
    struct span value = {colon + 1, line.length - name.length - 1};
    while (value.length > 0 && (*value.at == ' ' || *value.at == '\t')) {
        value.at++;
        value.length--;
    }
    return read_field(r, name, value);
}

/* Lines end in LF or CRLF (erratum 6253), the last one may end without. */
static const char *read_lines(struct reading *r, struct span text)
{
    while (text.length > 0) {
        const char *newline = memchr(text.at, '\n', text.length);
        size_t taken = newline != NULL ? (size_t)(newline - text.at) + 1 : text.length;
        struct span line = {text.at, newline != NULL ? taken - 1 : taken};
        if (newline != NULL && line.length > 0 && line.at[line.length - 1] == '\r')
            line.length--;
        const char *why = read_line(r, line);
        if (why != NULL)
            return why;
        text.at += taken;
        text.length -= taken;
    }
    return NULL;
}

static const char *what_is_missing(const struct reading *r)
{
    if (!r->has_version)
        return "the policy has no version";
    if (!r->has_mode)
        return "the policy has no mode";
    if (!r->has_max_age)
        return "the policy has no max_age";
    if (r->policy.mode != STS_MODE_NONE && r->mx.count == 0) /* 8461-3.2-8 */
        return "the policy has no mx";
    return NULL;
}

bool sts_policy_parse(struct arena *arena, const char *text, size_t length, struct sts_policy *out, const char **why)
{
    struct reading r = {.arena = arena};
    *why = length > STS_POLICY_SIZE_MAX ? "the policy is too big" : read_lines(&r, (struct span){text, length});
    if (*why == NULL)
        *why = what_is_missing(&r);
    if (*why != NULL)
        return false;
    r.policy.mx = r.mx.items;
    r.policy.mx_count = r.mx.count;
    *out = r.policy;
    return true;
}

/* 8461-4.1-2: "*.example.com" matches "mail.example.com", not "foo.bar.example.com", not "example.com". */
static bool matches(const char *pattern, const char *host)
{
    if (strncmp(pattern, "*.", 2) != 0)
        return text_name_equal(pattern, host);
    const char *dot = strchr(host, '.');
    return dot != NULL && dot > host && text_name_equal(pattern + 2, dot + 1);
}

bool sts_mx_matches(const char *const *mx, size_t count, const char *host)
{
    for (size_t i = 0; i < count; i++)
        if (matches(mx[i], host))
            return true;
    return false;
}
