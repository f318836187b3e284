/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/case.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "harness/mode.h"

char *case_name(struct arena *arena, const struct case_result *result)
{
    return arena_printf(arena, "%s@%s", result->title, mode_text(result->mode));
}

/* The texts and numbers of a result, each declared once: encode and decode read the same rows. */
enum { TEXT, UNSIGNED, KIND, SECONDS, FLAG };
static const struct {
    const char *key;
    int type;
    size_t offset;
} fields[] = {
#define FIELD(key, type, member)                                                                                       \
    {                                                                                                                  \
        key, type, offsetof(struct case_result, member)                                                                \
    }
    FIELD("title", TEXT, title),
    FIELD("mode", UNSIGNED, mode),
    FIELD("subject", TEXT, subject),
    FIELD("verdict", KIND, kind),
    FIELD("sentence", TEXT, sentence),
    FIELD("note", TEXT, note),
    FIELD("clause", TEXT, clause),
    FIELD("level", TEXT, level),
    FIELD("partly", TEXT, partly),
    FIELD("rule", TEXT, rule),
    FIELD("courses", UNSIGNED, courses),
    FIELD("file", TEXT, file),
    FIELD("line", UNSIGNED, line),
    FIELD("col", UNSIGNED, col),
    FIELD("length", UNSIGNED, length),
    FIELD("seconds", SECONDS, seconds),
    FIELD("cpu", SECONDS, cpu_seconds),
    FIELD("twin", TEXT, twin),
    FIELD("twin-verdict", KIND, twin_kind),
    FIELD("is-twin", FLAG, is_twin),
    FIELD("journal", TEXT, journal),
#undef FIELD
};

/* Peers may have put any byte into a text; JSON holds UTF-8 only. */
static json_t *json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    char *clean = strdup(text);
    if (clean == NULL)
        abort();
    for (char *c = clean; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = json_string(clean);
    free(clean);
    return value;
}

static json_t *encode_field(const struct case_result *result, size_t i)
{
    const void *at = (const char *)result + fields[i].offset;
    switch (fields[i].type) {
    case TEXT:
        return *(const char *const *)at == NULL ? NULL : json_text(*(const char *const *)at);
    case UNSIGNED:
        return json_integer(*(const unsigned *)at);
    case KIND:
        return json_string(verdict_words[*(const enum verdict_kind *)at]);
    case SECONDS:
        return json_real(*(const double *)at);
    default:
        return json_boolean(*(const bool *)at);
    }
}

char *case_result_encode(struct arena *arena, const struct case_result *result)
{
    json_t *root = json_object(), *lines = json_array();
    for (size_t i = 0; i < COUNT(fields); i++) {
        json_t *value = encode_field(result, i);
        if (value != NULL)
            json_object_set_new(root, fields[i].key, value);
    }
    for (size_t i = 0; i < result->line_count; i++) {
        const struct case_line *line = &result->lines[i];
        json_array_append_new(lines, json_pack("{s:f,s:o,s:o,s:b}", "at", line->at_s, "actor", json_text(line->actor),
                                               "text", json_text(line->text), "proof", line->proof));
    }
    json_object_set_new(root, "timeline", lines);
    char *text = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    char *kept = arena_strdup(arena, text);
    free(text);
    json_decref(root);
    return kept;
}

static bool decode_kind(const json_t *value, enum verdict_kind *out)
{
    for (int k = 0; k < VERDICT_COUNT; k++)
        if (json_is_string(value) && strcmp(json_string_value(value), verdict_words[k]) == 0) {
            *out = (enum verdict_kind)k;
            return true;
        }
    return false;
}

static bool decode_field(struct arena *arena, const json_t *value, size_t i, struct case_result *out)
{
    void *at = (char *)out + fields[i].offset;
    switch (fields[i].type) {
    case TEXT:
        *(const char **)at = json_is_string(value) ? arena_strdup(arena, json_string_value(value)) : NULL;
        return true;
    case UNSIGNED:
        *(unsigned *)at = (unsigned)json_integer_value(value);
        return json_is_integer(value);
    case KIND:
        return decode_kind(value, at);
    case SECONDS:
        *(double *)at = json_number_value(value);
        return json_is_number(value);
    default:
        *(bool *)at = json_is_true(value);
        return true;
    }
}

static void decode_lines(struct arena *arena, const json_t *lines, struct case_result *out)
{
    out->line_count = json_array_size(lines);
    out->lines = arena_alloc(arena, (out->line_count + 1) * sizeof *out->lines);
    for (size_t i = 0; i < out->line_count; i++) {
        const json_t *line = json_array_get(lines, i);
        const char *actor = json_string_value(json_object_get(line, "actor")),
                   *text = json_string_value(json_object_get(line, "text"));
        out->lines[i] =
            (struct case_line){json_number_value(json_object_get(line, "at")), arena_strdup(arena, actor ? actor : ""),
                               arena_strdup(arena, text ? text : ""), json_is_true(json_object_get(line, "proof"))};
    }
}

bool case_result_decode(struct arena *arena, const char *line, struct case_result *out, struct err *err)
{
    json_error_t why;
    json_t *root = json_loads(line, 0, &why);
    if (root == NULL)
        return err_set(err, ERR_BUG, "a case's result is not JSON: %s", why.text);
    *out = (struct case_result){0};
    bool fine = true;
    for (size_t i = 0; fine && i < COUNT(fields); i++)
        if (!decode_field(arena, json_object_get(root, fields[i].key), i, out))
            fine = err_set(err, ERR_BUG, "a case's result lacks '%s'", fields[i].key);
    if (fine && (out->title == NULL || out->mode >= MODE_COUNT))
        fine = err_set(err, ERR_BUG, "a case's result names no case");
    decode_lines(arena, json_object_get(root, "timeline"), out);
    json_decref(root);
    return fine;
}
