/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static struct arena *arena;
static struct diag_list *diags;

static void begin(void)
{
    arena = arena_new("test");
    diags = diag_new(arena);
}

static void end(void)
{
    arena_free(&arena);
}

/* --- a small file ----------------------------------------------------------------------------------------------- */

enum mood { CALM, CROSS, ASLEEP };
static const char *const moods[] = {"calm", "cross", "asleep", NULL};

struct host {
    const char *name;
    int64_t port;
    const struct tree_node *node;
};

static const struct schema_field host_fields[] = {
    {.key = "name",
     .kind = SCHEMA_TEXT,
     .offset = SCHEMA_FIELD(struct host, name),
     .required = true,
     .doc = "its name"},
    {.key = "port",
     .kind = SCHEMA_NUMBER,
     .offset = SCHEMA_FIELD(struct host, port),
     .otherwise = "25",
     .doc = "a | b"},
};

static const struct tree_node *host_from_text(struct arena *in, const struct tree_node *node, struct diag_list *to)
{
    if (node->kind == TREE_TEXT)
        return schema_map(in, node->at, "name", node, "port", NULL, NULL);
    diag_error(to, node->at, "a host is its name or a map");
    return NULL;
}

static const struct schema host_schema = {
    .name = "host",
    .doc = "A host.",
    .fields = host_fields,
    .count = COUNT(host_fields),
    .size = sizeof(struct host),
    .node_offset = SCHEMA_FIELD(struct host, node),
    .short_form = host_from_text,
    .short_doc = "the name alone",
};

struct limits {
    bool strict;
    double wait_s;
    int64_t size;
};

static const struct schema_field limits_fields[] = {
    {.key = "strict", .kind = SCHEMA_BOOL, .offset = SCHEMA_FIELD(struct limits, strict), .otherwise = "yes"},
    {.key = "wait", .kind = SCHEMA_SECONDS, .offset = SCHEMA_FIELD(struct limits, wait_s), .otherwise = "30s"},
    {.key = "size", .kind = SCHEMA_SIZE, .offset = SCHEMA_FIELD(struct limits, size), .otherwise = "64KiB"},
};

static const struct schema limits_schema = {.name = "limits",
                                            .fields = limits_fields,
                                            .count = COUNT(limits_fields),
                                            .size = sizeof(struct limits)};

struct file {
    const char *says, *banner;
    int mood;
    struct srcpos mood_at;
    struct schema_texts covers;
    struct limits limits;
    struct schema_list hosts;
    struct host best;
    struct schema_named zones;
    const struct tree_node *rest;
};

#define FIELD(key_, kind_, member, ...)                                                                                \
    {                                                                                                                  \
        .key = key_, .kind = kind_, .offset = SCHEMA_FIELD(struct file, member), __VA_ARGS__                           \
    }
static const struct schema_field file_fields[] = {
    FIELD("says", SCHEMA_TEXT, says),
    FIELD("banner", SCHEMA_TEXT, banner, .otherwise = "220 hello", .doc = "the first \"line\""),
    FIELD("mood", SCHEMA_WORD, mood, .words = moods, .otherwise = "cross",
          .at_offset = SCHEMA_FIELD(struct file, mood_at)),
    FIELD("covers", SCHEMA_TEXTS, covers, .otherwise = "a, b c,d"),
    FIELD("limits", SCHEMA_SUB, limits, .sub = &limits_schema),
    FIELD("hosts", SCHEMA_SUBS, hosts, .sub = &host_schema),
    FIELD("best", SCHEMA_SUB, best, .sub = &host_schema, .otherwise = "mx1"),
    FIELD("zones", SCHEMA_NAMED, zones, .sub = &limits_schema),
    FIELD("rest", SCHEMA_NODE, rest),
};
#undef FIELD

static const struct schema file_schema = {
    .name = "file", .doc = "A file.", .fields = file_fields, .count = COUNT(file_fields), .size = sizeof(struct file)};

