/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/tree.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
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

static const struct tree_node *read_bytes(const char *text, size_t length)
{
    return tree_read_text(arena, "f", text, length, diags);
}

static const struct tree_node *read_yaml(const char *text)
{
    return read_bytes(text, strlen(text));
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
        if (strncmp(line, "f:", 2) == 0)
            kept = arena_printf(arena, "%s%s%s", kept, *kept != '\0' ? "\n" : "", line + 2);
    free(buffer);
    return kept;
}

/* A tree in one line: {key: text, list: [a, 'quoted', |block]}. */
static void show(FILE *out, const struct tree_node *node)
{
    switch (node->kind) {
    case TREE_TEXT:
        fprintf(out, node->block ? "|%s" : node->quoted ? "'%s'" : "%s", node->text);
        break;
    case TREE_LIST:
        fputc('[', out);
        for (size_t i = 0; i < node->count; i++) {
            fputs(i > 0 ? ", " : "", out);
            show(out, node->items[i]);
        }
        fputc(']', out);
        break;
    case TREE_MAP:
        fputc('{', out);
        for (size_t i = 0; i < node->count; i++) {
            fprintf(out, "%s%s: ", i > 0 ? ", " : "", node->entries[i].key);
            show(out, node->entries[i].value);
        }
        fputc('}', out);
        break;
    }
}

static const char *shown(const struct tree_node *node)
{
    char *buffer = NULL;
    size_t length;
    if (node == NULL)
        return "nothing";
    FILE *out = open_memstream(&buffer, &length);
    show(out, node);
    fclose(out);
    const char *copy = arena_strdup(arena, buffer);
    free(buffer);
    return copy;
}

static const struct {
    const char *name, *yaml, *tree;
} good[] = {
    {"a text", "hello", "hello"},
    {"block style", "a: 1\nb:\n  - x\n  - y: z\n", "{a: 1, b: [x, {y: z}]}"},
    {"flow style", "{a: [x, {y: z}], b: {}}", "{a: [x, {y: z}], b: {}}"},
    {"plain scalars are text", "[3 1 1, no, ~, 0123e456, 4.7.323, null]", "[3 1 1, no, ~, 0123e456, 4.7.323, null]"},
    {"quotes are remembered", "['a b', \"c\\n\", d]", "['a b', 'c\n', d]"},
    {"block scalars", "a: |\n  x\n   y\nb: >\n  p\n  q\n", "{a: |x\n y\n, b: 'p q\n'}"},
    {"nothing behind a key", "a:\nb: ''\n", "{a: , b: ''}"},
    {"comments and a document mark", "# x\n---\na: b # c\n...\n", "{a: b}"},
    {"a byte order mark",
     "\xef\xbb\xbf"
     "a: b",
     "{a: b}"},
    {"CR LF", "a: b\r\nc: |\r\n  d\r\n", "{a: b, c: |d\n}"},
    {"a quoted merge key is a key", "'<<': x", "{<<: x}"},
    {"UTF-8", "\xc3\xbc: \xe2\x82\xac", "{\xc3\xbc: \xe2\x82\xac}"},
};

START_TEST(yaml_becomes_a_tree)
{
    const char *got = shown(read_yaml(good[_i].yaml));
    ck_assert_msg(strcmp(got, good[_i].tree) == 0 && diag_count(diags) == 0, "%s: %s, %s", good[_i].name, got,
                  findings());
}
END_TEST

