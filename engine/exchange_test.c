/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

/* As a tenant shows it, and one of another kind. */
static const char records[] =
    "[{\"Enabled\":true,\"UseMXRecord\":false,\"Comment\":\"to the relay: 'all' of it\\nand more\","
    "\"ConnectorType\":\"OnPremises\",\"ConnectorSource\":\"AdminUI\",\"RecipientDomains\":[],"
    "\"SmartHosts\":[\"smtp-relay.example\",\"192.0.2.0/29\"],\"TlsDomain\":null,\"TlsSettings\":"
    "\"CertificateValidation\",\"IsTransportRuleScoped\":true,\"RouteAllMessagesViaOnPremises\":false,"
    "\"CloudServicesMailEnabled\":true,\"AllAcceptedDomains\":false,\"SenderRewritingEnabled\":false,"
    "\"MtaStsMode\":\"Opportunistic\",\"SmtpDaneMode\":\"Opportunistic\",\"TestMode\":false,"
    "\"ValidationRecipients\":[\"a@b.example\",\"c@d.example\"],\"IsValidated\":false,"
    "\"LastValidationTimestamp\":\"2026-07-01T10:00:00Z\",\"AdminDisplayName\":\"\",\"Name\":\"Relay "
    "\\u201cone\\u201d\","
    "\"Identity\":\"Relay one\",\"WhenChangedUTC\":\"2026-07-24T08:00:00Z\",\"WhenCreatedUTC\":null,"
    "\"Guid\":\"0f0e0d0c-0b0a-0908-0706-050403020100\",\"IsValid\":true,\"ExchangeVersion\":{\"Major\":0,\"Minor\":20},"
    "\"SomethingNew\\nInvoke-Bad\":[1,2.5,null]},"
    "{\"Enabled\":false,\"UseMXRecord\":true,\"ConnectorType\":\"Partner\",\"RecipientDomains\":[\"contoso.com\","
    "\"*.contoso.com\"],\"SmartHosts\":[],\"TlsDomain\":\"*.contoso.com\",\"TlsSettings\":\"DomainValidation\","
    "\"IsTransportRuleScoped\":false,\"AllAcceptedDomains\":false,\"MtaStsMode\":\"None\",\"SmtpDaneMode\":"
    "\"Mandatory\",\"TestMode\":true,\"Name\":\"It\\u2019s strict\"}]";

static char *imported(struct arena *arena, const json_t *list, struct err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool good = exchange_import(list, out, err);
    fclose(out);
    char *kept = good ? arena_strdup(arena, text) : NULL;
    free(text);
    return kept;
}

static struct connector *read_connectors(struct arena *arena, const char *text, size_t *count)
{
    struct diag_list *diags = diag_new(arena);
    const struct tree_node *root = tree_read_text(arena, "imported", text, strlen(text), diags);
    const struct tree_node *list = tree_get(root, "connectors");
    ck_assert_ptr_nonnull(list);
    struct connector *connectors = arena_alloc(arena, list->count * sizeof *connectors);
    for (size_t i = 0; i < list->count; i++)
        schema_read(arena, &connector_schema, list->items[i], &connectors[i], diags);
    connector_check(&(struct routing){.connectors = connectors, .connector_count = list->count}, diags);
    diag_print(diags, stderr);
    ck_assert_uint_eq(diag_errors(diags), 0);
    *count = list->count;
    return connectors;
}

START_TEST(a_round_trip_loses_nothing)
{
    struct arena *arena = arena_new("test");
    struct err err;
    size_t count;
    json_t *list = json_loads(records, 0, NULL);
    ck_assert_ptr_nonnull(list);
    const struct connector *connectors = read_connectors(arena, imported(arena, list, &err), &count);
    ck_assert_uint_eq(count, 2);
    ck_assert(connectors[0].tls == TLS_SETTING_CERTIFICATE_VALIDATION && connectors[0].only_by_rule);
    ck_assert(connectors[1].dane == DANE_MANDATORY && connectors[1].mta_sts == MTA_STS_NONE && !connectors[1].enabled);
    for (size_t i = 0; i < count; i++) {
        json_t *record = exchange_record(&connectors[i]);
        ck_assert_msg(json_equal(record, json_array_get(list, i)), "%s", json_dumps(record, 0));
        json_decref(record);
    }
    json_decref(list);
    arena_free(&arena);
}
END_TEST

static char *command_of(struct arena *arena, const struct connector *c, bool is_new)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    exchange_print_command(c, is_new, out);
    fclose(out);
    char *kept = arena_strdup(arena, text);
    free(text);
    return kept;
}

