/* SPDX-License-Identifier: BSD-2-Clause
 * What a TLS client must think, by rows: the words of a scenario, and the lines that are claimed of a host. */
#include "harness/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static const struct {
    const char *name;
    const char *host;    /* what stands in the braces of mx1.partner.example */
    const char *claimed; /* lines of it, all of those about tls, dane and pkix */
} rows[] = {
    {"a sound host", "tlsa: [3 1 1]", "tls shown any; pkix ok; dane match 3 1 1"},
    {"no records", "address: v6", "tls shown any; pkix ok"},
    {"another key", "tlsa: [3 1 1 of other-key]", "tls shown any; pkix ok; dane mismatch 3 1 1 of other-key"},
    {"one of two", "tlsa: [3 1 1 of other-key, 3 1 1]",
     "tls shown any; pkix ok; dane match 3 1 1 of other-key\\; 3 1 1"},
    {"the stronger digest is of another key", "tlsa: [3 1 1, 3 1 2 of other-key]",
     "tls shown any; pkix ok; dane mismatch 3 1 1\\; 3 1 2 of other-key"},
    {"the stronger digest is for another selector", "tlsa: [3 1 1, 3 0 2 of other-key]",
     "tls shown any; pkix ok; dane match 3 1 1\\; 3 0 2 of other-key"},
    {"full data is never outdone", "tlsa: [3 1 0, 3 1 2 of other-key]",
     "tls shown any; pkix ok; dane match 3 1 0\\; 3 1 2 of other-key"},
    {"a key that outlives its certificate", "tlsa: [3 1 1 of renewed]",
     "tls shown any; pkix ok; dane match 3 1 1 of renewed"},
    {"a certificate that was renewed", "tlsa: [3 0 1 of renewed]",
     "tls shown any; pkix ok; dane mismatch 3 0 1 of renewed"},
    {"PKIX usages", "tlsa: [0 1 1, 1 1 1]", "tls shown any; pkix ok; dane unusable 0 1 1\\; 1 1 1"},
    {"a digest too short", "tlsa: [3 1 1 0011]", "tls shown any; pkix ok; dane unusable 3 1 1 0011"},
    {"an unknown matching type", "tlsa: [3 1 3 0011]", "tls shown any; pkix ok; dane unusable 3 1 3 0011"},
    {"dates do not matter under DANE-EE", "tlsa: [3 1 1], certificate: expired",
     "tls shown any; pkix expired; dane match 3 1 1"},
    {"names do not matter under DANE-EE", "tlsa: [3 1 1], certificate: no-names",
     "tls shown any; pkix wrong-name; dane match 3 1 1"},
    {"an anchor that is shown", "tlsa: [2 0 1 of root], certificate: {issuer: private-root, chain: with-root}",
     "tls shown any; pkix untrusted; dane match 2 0 1 of root"},
    {"an anchor that is not shown", "tlsa: [2 0 1 of root], certificate: {issuer: private-root}",
     "tls shown any; pkix untrusted; dane mismatch 2 0 1 of root"},
    {"an anchor that stands in DNS", "tlsa: [2 0 0 of root], certificate: {issuer: private-root}",
     "tls shown any; pkix untrusted; dane match 2 0 0 of root"},
    {"an intermediate as anchor", "tlsa: [2 1 1 of intermediate]",
     "tls shown any; pkix ok; dane match 2 1 1 of intermediate"},
    {"an intermediate that is not shown", "tlsa: [2 1 1 of intermediate], certificate: missing-intermediate",
     "tls shown any; pkix untrusted; dane mismatch 2 1 1 of intermediate"},
    {"dates matter under DANE-TA", "tlsa: [2 1 1 of intermediate], certificate: expired",
     "tls shown any; pkix expired; dane mismatch 2 1 1 of intermediate"},
    {"names matter under DANE-TA", "tlsa: [2 1 1 of intermediate], certificate: {names: [elsewhere.example]}",
     "tls shown any; pkix wrong-name; dane mismatch 2 1 1 of intermediate"},
    {"the domain's name will do under DANE-TA",
     "tlsa: [2 1 1 of intermediate], certificate: {names: [partner.example]}",
     "tls shown any; pkix wrong-name; dane match 2 1 1 of intermediate"},
    {"a wildcard", "certificate: wildcard", "tls shown any; pkix ok"},
    {"a wildcard of one label too many", "certificate: {names: ['*.mx1.partner.example']}",
     "tls shown any; pkix wrong-name"},
    {"a name in the subject alone", "certificate: cn-only", "tls shown any; pkix cn-only"},
    {"everything at once", "certificate: {issuer: unknown-root, dates: not-yet-valid, names: [elsewhere.example]}",
     "tls shown any; pkix untrusted+not-yet-valid+wrong-name"},
    {"a stolen certificate", "certificate: {flaw: stolen}", "tls none certificate"},
    {"no suites but anonymous ones", "smtp: {ciphers: anonymous}", "tls none ciphers anonymous"},
    {"no certificate", "certificate: none", "tls none certificate"},
    {"STARTTLS that breaks", "smtp: {starttls: broken}, tlsa: [3 1 1]", "tls none starttls broken"},
    {"STARTTLS that is never answered", "smtp: {starttls: stall}", "tls silent starttls stall"},
    {"a greeting that refuses", "smtp: {greeting: 554 no}", "tls none greeting 554 no"},
    {"a reply that refuses later", "smtp: {rcpt: 550 no}", "tls shown any rcpt; pkix ok"},
    {"STARTTLS left out of an answer", "smtp: {ehlo: 250 mx1}", "tls shown any ehlo; pkix ok"},
    {"STARTTLS left out of one answer", "smtp: {ehlo: {reply: 250 mx1, nth: 1}}", ""},
    {"another certificate for the name that is asked for",
     "certificate: unknown-root, sni: {mx1.partner.example: trusted}", "tls shown any sni; pkix ok"},
    {"one version", "smtp: {tls-versions: tls1.2-only}", "tls shown TLSv1.2 tls-versions; pkix ok"},
};

