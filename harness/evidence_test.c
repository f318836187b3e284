/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

#define PACKET(text)                                                                                                   \
    {                                                                                                                  \
        INT64_C(0x100000002), (const unsigned char *)text, sizeof text - 1                                             \
    }
static const struct evidence_packet packets[] = {PACKET("abc"), PACKET("four"), PACKET("")};

static const struct {
    const char *name;
    struct evidence_file file;
    uint32_t blocks[8]; /* types, ended by 0 */
} files[] = {
    {"nothing came", {NULL, 0, 0, ""}, {0x0A0D0D0A, 1}},
    {"packets of any length", {packets, COUNT(packets), 0, ""}, {0x0A0D0D0A, 1, 6, 6, 6}},
    {"keys stand before packets", {packets, 1, 0, "CLIENT_RANDOM 00 11\n"}, {0x0A0D0D0A, 1, 10, 6}},
    {"what was lost is said", {packets, 1, 7, ""}, {0x0A0D0D0A, 1, 6, 5}},
};

static uint32_t number_at(const char *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    return number;
}

START_TEST(a_file_is_a_row_of_blocks)
{
    char *bytes = NULL;
    size_t size = 0, at = 0, i = 0;
    FILE *out = open_memstream(&bytes, &size);
    ck_assert(evidence_print(&files[_i].file, out));
    fclose(out);
    for (; at < size; i++) {
        uint32_t length = number_at(bytes + at + 4);
        ck_assert_msg(number_at(bytes + at) == files[_i].blocks[i], "%s: block %zu", files[_i].name, i);
        ck_assert_uint_eq(length % 4, 0);
        ck_assert_uint_le(at + length, size);
        ck_assert_uint_eq(number_at(bytes + at + length - 4), length);
        at += length;
    }
    ck_assert_msg(files[_i].blocks[i] == 0, "%s: %zu blocks", files[_i].name, i);
    free(bytes);
}
END_TEST

START_TEST(a_packet_is_kept_as_it_was)
{
    char *bytes = NULL;
    size_t size = 0;
    const struct evidence_file file = {packets, 1, 0, ""};
    FILE *out = open_memstream(&bytes, &size);
    ck_assert(evidence_print(&file, out));
    fclose(out);
    const char *packet = bytes + 28 + 20; /* behind the heads of section and interface */
    ck_assert_uint_eq(number_at(packet + 12), 1);
    ck_assert_uint_eq(number_at(packet + 16), 2);
    ck_assert_uint_eq(number_at(packet + 20), 3);
    ck_assert_mem_eq(packet + 28, "abc\0", 4);
    free(bytes);
}
END_TEST

static const struct {
    const char *name, *path;
} paths[] = {
    {"dane/matching-key@dane=none", "dane/matching-key@dane=none.pcapng"},
    {"/tmp/partner@dane=none", "tmp/partner@dane=none.pcapng"},
    {"../../etc/x[a=../b]", "etc/x[a=../b].pcapng"},
    {"a//./b/../c", "a/b/c.pcapng"},
};

START_TEST(a_file_stays_below_its_folder)
{
    struct arena *arena = arena_new("test");
    ck_assert_str_eq(evidence_path(arena, paths[_i].name), paths[_i].path);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(evidence)
{
    TEST_LOOP(a_file_is_a_row_of_blocks, COUNT(files));
    TEST(a_packet_is_kept_as_it_was);
    TEST_LOOP(a_file_stays_below_its_folder, COUNT(paths));
}