static struct file read_file(const char *yaml)
{
    struct file file;
    memset(&file, 0xff, sizeof file);
    schema_read(arena, &file_schema, yaml != NULL ? tree_read_text(arena, "f", yaml, strlen(yaml), diags) : NULL, &file,
                diags);
    return file;
}

/* The findings without their excerpts, and without the file's name. */
static const char *findings(void)
{
    char *buffer = NULL, *rest;
    size_t length;
    const char *kept = "";
    FILE *out = open_memstream(&buffer, &length);
    diag_print(diags, out);
    fclose(out);
    for (char *line = strtok_r(buffer, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, "f:", 2) == 0 || strncmp(line, "error", 5) == 0)
            kept = arena_printf(arena, "%s%s%s", kept, *kept != '\0' ? "\n" : "", line);
    free(buffer);
    return kept;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void check_defaults(const struct file *file)
{
    ck_assert_ptr_null(file->says);
    ck_assert_str_eq(file->banner, "220 hello");
    ck_assert_int_eq(file->mood, CROSS);
    ck_assert_ptr_null(file->mood_at.file);
    ck_assert_uint_eq(file->covers.count, 3);
    ck_assert_str_eq(file->covers.items[1], "b c");
    ck_assert(file->limits.strict);
    ck_assert_double_eq(file->limits.wait_s, 30);
    ck_assert_int_eq(file->limits.size, 65536);
    ck_assert_uint_eq(file->hosts.count, 0);
    ck_assert_str_eq(file->best.name, "mx1");
    ck_assert_int_eq(file->best.port, 25);
    ck_assert_uint_eq(file->zones.count, 0);
    ck_assert_ptr_null(file->rest);
    ck_assert_msg(diag_count(diags) == 0, "%s", findings());
}

static const char *const empty_files[] = {NULL, "{}", "x-note: [anything]\n", "limits:\nhosts:\nzones:\n"};

START_TEST(what_is_not_said_has_its_default)
{
    struct file file = read_file(empty_files[_i]);
    check_defaults(&file);
}
END_TEST

START_TEST(every_kind_is_read)
{
    struct file file = read_file("says: Hello.\n"
                                 "mood: asleep\n"
                                 "covers: [x, y z]\n"
                                 "limits: {strict: no, wait: 1.5m, size: 1MiB}\n"
                                 "hosts:\n  - mx1\n  - {name: mx2, port: 26}\n"
                                 "best: {name: mx3}\n"
                                 "zones: {a.example: {wait: 500ms}, b.example: }\n"
                                 "rest: [1]\n");
    ck_assert_msg(diag_count(diags) == 0, "%s", findings());
    ck_assert_str_eq(file.says, "Hello.");
    ck_assert_int_eq(file.mood, ASLEEP);
    ck_assert_uint_eq(file.mood_at.line, 2);
    ck_assert_uint_eq(file.mood_at.col, 7);
    ck_assert_uint_eq(file.covers.count, 2);
    ck_assert_str_eq(file.covers.items[1], "y z");
    ck_assert_uint_eq(file.covers.at[1].col, 13);
    ck_assert(!file.limits.strict);
    ck_assert_double_eq(file.limits.wait_s, 90);
    ck_assert_int_eq(file.limits.size, 1 << 20);
    const struct host *hosts = file.hosts.items;
    ck_assert_uint_eq(file.hosts.count, 2);
    ck_assert_str_eq(hosts[0].name, "mx1");
    ck_assert_int_eq(hosts[0].port, 25);
    ck_assert_str_eq(hosts[1].name, "mx2");
    ck_assert_int_eq(hosts[1].port, 26);
    ck_assert_uint_eq(hosts[1].node->at.line, 7);
    ck_assert_str_eq(file.best.name, "mx3");
    ck_assert_uint_eq(file.zones.count, 2);
    ck_assert_str_eq(file.zones.items[0].name, "a.example");
    ck_assert_double_eq(((const struct limits *)file.zones.items[0].value)->wait_s, 0.5);
    ck_assert(((const struct limits *)file.zones.items[1].value)->strict);
    ck_assert_uint_eq(file.zones.items[1].at.line, 9);
    ck_assert_int_eq(file.rest->kind, TREE_LIST);
}
END_TEST

START_TEST(one_of_many_needs_no_list)
{
    struct file file = read_file("covers: x\nhosts: {name: mx2}\n");
    ck_assert_uint_eq(file.covers.count, 1);
    ck_assert_str_eq(file.covers.items[0], "x");
    ck_assert_uint_eq(file.hosts.count, 1);
    ck_assert_str_eq(((const struct host *)file.hosts.items)->name, "mx2");
    file = read_file("hosts: mx3\n");
    ck_assert_str_eq(((const struct host *)file.hosts.items)->name, "mx3");
    file = read_file("covers: []\n");
    ck_assert_uint_eq(file.covers.count, 0);
    ck_assert_uint_eq(diag_count(diags), 0);
}
END_TEST

static const struct {
    const char *name, *yaml, *found;
} mistakes[] = {
    {"an unknown key", "banana: 1", "f:1:1: error: unknown key 'banana' in this file"},
    {"a misspelt key", "bannr: 1", "f:1:1: error: unknown key 'bannr' in this file, did you mean 'banner'?"},
    {"a key of another map", "limits: {wiat: 1s}",
     "f:1:10: error: unknown key 'wiat' in this limits, did you mean 'wait'?"},
    {"an unknown word", "mood: happy", "f:1:7: error: 'mood' wants one of: calm, cross, asleep, not 'happy'"},
    {"a misspelt word", "mood: clam",
     "f:1:7: error: 'mood' knows no 'clam', did you mean 'calm'? It is one of: calm, cross, asleep"},
    {"a list for a word", "mood: [calm]", "f:1:7: error: 'mood' wants one of: calm, cross, asleep, not a list"},
    {"a map for a text", "banner: {a: b}", "f:1:9: error: 'banner' wants a text, not a map"},
    {"nothing for a text", "banner:", "f:1:8: error: 'banner' wants a text, not nothing"},
    {"a bare number of seconds", "limits: {wait: 30}",
     "f:1:16: error: 'wait' wants a time with its unit (500ms, 30s, 5m, 2h, 1d), not '30'"},
    {"a wrong size", "limits: {size: 1MB}",
     "f:1:16: error: 'size' wants a size in bytes (512, 64KiB, 1MiB), not '1MB'"},
    {"no truth", "limits: {strict: maybe}", "f:1:18: error: 'strict' wants yes or no, not 'maybe'"},
    {"no number", "best: {name: a, port: smtp}", "f:1:23: error: 'port' wants a whole number, not 'smtp'"},
    {"a text for a map", "limits: strict", "f:1:9: error: a limits is a map of keys and values, not 'strict'"},
    {"a list for a map", "[a]", "f:1:1: error: a file is a map of keys and values, not a list"},
    {"a map for texts", "covers: {a: b}", "f:1:9: error: 'covers' wants a text or a list of texts, not a map"},
    {"a list within texts", "covers: [a, [b]]", "f:1:13: error: 'covers' wants texts in its list, not a list"},
    {"a list for names", "zones: [a]", "f:1:8: error: 'zones' wants a map of names, not a list"},
    {"a required key missing", "hosts: [{port: 1}]", "f:1:9: error: 'name' is missing in this host"},
    {"a short form that stands for nothing", "best: [a]", "f:1:7: error: a host is its name or a map"},
    {"all of them at once", "bannr: 1\nmood: happy\nhosts:\n  - {port: x}\n",
     "f:1:1: error: unknown key 'bannr' in this file, did you mean 'banner'?\n"
     "f:2:7: error: 'mood' wants one of: calm, cross, asleep, not 'happy'\n"
     "f:4:5: error: 'name' is missing in this host\n"
     "f:4:12: error: 'port' wants a whole number, not 'x'"},
};

START_TEST(mistakes_are_findings)
{
    struct file file = read_file(mistakes[_i].yaml);
    ck_assert_msg(strcmp(findings(), mistakes[_i].found) == 0, "%s:\n%s", mistakes[_i].name, findings());
    ck_assert_int_eq(file.mood, CROSS);
    ck_assert_str_eq(file.banner, "220 hello");
    ck_assert(file.limits.strict);
    ck_assert_double_eq(file.limits.wait_s, 30);
}
END_TEST

/* --- scalars ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    double seconds; /* NAN: not a time */
} times[] = {
    {"500ms", 0.5},
    {"30s", 30},
    {"5m", 300},
    {"2h", 7200},
    {"1d", 86400},
    {"-2d", -172800},
    {"1.5s", 1.5},
    {"0s", 0},
    {"0.25h", 900},
    {"36500d", 3153.6e6},
    {"30", NAN},
    {"", NAN},
    {"s", NAN},
    {"-s", NAN},
    {"1.s", NAN},
    {".5s", NAN},
    {"1 s", NAN},
    {"1S", NAN},
    {"1w", NAN},
    {"36501d", NAN},
    {"inf", NAN},
    {"1e3s", NAN},
    {"0x10s", NAN},
    {"--1s", NAN},
    {"1ss", NAN},
    {"+1s", NAN},
    {"1.5.5s", NAN},
    {"99999999999s", NAN},
    {"1.99999999999s", NAN},
};