static const struct {
    const char *name, *yaml, *found;
    bool usable; /* reading went on */
} bad[] = {
    {"an unclosed quote", "a: 1\nb: \"x\nc: 2\n", "2:4: error: the quote opened here is never closed", false},
    {"an unclosed single quote", "a: 'x\n", "1:4: error: the quote opened here is never closed", false},
    {"an unclosed quote before a document mark", "a: 'x\n---\n", "1:4: error: the quote opened here is never closed",
     false},
    {"a tab before a key", "a:\n\tb: c\n", "2:1: error: a tab cannot indent YAML; use spaces", false},
    {"a tab after spaces", "a:\n  b: c\n  \td: e\n", "3:3: error: a tab cannot indent YAML; use spaces", false},
    {"an unclosed bracket", "a: [b, c\n", "1:4: error: the '[' opened here is never closed", false},
    {"a bracket closed by the wrong one", "a: [b, c}\n",
     "1:9: error: the '[' of line 1, column 4 is not closed before this", false},
    {"an unclosed brace", "a: {b: c\n", "1:4: error: the '{' opened here is never closed", false},
    {"a colon inside a text", "a: b: c\n",
     "1:5: error: a ':' cannot stand here; quote the text, or look at the indentation", false},
    {"no colon behind a key", "a: 1\nb\nc: 2\n", "2:1: error: a ':' is missing after this key", false},
    {"a key too far left", "  a: 1\n b: 2\n",
     "2:2: error: this does not belong to what stands above; look at the indentation", false},
    {"a name to be replaced, not quoted", "a: [b-${c}]\n",
     "1:8: error: within [ ] and { } a text with '${...}' must be put in quotes", false},
    {"text behind a quote", "a: 'b' c\n",
     "1:8: error: a key is expected here; look at the indentation, or quote the text before", false},
    {"a reserved character", "a: @b\n", "1:4: error: a text cannot begin with this character; put it in quotes", false},
    {"an unknown escape", "a: \"\\.\"\n",
     "1:5: error: there is no such escape; in double quotes a backslash is written twice, in single quotes once",
     false},
    {"a list where a key was", "a: - b\n", "1:4: error: a list entry cannot begin here; give it a line of its own",
     false},
    {"an anchor", "a: &x b\nc: d\n", "1:4: error: anchors (&x) are not allowed", true},
    {"an alias", "a: *x\n", "1:4: error: aliases (*x) are not allowed; write the value again", true},
    {"anchor and alias", "a: &x b\nc: *x\n",
     "1:4: error: anchors (&x) are not allowed\n2:4: error: aliases (*x) are not allowed; write the value again", true},
    {"a tag", "a: !!str b\n", "1:4: error: tags (!...) are not allowed", true},
    {"a tag on a list", "a: !x [b]\n", "1:4: error: tags (!...) are not allowed", true},
    {"a tag directive", "%TAG ! tag:x,2000:\n---\na: b\n", "1:1: error: tags are not allowed", true},
    {"a merge key", "<<: {a: b}\n", "1:1: error: merge keys (<<) are not allowed", true},
    {"a second document", "a: b\n---\nc: d\n", "2:1: error: a second document begins here; only one is allowed", true},
    {"a key twice", "a: 1\nb: 2\na: 3\n", "3:1: error: the key 'a' is given twice; first in line 1, column 1", true},
    {"a key three times", "{a: 1, a: 2, a: 3}",
     "1:8: error: the key 'a' is given twice; first in line 1, column 2\n"
     "1:14: error: the key 'a' is given twice; first in line 1, column 2",
     true},
    {"a list as a key", "? [a]\n: b\nc: d\n", "1:3: error: a key must be a text, not a list", true},
    {"no text at all", "", "error: there is nothing in this file", false},
    {"only a comment", "# x\n", "error: there is nothing in this file", false},
    {"a NUL escaped", "a: \"\\0\"\n", "1:4: error: a text cannot hold a NUL character", true},
    {"bytes of another encoding",
     "a: b\nGr\xfc\xdf"
     "e: c\n",
     "2:3: error: the byte 0xfc is not UTF-8", false},
    {"an escape character", "a: \x1b[1m\n", "1:4: error: a control character (U+001B) cannot stand here", false},
    {"a line separator", "\xc3\xbc: \xe2\x80\xa8x\n",
     "1:4: error: a line separator that is no line feed (U+2028) cannot stand here", false},
};

START_TEST(mistakes_are_found_with_their_place)
{
    const struct tree_node *node = read_yaml(bad[_i].yaml);
    const char *got = findings();
    const char *expected = bad[_i].found;
    if (strncmp(expected, "error", 5) == 0)
        expected = arena_printf(arena, " %s", expected);
    ck_assert_msg(strcmp(got, expected) == 0, "%s: %s", bad[_i].name, got);
    ck_assert_msg((node != NULL) == bad[_i].usable, "%s: usable", bad[_i].name);
}
END_TEST