START_TEST(commands_say_all_that_can_be_set)
{
    struct arena *arena = arena_new("test");
    struct err err;
    size_t count;
    json_t *list = json_loads(records, 0, NULL);
    const struct connector *connectors = read_connectors(arena, imported(arena, list, &err), &count);
    const char *first = command_of(arena, &connectors[0], false), *second = command_of(arena, &connectors[1], true);
    static const char *const wanted[] = {
        "\nSet-OutboundConnector -Identity 'Relay \u201cone\u201d' -Enabled $true -ConnectorType 'OnPremises'",
        " -RecipientDomains $null",
        " -UseMXRecord $false",
        " -SmartHosts 'smtp-relay.example','192.0.2.0/29'",
        " -TlsSettings 'CertificateValidation' -TlsDomain $null -SmtpDaneMode 'Opportunistic'",
        " -Comment 'to the relay: ''all'' of it\nand more'",
        " -ValidationRecipients 'a@b.example','c@d.example'",
        "# cannot be set: [\"SomethingNew\\nInvoke-Bad\",[1,2.5,null]]\n",
        "# cannot be set: [\"Guid\",",
    };
    for (size_t i = 0; i < COUNT(wanted); i++)
        ck_assert_msg(strstr(first, wanted[i]) != NULL, "%s\nis not in\n%s", wanted[i], first);
    ck_assert_ptr_null(strstr(first, "-Guid"));
    ck_assert_str_eq(second,
                     "New-OutboundConnector -Name 'It\u2019\u2019s strict' -Enabled $false -ConnectorType 'Partner'"
                     " -RecipientDomains 'contoso.com','*.contoso.com' -IsTransportRuleScoped $false"
                     " -AllAcceptedDomains $false -UseMXRecord $true -SmartHosts $null"
                     " -TlsSettings 'DomainValidation' -TlsDomain '*.contoso.com' -SmtpDaneMode 'Mandatory'"
                     " -MtaStsMode 'None' -TestMode $true\n");
    json_decref(list);
    arena_free(&arena);
}
END_TEST

/* clang-format off */
static const struct { const char *name, *json, *why; } refusals[] = {
    {"no record",              "7",                                                  "neither a record nor"},
    {"no name",                "[{}]",                                               "record 1 has no Name"},
    {"a mode of another day",  "{\"Name\":\"a\",\"SmtpDaneMode\":\"Strict\"}",        "record 1 (a): SmtpDaneMode"},
    {"a word as number",       "{\"Name\":\"a\",\"MtaStsMode\":1}",                   "-EnumsAsStrings"},
    {"a switch as text",       "{\"Name\":\"a\",\"Enabled\":\"true\"}",               "Enabled is neither true"},
    {"a list of what not",     "{\"Name\":\"a\",\"SmartHosts\":[{}]}",                "SmartHosts holds something"},
    {"a text that is none",    "[{\"Name\":\"a\"},{\"Name\":\"b\",\"TlsDomain\":[]}]", "record 2 (b): TlsDomain is no"},
    {"a flag of OnPremises",   "{\"Name\":\"a\",\"ConnectorType\":\"Partner\",\"SenderRewritingEnabled\":true}",
     "SenderRewritingEnabled is not for ConnectorType Partner"},
};
/* clang-format on */

START_TEST(what_is_not_understood_is_refused_with_its_place)
{
    struct arena *arena = arena_new("test");
    struct err err = {0};
    json_t *list = json_loads(refusals[_i].json, JSON_DECODE_ANY, NULL);
    ck_assert_ptr_null(imported(arena, list, &err));
    ck_assert_msg(strstr(err.text, refusals[_i].why) != NULL, "%s: %s", refusals[_i].name, err.text);
    json_decref(list);
    arena_free(&arena);
}
END_TEST

START_TEST(a_list_of_windows_powershell_is_a_list)
{
    struct arena *arena = arena_new("test");
    struct err err;
    json_t *list = json_loads("{\"Name\":\"a\",\"RecipientDomains\":{\"value\":[\"x.example\"],\"Count\":1}}", 0, NULL);
    ck_assert_ptr_nonnull(strstr(imported(arena, list, &err), "recipient-domains: [\"x.example\"]"));
    json_decref(list);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(exchange)
{
    TEST(a_round_trip_loses_nothing);
    TEST(commands_say_all_that_can_be_set);
    TEST_LOOP(what_is_not_understood_is_refused_with_its_place, COUNT(refusals));
    TEST(a_list_of_windows_powershell_is_a_list);
}