START_TEST(times_have_units)
{
    double seconds = -7;
    bool good = schema_parse_seconds(times[_i].text, &seconds);
    if (isnan(times[_i].seconds))
        ck_assert_msg(!good && seconds == -7, "%s: %g", times[_i].text, seconds);
    else
        ck_assert_msg(good && fabs(seconds - times[_i].seconds) < 1e-9, "%s: %g", times[_i].text, seconds);
}
END_TEST

static const struct {
    const char *text;
    int64_t size; /* -1: not a size */
} sizes[] = {
    {"512", 512},
    {"64KiB", 65536},
    {"1MiB", 1048576},
    {"2GiB", 2147483648},
    {"0", 0},
    {"", -1},
    {"KiB", -1},
    {"-1", -1},
    {"1KB", -1},
    {"1.5KiB", -1},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775808", -1},
    {"9223372036854775807KiB", -1},
    {"1 KiB", -1},
};

START_TEST(sizes_count_bytes)
{
    int64_t size = -1;
    bool good = schema_parse_size(sizes[_i].text, &size);
    ck_assert_msg(good == (sizes[_i].size >= 0) && size == sizes[_i].size, "%s: %lld", sizes[_i].text, (long long)size);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    int64_t number;
} numbers[] = {
    {"25", true, 25},
    {"-1", true, -1},
    {"007", true, 7},
    {"9223372036854775807", true, INT64_MAX},
    {"9223372036854775808", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"1.5", false, 0},
    {"1x", false, 0},
    {"0x1", false, 0},
    {" 1", false, 0},
};

