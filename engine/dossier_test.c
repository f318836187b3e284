/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dossier.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

/* A domain whose every text is an attack on whoever opens the sheet. */
static struct posture hostile_posture(struct survey *survey, struct mx_facts *mx, struct sts_facts *sts)
{
    static const char attack[] = "<script>\x1b[31m&\"";
    struct posture posture = {.domain = "partner.example", .now = 1000000000, .fresh = sts};
    *mx = (struct mx_facts){.state = MX_LOOKUP_FAILED, .trust = TRUST_BOGUS, .why = attack};
    *sts = (struct sts_facts){.failure = "sts-policy-invalid", .why = attack};
    *survey = (struct survey){.hop = "partner.example", .mx = mx};
    survey->no_host = (struct failure){.cause = CAUSE_DNS_FAILED, .text = attack};
    for (int dane = 0; dane < POSTURE_DANE_MODES; dane++)
        for (int mode = 0; mode < POSTURE_STS_MODES; mode++)
            posture.modes[dane][mode] = survey;
    return posture;
}

static const struct {
    const char *name;
    void (*print)(FILE *out, struct arena *arena, const struct posture *posture);
    const char *never[3], *wanted;
} cases[] = {
    {"text", dossier_print_text, {"\x1b"}, "Something is broken"},
    {"HTML", dossier_print_html, {"\x1b", "<script>"}, "&#60;script&#62;"},
};

START_TEST(what_peers_say_is_escaped)
{
    struct arena *arena = arena_new("test");
    struct survey survey;
    struct mx_facts mx;
    struct sts_facts sts;
    struct posture posture = hostile_posture(&survey, &mx, &sts);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ck_assert(out != NULL);
    cases[_i].print(out, arena, &posture);
    fclose(out);
    ck_assert_msg(strstr(text, cases[_i].wanted) != NULL, "%s: %s", cases[_i].name, text);
    for (size_t i = 0; cases[_i].never[i] != NULL; i++)
        ck_assert_msg(strstr(text, cases[_i].never[i]) == NULL, "%s: %s", cases[_i].name, text);
    free(text);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(dossier)
{
    TEST_LOOP(what_peers_say_is_escaped, COUNT(cases));
}