START_TEST(a_nul_byte_is_found)
{
    ck_assert_ptr_null(read_bytes("a: b\0c", 6));
    ck_assert_str_eq(findings(), "1:5: error: a control character (U+0000) cannot stand here");
}
END_TEST

static const struct {
    const char *name, *yaml, *path[4]; /* "#2": the third item of a list */
    unsigned line, col, length;
} places[] = {
    {"the whole", "# x\na: b\n", {NULL}, 2, 1, 1},
    {"a plain text", "a: some text # c\n", {"a"}, 1, 4, 9},
    {"a quoted text", "a: 'b c'\n", {"a"}, 1, 4, 5},
    {"columns are characters", "\xc3\xbc: \xe2\x82\xac\xe2\x82\xac\n", {"\xc3\xbc"}, 1, 4, 2},
    {"in flow style", "a: {b: [x, yy]}\n", {"a", "b", "#1"}, 1, 12, 2},
    {"a list", "a:\n  - x\n  - y\n", {"a"}, 2, 3, 1},
    {"after a byte order mark",
     "\xef\xbb\xbf"
     "a: b\n",
     {"a"},
     1,
     4,
     1},
    {"a block scalar stands where its bar stands", "a:\n  b: |\n    x\n    y\n", {"a", "b"}, 2, 6, 1},
    {"a text over several lines", "a: x\n  y\n", {"a"}, 1, 4, 1},
    {"after a block scalar", "a: |\n  x\n\n  y\nb: c\n", {"b"}, 5, 4, 1},
};

START_TEST(nodes_know_their_place)
{
    const struct tree_node *node = read_yaml(places[_i].yaml);
    for (size_t i = 0; i < COUNT(places[_i].path) && places[_i].path[i] != NULL; i++) {
        const char *step = places[_i].path[i];
        ck_assert_msg(node != NULL, "%s: no way at step %zu", places[_i].name, i);
        node = step[0] == '#' ? node->items[step[1] - '0'] : tree_get(node, step);
    }
    ck_assert_msg(node != NULL, "%s", places[_i].name);
    ck_assert_msg(node->at.line == places[_i].line && node->at.col == places[_i].col &&
                      node->at.length == places[_i].length,
                  "%s: %u:%u, %u long", places[_i].name, node->at.line, node->at.col, node->at.length);
}
END_TEST