START_TEST(numbers_are_whole)
{
    int64_t number = 0;
    bool good = schema_parse_number(numbers[_i].text, &number);
    ck_assert_msg(good == numbers[_i].good && number == numbers[_i].number, "%s", numbers[_i].text);
}
END_TEST

START_TEST(truth_has_four_words)
{
    bool truth = false;
    ck_assert(schema_parse_bool("yes", &truth) && truth);
    ck_assert(schema_parse_bool("no", &truth) && !truth);
    ck_assert(schema_parse_bool("true", &truth) && truth);
    ck_assert(schema_parse_bool("false", &truth) && !truth);
    ck_assert(!schema_parse_bool("on", &truth) && !schema_parse_bool("", &truth) && !schema_parse_bool("Yes", &truth));
}
END_TEST

/* --- prints ------------------------------------------------------------------------------------------------------- */

static const char *manual(void)
{
    char *buffer = NULL;
    size_t length;
    FILE *out = open_memstream(&buffer, &length);
    schema_print_manual(&file_schema, out);
    fclose(out);
    const char *copy = arena_strdup(arena, buffer);
    free(buffer);
    return copy;
}

static const char *json(const struct schema *schema)
{
    char *buffer = NULL;
    size_t length;
    FILE *out = open_memstream(&buffer, &length);
    schema_print_json(schema, "file.schema.json", out);
    fclose(out);
    const char *copy = arena_strdup(arena, buffer);
    free(buffer);
    return copy;
}