static const struct {
    const char *name;
    const char *domain, *host; /* in the braces of partner.example and mta-sts.partner.example */
    const char *claimed;
} web_rows[] = {
    {"a sound host", "mta-sts: enforce", "", "pkix ok; https ok"},
    {"another certificate", "mta-sts: enforce", "certificate: expired", "pkix expired; https ok"},
    {"a status", "mta-sts: enforce", "https: {status: 500}", "pkix ok; https 500"},
    {"a redirect", "mta-sts: enforce", "https: {location: 'https://elsewhere.example/'}", "pkix ok; https 301"},
    {"no policy", "", "https: ok", "pkix ok; https 404"},
    {"a body cut short", "mta-sts: enforce", "https: {body: half}", "pkix ok; https cut half"},
    {"a body without end", "mta-sts: enforce", "https: {body: endless}", "pkix ok; https large endless"},
    {"garbage in the place of TLS", "mta-sts: enforce", "https: garbage", "https broken garbage"},
    {"a request never answered", "mta-sts: enforce", "https: {body: silent}", "https silent silent"},
    {"trouble with a later request", "mta-sts: enforce", "https: {status: 500, nth: 2}", "pkix ok; https ok"},
};

/* The claims about what a host shows, joined; semicolons within escaped. */
static const char *lines_about(struct arena *arena, const struct claims *claims, const char *host)
{
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = &claims->items[i];
        bool other = strcmp(claim->about, "address") == 0 || strcmp(claim->about, "reference") == 0;
        if (strcmp(claim->name, host) != 0 || other)
            continue;
        text = arena_printf(arena, "%s%s%s %s", text, text[0] != '\0' ? "; " : "", claim->about, claim->says);
        bool label = strcmp(claim->about, "pkix") == 0; /* repeats the row's words */
        for (const char *at = claim->more != NULL && !label ? claim->more : "", *space = " "; *at != '\0';
             at++, space = "")
            text = arena_printf(arena, "%s%s%s%c", text, space, *at == ';' ? "\\" : "", *at);
    }
    return text;
}

static void check_world(const char *name, const char *world, const char *host, const char *claimed)
{
    struct err err = {.kind = ERR_NONE};
    struct arena *arena = arena_new("test");
    const char *text =
        arena_printf(arena, "says: x\nworld:\n%ssend: {to: a@partner.example}\nexpect: {message: delivered}\n", world);
    struct corpus *corpus = corpus_read_text(NULL, "t", text, strlen(text));
    diag_print(corpus->diags, stderr);
    ck_assert_uint_eq(corpus->count, 1);
    struct plan_pki *pki = plan_pki_new(NULL, &err);
    const struct scenario *scenario = corpus->items[0];
    struct plan *plan = plan_build(scenario, scenario->steps[0].world, PLAN_NET_LAB, pki, NULL, corpus->diags, &err);
    ck_assert_msg(plan != NULL, "%s: %s", name, err.text);
    struct claims claims = {0};
    claims_tls(arena, plan, &claims);
    const char *lines = lines_about(arena, &claims, host);
    ck_assert_msg(strcmp(lines, claimed) == 0, "%s: '%s', not '%s'", name, lines, claimed);
    plan_free(&plan);
    plan_pki_free(&pki);
    corpus_free(&corpus);
    arena_free(&arena);
}

START_TEST(a_host_is_claimed_to_be_what_it_is_said_to_be)
{
    struct arena *arena = arena_new("test");
    const char *world =
        arena_printf(arena, "  partner.example: {mx: [mx1.partner.example]}\n  mx1.partner.example: {%s}\n",
                     rows[_i].host);
    check_world(rows[_i].name, world, "mx1.partner.example", rows[_i].claimed);
    arena_free(&arena);
}
END_TEST

START_TEST(a_policy_host_is_claimed_to_be_what_it_is_said_to_be)
{
    struct arena *arena = arena_new("test");
    const char *world = arena_printf(arena, "  partner.example: {%s}\n  mta-sts.partner.example: {%s}\n",
                                     web_rows[_i].domain, web_rows[_i].host);
    check_world(web_rows[_i].name, world, "mta-sts.partner.example", web_rows[_i].claimed);
    arena_free(&arena);
}
END_TEST

START_TEST(records_at_an_alias_are_about_the_host_behind_it)
{
    check_world("an alias",
                "  partner.example: {mx: [mail.partner.example]}\n"
                "  mail.partner.example: {cname: mx1.partner.example, tlsa: [3 1 1 of mx1.partner.example]}\n"
                "  mx1.partner.example: {}\n",
                "mail.partner.example", "dane match 3 1 1 of mx1.partner.example");
}
END_TEST

TEST_SUITE(claims_tls)
{
    TEST_LOOP(a_host_is_claimed_to_be_what_it_is_said_to_be, COUNT(rows));
    TEST_LOOP(a_policy_host_is_claimed_to_be_what_it_is_said_to_be, COUNT(web_rows));
    TEST(records_at_an_alias_are_about_the_host_behind_it);
}