static char *repeated(const char *text, size_t times)
{
    size_t length = strlen(text);
    char *all = arena_alloc(arena, length * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(all + i * length, text, length);
    return all;
}

static const char *const nests[] = {"[", "{a: ", "- ", "? ", "[{a: ", "[a, "};

START_TEST(endless_nesting_ends_at_once)
{
    int64_t from = clock_monotonic_us();
    ck_assert_ptr_null(read_yaml(repeated(nests[_i], 200000)));
    ck_assert_msg(strstr(findings(), "nested deeper than 32 levels") != NULL, "%s", findings());
    ck_assert_int_lt(clock_monotonic_us() - from, 500000);
}
END_TEST

START_TEST(thirty_two_levels_are_fine)
{
    ck_assert_ptr_nonnull(read_yaml(arena_printf(arena, "%s%s", repeated("[", 32), repeated("]", 32))));
    ck_assert_ptr_null(read_yaml(arena_printf(arena, "%s%s", repeated("[", 33), repeated("]", 33))));
    ck_assert_str_eq(findings(), "1:33: error: nested deeper than 32 levels");
}
END_TEST

START_TEST(a_file_has_a_size)
{
    ck_assert_ptr_nonnull(read_yaml(repeated("a", 1 << 20)));
    ck_assert_ptr_null(read_yaml(repeated("a", (1 << 20) + 1)));
    ck_assert_str_eq(findings(), " error: larger than 1 MiB");
}
END_TEST

START_TEST(a_big_map_is_searched_fast)
{
    char *yaml = arena_alloc(arena, 1 << 20), *to = yaml;
    for (int i = 0; i < 60000; i++)
        to += snprintf(to, 40, "key%d: %d\n", i, i);
    snprintf(to, 40, "key59999: again\nkey1: again\n");
    int64_t from = clock_monotonic_us();
    const struct tree_node *map = read_yaml(yaml);
    ck_assert_str_eq(findings(), "60001:1: error: the key 'key59999' is given twice; first in line 60000, column 1\n"
                                 "60002:1: error: the key 'key1' is given twice; first in line 2, column 1");
    ck_assert_uint_eq(map->count, 60000);
    ck_assert_str_eq(tree_get(map, "key31234")->text, "31234");
    ck_assert_ptr_null(tree_get(map, "key60000"));
    ck_assert_uint_eq(tree_merge(arena, map, map)->count, 60000);
    ck_assert_int_lt(clock_monotonic_us() - from, 5000000);
}
END_TEST

START_TEST(keys_are_found)
{
    const struct tree_node *map = read_yaml("a: 1\nb: [2]\n");
    ck_assert_str_eq(tree_get(map, "a")->text, "1");
    ck_assert_ptr_null(tree_get(map, "c"));
    ck_assert_ptr_null(tree_get(tree_get(map, "b"), "a"));
    ck_assert_ptr_null(tree_get(NULL, "a"));
}
END_TEST

START_TEST(files_are_read)
{
    char path[] = "/tmp/tree_test.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, "a: b\n", 5), 5);
    close(fd);
    const struct tree_node *node = tree_read_file(arena, path, diags);
    ck_assert_str_eq(shown(node), "{a: b}");
    ck_assert_str_eq(node->at.file, path);
    unlink(path);
    ck_assert_ptr_null(tree_read_file(arena, path, diags));
    ck_assert_uint_eq(diag_errors(diags), 1);
}
END_TEST

static const struct {
    const char *name, *base, *change, *merged;
} merges[] = {
    {"a value is replaced", "{a: 1, b: 2}", "{b: 3}", "{a: 1, b: 3}"},
    {"a key is added", "{a: 1}", "{b: 2}", "{a: 1, b: 2}"},
    {"maps merge into maps", "{m: {x: 1, y: 2}}", "{m: {y: 3, z: 4}}", "{m: {x: 1, y: 3, z: 4}}"},
    {"a list replaces a list", "{m: [1, 2]}", "{m: [3]}", "{m: [3]}"},
    {"a text replaces a map", "{m: {x: 1}}", "{m: none}", "{m: none}"},
    {"a map replaces a text", "{m: none}", "{m: {x: 1}}", "{m: {x: 1}}"},
    {"what is no map is replaced whole", "[a]", "{b: c}", "{b: c}"},
    {"no change", "{a: 1}", NULL, "{a: 1}"},
    {"no base", NULL, "{a: 1}", "{a: 1}"},
    {"nothing", NULL, NULL, "nothing"},
};

START_TEST(changes_are_merged)
{
    const struct tree_node *base = merges[_i].base != NULL ? read_yaml(merges[_i].base) : NULL;
    const struct tree_node *change = merges[_i].change != NULL ? read_yaml(merges[_i].change) : NULL;
    const char *before = shown(base), *got = shown(tree_merge(arena, base, change));
    ck_assert_msg(strcmp(got, merges[_i].merged) == 0, "%s: %s", merges[_i].name, got);
    ck_assert_str_eq(shown(base), before);
}
END_TEST

static const struct tree_node *value_of(const void *arg, const char *name)
{
    return tree_get(arg, name);
}

static const struct {
    const char *name, *yaml, *result, *found;
} substitutions[] = {
    {"within a text", "a: x-${who}-y", "{a: x-subject-y}", ""},
    {"twice", "a: ${who}${who}", "{a: subjectsubject}", ""},
    {"a whole text", "a: ${who}", "{a: subject}", ""},
    {"a whole node", "a: ['${list}', \"${map}\"]", "{a: [[1, 2], {k: v}]}", ""},
    {"in a key", "${who}: x", "{subject: x}", ""},
    {"in a quoted text", "a: '${who} here'", "{a: 'subject here'}", ""},
    {"what was put in is not looked at again", "a: ${again}!", "{a: ${who}!}", ""},
    {"a name nobody knows", "a: b-${whom}", "{a: b-}", "1:6: error: nothing is called '${whom}' here"},
    {"a whole text nobody knows", "a: ${whom}", "{a: ${whom}}", "1:4: error: nothing is called '${whom}' here"},
    {"nobody knows it in quotes", "a: 'b-${whom}'", "{a: 'b-'}", "1:7: error: nothing is called '${whom}' here"},
    {"a list within a text", "a: b-${list}", "{a: b-}",
     "1:6: error: '${list}' is a list and cannot stand within a text"},
    {"a map as a key", "${map}: b", "{: b}", "1:1: error: '${map}' is a map and cannot stand within a text"},
    {"two keys become the same", "{subject: 1, '${who}': 2}", "{subject: 1}",
     "1:14: error: the key 'subject' is given twice; first in line 1, column 2"},
    {"what is not closed stays", "a: '${who'", "{a: '${who'}", ""},
    {"a dollar alone stays", "a: $who {who}", "{a: $who {who}}", ""},
};

START_TEST(names_are_replaced)
{
    const struct tree_node *values = read_yaml("{who: subject, list: [1, 2], map: {k: v}, again: '${who}'}");
    const struct tree_node *node = read_yaml(substitutions[_i].yaml);
    const char *before = shown(node), *got = shown(tree_substitute(arena, node, value_of, values, diags));
    ck_assert_msg(strcmp(got, substitutions[_i].result) == 0, "%s: %s", substitutions[_i].name, got);
    ck_assert_msg(strcmp(findings(), substitutions[_i].found) == 0, "%s: %s", substitutions[_i].name, findings());
    ck_assert_str_eq(shown(node), before);
}
END_TEST

START_TEST(substitution_does_not_grow_without_bound)
{
    const struct tree_node *values = read_yaml(arena_printf(arena, "{who: %s}", repeated("x", 500000)));
    const struct tree_node *node = read_yaml(arena_printf(arena, "a: ${who} %s", repeated("${who}", 10000)));
    ck_assert_ptr_nonnull(tree_substitute(arena, node, value_of, values, diags));
    ck_assert_ptr_nonnull(strstr(findings(), "'${who}' makes the texts too long"));
}
END_TEST

static const struct printed_row {
    const char *text, *line;
} prints[] = {
    {"text", "text"},
    {"a: b\nc:\n  d: []\n  e: {}", "{a: b, c: {d: [], e: {}}}"},
    {"[3 1 1 of other-key, 'none', none, '', x-y, a.b/c]",
     "[3 1 1 of other-key, \"none\", none, \"\", x-y, \"a.b/c\"]"},
    {"mail: 550 5.1.1 no, user\nempty:\nlist:\n- - a", "{mail: \"550 5.1.1 no, user\", empty: , list: [[a]]}"},
    {"a: |\n  two\n  lines\n\"b \\\" c\": ' d '", "{a: \"two\\nlines\\n\", \"b \\\" c\": \" d \"}"},
    {"- \"\\t#\"\n- it's\n- \xc3\xa9", "[\"\\u0009#\", \"it's\", \"\xc3\xa9\"]"},
};

static const char *printed(const struct tree_node *node)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    tree_print(node, out);
    fclose(out);
    const char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

START_TEST(what_is_printed_reads_the_same)
{
    const struct tree_node *node = read_yaml(prints[_i].text), *again = read_yaml(prints[_i].line);
    ck_assert_str_eq(printed(node), prints[_i].line);
    ck_assert_str_eq(findings(), "");
    ck_assert_str_eq(printed(again), prints[_i].line);
}
END_TEST

TEST_SUITE(tree)
{
    tcase_add_checked_fixture(testing_case, begin, end);
    TEST_LOOP(yaml_becomes_a_tree, COUNT(good));
    TEST_LOOP(mistakes_are_found_with_their_place, COUNT(bad));
    TEST(a_nul_byte_is_found);
    TEST_LOOP(nodes_know_their_place, COUNT(places));
    TEST_LOOP(endless_nesting_ends_at_once, COUNT(nests));
    TEST(thirty_two_levels_are_fine);
    TEST(a_file_has_a_size);
    TEST(a_big_map_is_searched_fast);
    TEST(keys_are_found);
    TEST(files_are_read);
    TEST_LOOP(changes_are_merged, COUNT(merges));
    TEST_LOOP(what_is_printed_reads_the_same, COUNT(prints));
    TEST_LOOP(names_are_replaced, COUNT(substitutions));
    TEST(substitution_does_not_grow_without_bound);
}
