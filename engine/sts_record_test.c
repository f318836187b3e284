/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts_record.h"

#include <string.h>

#include "base/testing.h"

#define ID_32 "abcdefghijklmnopqrstuvwxyz012345"

static const struct {
    const char *name, *records[4];
    enum sts_record_state state;
    const char *id;
} cases[] = {
    {"nothing there (P1)", {NULL}, STS_RECORD_NONE, ""},
    {"plain", {"v=STSv1; id=20260101"}, STS_RECORD_VALID, "20260101"},
    {"trailing semicolon (P7)", {"v=STSv1; id=a1;"}, STS_RECORD_VALID, "a1"},
    {"trailing semicolon and blanks", {"v=STSv1; id=a1 ; "}, STS_RECORD_VALID, "a1"},
    {"no blanks", {"v=STSv1;id=a1"}, STS_RECORD_VALID, "a1"},
    {"tabs", {"v=STSv1;\tid=a1\t;"}, STS_RECORD_VALID, "a1"},
    {"extra fields (P7)", {"v=STSv1; x=y; id=a1; other.field-1_=</>"}, STS_RECORD_VALID, "a1"},
    {"first of two ids (P7)", {"v=STSv1; id=a1; id=b2"}, STS_RECORD_VALID, "a1"},
    {"longest id", {"v=STSv1; id=" ID_32}, STS_RECORD_VALID, ID_32},
    {"unrelated TXT beside it (P4)",
     {"v=spf1 -all", "v=STSv1; id=a1", "google-site-verification=x"},
     STS_RECORD_VALID,
     "a1"},
    {"another version beside it", {"v=STSv2; id=b2", "v=STSv1; id=a1"}, STS_RECORD_VALID, "a1"},
    {"two records (P3)", {"v=STSv1; id=a1", "v=STSv1; id=b2"}, STS_RECORD_SEVERAL, ""},
    {"two identical records (P3)", {"v=STSv1; id=a1", "v=STSv1; id=a1"}, STS_RECORD_SEVERAL, ""},
    {"two, one of them malformed: filtered first", {"v=STSv1; id=a1", "v=STSv1;"}, STS_RECORD_SEVERAL, ""},
    {"no id (P5)", {"v=STSv1;"}, STS_RECORD_INVALID, ""},
    {"no id but a field", {"v=STSv1; x=y"}, STS_RECORD_INVALID, ""},
    {"empty id (P5)", {"v=STSv1; id="}, STS_RECORD_INVALID, ""},
    {"hyphen in the id (P5)", {"v=STSv1; id=2026-01-01"}, STS_RECORD_INVALID, ""},
    {"id too long (P5)", {"v=STSv1; id=" ID_32 "6"}, STS_RECORD_INVALID, ""},
    {"value with = (P5)", {"v=STSv1; id=a1; x=a=b"}, STS_RECORD_INVALID, ""},
    {"empty field", {"v=STSv1;; id=a1"}, STS_RECORD_INVALID, ""},
    {"blank in a value", {"v=STSv1; id=a1 b"}, STS_RECORD_INVALID, ""},
    {"blank around =", {"v=STSv1; id = a1"}, STS_RECORD_INVALID, ""},
    {"octets above 7 bits", {"v=STSv1; id=a1; x=\xc3\xbc"}, STS_RECORD_INVALID, ""},
    {"a former NUL", {"v=STSv1; id=a1\x01"}, STS_RECORD_INVALID, ""},
    {"ID is not id", {"v=STSv1; ID=a1"}, STS_RECORD_INVALID, ""},
    {"name of a field too long", {"v=STSv1; id=a1; " ID_32 "6=x"}, STS_RECORD_INVALID, ""},
    {"version 2 (P5)", {"v=STSv2; id=a1"}, STS_RECORD_NONE, ""},
    {"version 10", {"v=STSv10; id=a1"}, STS_RECORD_NONE, ""},
    {"V (P5)", {"V=STSv1; id=a1"}, STS_RECORD_NONE, ""},
    {"lower case version (P5)", {"v=stsv1; id=a1"}, STS_RECORD_NONE, ""},
    {"id before v (P5)", {"id=a1; v=STSv1;"}, STS_RECORD_NONE, ""},
    {"blank before the semicolon (P6)", {"v=STSv1 ; id=a1"}, STS_RECORD_NONE, ""},
    {"blank in front", {" v=STSv1; id=a1"}, STS_RECORD_NONE, ""},
    {"version alone", {"v=STSv1"}, STS_RECORD_NONE, ""},
};

START_TEST(the_record_is_found)
{
    size_t count = 0;
    while (cases[_i].records[count] != NULL)
        count++;
    struct sts_record got = sts_record_find(cases[_i].records, count);
    ck_assert_msg(got.state == cases[_i].state, "%s: state %d", cases[_i].name, got.state);
    if (got.state == STS_RECORD_VALID)
        ck_assert_msg(strcmp(got.id, cases[_i].id) == 0, "%s: id %s", cases[_i].name, got.id);
    else
        ck_assert_msg(got.why != NULL, "%s: no reason given", cases[_i].name);
}
END_TEST

TEST_SUITE(sts_record)
{
    TEST_LOOP(the_record_is_found, COUNT(cases));
}
