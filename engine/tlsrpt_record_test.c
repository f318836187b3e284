/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_record.h"

#include <stdio.h>
#include <string.h>

#include "base/testing.h"

#define V "v=TLSRPTv1;"
static const struct row {
    const char *name;
    const char *records[4];
    enum tlsrpt_record_state state;
    const char *endpoints; /* "address" or "host:port", parted by blanks */
} rows[] = {
    {"a mail address", {V "rua=mailto:a@b.example"}, TLSRPT_RECORD_VALID, "a@b.example"},
    {"blanks, an end", {V " rua=mailto:a@b.example ; "}, TLSRPT_RECORD_VALID, "a@b.example"},
    {"https", {V "rua=https://r.example/v1/tlsrpt?x=1"}, TLSRPT_RECORD_VALID, "r.example:443"},
    {"https with a port", {V "rua=https://R.example:8443"}, TLSRPT_RECORD_VALID, "r.example:8443"},
    {"both (8460-3-15)",
     {V "rua=mailto:a@b.example , https://r.example/"},
     TLSRPT_RECORD_VALID,
     "a@b.example r.example:443"},
    {"unknown fields (8460-3-19)",
     {V "x=y; rua=mailto:a@b.example;future-field=1"},
     TLSRPT_RECORD_VALID,
     "a@b.example"},
    {"an unknown scheme beside (8460-3-3)",
     {V "rua=ftp://f.example,mailto:a@b.example"},
     TLSRPT_RECORD_VALID,
     "a@b.example"},
    {"unknown schemes only", {V "rua=http://h.example/,gopher:x"}, TLSRPT_RECORD_VALID, ""},
    {"no scheme (RPT-05)", {V "rua=a@b.example"}, TLSRPT_RECORD_VALID, ""},
    {"a comma of the address, coded", {V "rua=mailto:a%2cb@c.example"}, TLSRPT_RECORD_VALID, ""},
    {"a plus, coded", {V "rua=mailto:a%2bb@c.example"}, TLSRPT_RECORD_VALID, "a+b@c.example"},
    {"a broken percent sign", {V "rua=mailto:a%2@c.example"}, TLSRPT_RECORD_VALID, ""},
    {"a percent sign at the end", {V "rua=mailto:a@c.example%4"}, TLSRPT_RECORD_VALID, ""},
    {"a comma, raw (8460-3-11)", {V "rua=mailto:a,b@c.example"}, TLSRPT_RECORD_VALID, ""},
    {"an exclamation mark, raw", {V "rua=mailto:a@c.example!10m"}, TLSRPT_RECORD_VALID, ""},
    {"a subject is left away", {V "rua=mailto:a@b.example?subject=hi"}, TLSRPT_RECORD_VALID, "a@b.example"},
    {"blanks inside", {V "rua=mailto:a@b.example mailto:c@d.example"}, TLSRPT_RECORD_VALID, "a@b.example"},
    {"a user in https", {V "rua=https://u:p@r.example/"}, TLSRPT_RECORD_VALID, ""},
    {"an address in https", {V "rua=https://192.0.2.1/,https://[::1]/"}, TLSRPT_RECORD_VALID, ""},
    {"a port that is none",
     {V "rua=https://r.example:0/,https://r.example:99999/,https://r.example:x/"},
     TLSRPT_RECORD_VALID,
     ""},
    {"other TXT beside (8460-3-12)", {"v=spf1 -all", V "rua=mailto:a@b.example"}, TLSRPT_RECORD_VALID, "a@b.example"},
    {"the first rua counts", {V "rua=mailto:a@b.example;rua=mailto:c@d.example"}, TLSRPT_RECORD_VALID, "a@b.example"},
    {"two (8460-3-13)", {V "rua=mailto:a@b.example", V "rua=mailto:c@d.example"}, TLSRPT_RECORD_SEVERAL, ""},
    {"none", {"v=spf1 -all"}, TLSRPT_RECORD_NONE, ""},
    {"another version (8460-3-2)", {"v=TLSRPTv2; rua=mailto:a@b.example"}, TLSRPT_RECORD_NONE, ""},
    {"lower case (8460-3-2)", {"v=tlsrptv1; rua=mailto:a@b.example"}, TLSRPT_RECORD_NONE, ""},
    {"a blank before the version", {" " V "rua=mailto:a@b.example"}, TLSRPT_RECORD_NONE, ""},
    {"no rua", {V}, TLSRPT_RECORD_INVALID, ""},
    {"an empty rua", {V "rua="}, TLSRPT_RECORD_INVALID, ""},
    {"an empty field", {V ";rua=mailto:a@b.example"}, TLSRPT_RECORD_INVALID, ""},
    {"a field without a value", {V "x; rua=mailto:a@b.example"}, TLSRPT_RECORD_INVALID, ""},
    {"a control character", {V "rua=mailto:a\001@b.example"}, TLSRPT_RECORD_INVALID, ""},
};

START_TEST(records_are_read)
{
    const struct row *row = &rows[_i];
    struct arena *arena = arena_new("test");
    size_t count = 0;
    char said[200] = "";
    while (row->records[count] != NULL)
        count++;
    struct tlsrpt_record record = tlsrpt_record_find(arena, row->records, count);
    ck_assert_msg(record.state == row->state, "%s: state %d", row->name, record.state);
    for (size_t i = 0; i < record.endpoint_count; i++) {
        const struct tlsrpt_endpoint *e = &record.endpoints[i];
        size_t length = strlen(said);
        if (e->mail != NULL)
            snprintf(said + length, sizeof said - length, "%s%s", i > 0 ? " " : "", e->mail);
        else
            snprintf(said + length, sizeof said - length, "%s%s:%u", i > 0 ? " " : "", e->host, e->port);
    }
    ck_assert_msg(strcmp(said, row->endpoints) == 0, "%s: '%s'", row->name, said);
    ck_assert((record.state == TLSRPT_RECORD_VALID) == (record.why == NULL));
    arena_free(&arena);
}
END_TEST

START_TEST(endpoints_have_a_bound)
{
    struct arena *arena = arena_new("test");
    char *text = arena_printf(arena, V "rua=mailto:a@b.example");
    for (int i = 0; i < 100; i++)
        text = arena_printf(arena, "%s,mailto:a%d@b.example", text, i);
    const char *records[] = {text};
    ck_assert_uint_eq(tlsrpt_record_find(arena, records, 1).endpoint_count, TLSRPT_ENDPOINTS_MAX);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(tlsrpt_record)
{
    TEST_LOOP(records_are_read, COUNT(rows));
    TEST(endpoints_have_a_bound);
}