static const char *const manual_parts[] = {
    "## file\n\nA file.\n\n| key | kind | default | meaning |\n|---|---|---|---|\n",
    "| `banner` | text | `220 hello` | the first \"line\" |\n",
    "| `mood` | `calm`, `cross`, `asleep` | `cross` |  |\n",
    "| `hosts` | list of [host](#host) |  |  |\n",
    "### host\n\nA host.\n\nShort form: the name alone\n\n",
    "| `name` | text | required | its name |\n| `port` | number | `25` | a \\| b |\n",
    "### limits\n\n",
};

START_TEST(the_manual_says)
{
    ck_assert_msg(strstr(manual(), manual_parts[_i]) != NULL, "%s", manual());
}
END_TEST

static const char *const json_parts[] = {
    "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\"",
    "\"$ref\": \"#/$defs/file\"",
    "\"banner\": {\"type\": [\"string\", \"number\", \"boolean\"], \"description\": \"the first \\\"line\\\"\", "
    "\"default\": \"220 hello\"}",
    "\"mood\": {\"enum\": [\"calm\", \"cross\", \"asleep\"]",
    "\"required\": [\"name\"]",
    "\"strict\": {\"enum\": [\"yes\", \"no\", \"true\", \"false\", true, false], \"description\": \"\", "
    "\"default\": true}",
    "\"default\": 25}",
};

START_TEST(the_json_schema_says)
{
    ck_assert_msg(strstr(json(&file_schema), json_parts[_i]) != NULL, "%s", json(&file_schema));
}
END_TEST

static const struct schema nest;
static const struct schema_field nest_fields[] = {{.key = "inner", .kind = SCHEMA_SUBS, .offset = 0, .sub = &nest}};
static const struct schema nest = {.name = "nest",
                                   .fields = nest_fields,
                                   .count = COUNT(nest_fields),
                                   .size = sizeof(struct schema_list)};

START_TEST(a_schema_may_hold_itself)
{
    struct schema_list list;
    const char *yaml = "inner: [{inner: [{}, {}]}]";
    schema_read(arena, &nest, tree_read_text(arena, "f", yaml, strlen(yaml), diags), &list, diags);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_uint_eq(((struct schema_list *)list.items)->count, 2);
    ck_assert_ptr_nonnull(strstr(json(&nest), "{\"$ref\": \"#/$defs/nest\"}"));
}
END_TEST

TEST_SUITE(schema)
{
    tcase_add_checked_fixture(testing_case, begin, end);
    TEST_LOOP(what_is_not_said_has_its_default, COUNT(empty_files));
    TEST(every_kind_is_read);
    TEST(one_of_many_needs_no_list);
    TEST_LOOP(mistakes_are_findings, COUNT(mistakes));
    TEST_LOOP(times_have_units, COUNT(times));
    TEST_LOOP(sizes_count_bytes, COUNT(sizes));
    TEST_LOOP(numbers_are_whole, COUNT(numbers));
    TEST(truth_has_four_words);
    TEST_LOOP(the_manual_says, COUNT(manual_parts));
    TEST_LOOP(the_json_schema_says, COUNT(json_parts));
    TEST(a_schema_may_hold_itself);
}
