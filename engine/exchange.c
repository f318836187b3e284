/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/exchange.h"

#include <stdlib.h>
#include <string.h>

/* ---- properties that have a setting ---- */

enum form { FORM_TEXT, FORM_TEXTS, FORM_BOOL, FORM_WORD, FORM_ROUTE /* UseMXRecord */ };

/* Their words, in the order of ours; NULL: null. */
static const char *const their_types[] = {NULL, "Partner", "OnPremises"};
static const char *const their_dane[] = {"Opportunistic", "Mandatory", "None"};
static const char *const their_sts[] = {"Opportunistic", "None"}; /* mandatory is ours alone, and written as these */
static const char *const their_tls[] = {NULL, "EncryptionOnly", "CertificateValidation", "DomainValidation"};

struct property {
    const char *name, *key;
    enum form form;
    size_t offset;
    const char *const *ours, *const *theirs;
    size_t word_count;
};
#define PROPERTY(name, key, form, member)                                                                              \
    {                                                                                                                  \
        name, key, FORM_##form, offsetof(struct connector, member), NULL, NULL, 0                                      \
    }
#define WORDS(name, key, member, ours, theirs)                                                                         \
    {                                                                                                                  \
        name, key, FORM_WORD, offsetof(struct connector, member), ours, theirs, COUNT(theirs)                          \
    }
/* clang-format off */
static const struct property properties[] = {
    PROPERTY("Name", "name", TEXT, name),
    PROPERTY("Enabled", "enabled", BOOL, enabled),
    WORDS("ConnectorType", "type", type, connector_type_words, their_types),
    PROPERTY("RecipientDomains", "recipient-domains", TEXTS, recipient_domains),
    PROPERTY("IsTransportRuleScoped", "only-by-rule", BOOL, only_by_rule),
    PROPERTY("AllAcceptedDomains", "all-accepted-domains", BOOL, all_accepted_domains),
    PROPERTY("UseMXRecord", "route", ROUTE, route),
    PROPERTY("SmartHosts", "smart-hosts", TEXTS, smart_hosts),
    WORDS("TlsSettings", "tls", tls, connector_tls_words, their_tls),
    PROPERTY("TlsDomain", "tls-domain", TEXT, tls_domain),
    WORDS("SmtpDaneMode", "smtp-dane", dane, connector_dane_words, their_dane),
    WORDS("MtaStsMode", "mta-sts", mta_sts, connector_sts_words, their_sts),
    PROPERTY("TestMode", "test-mode", BOOL, test_mode),
};
/* clang-format on */

static const struct property *property_named(const char *name)
{
    for (size_t i = 0; i < COUNT(properties); i++)
        if (strcmp(properties[i].name, name) == 0)
            return &properties[i];
    return NULL;
}

/* Of those that are kept, what Set-OutboundConnector takes. */
static bool can_be_set(const char *name)
{
    static const char *const names[] = {"CloudServicesMailEnabled", "Comment",
                                        "ConnectorSource",          "IsValidated",
                                        "LastValidationTimestamp",  "RouteAllMessagesViaOnPremises",
                                        "SenderRewritingEnabled",   "ValidationRecipients"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* ---- in ---- */

struct place {
    size_t record; /* from 1 */
    const char *name;
    const struct property *property;
};

static bool wrong(struct err *err, const struct place *at, const char *what)
{
    return err_set(err, ERR_INPUT, "record %zu (%s): %s %s", at->record, at->name, at->property->name, what);
}

/* JSON's strings are YAML's, in double quotes. */
static void print_json(FILE *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);
    fputs(text != NULL ? text : "null", out);
    free(text);
}

static void print_setting(FILE *out, const char *key, const char *text)
{
    fprintf(out, "    %s: %s\n", key, text);
}

static bool import_word(const struct place *at, const char *word, FILE *out, struct err *err)
{
    const struct property *p = at->property;
    for (size_t i = 0; i < p->word_count; i++)
        if (p->theirs[i] != NULL && strcmp(p->theirs[i], word) == 0) {
            print_setting(out, p->key, p->ours[i]);
            return true;
        }
    return wrong(err, at, "has a value that is not known");
}

/* A list, or what Windows PowerShell makes of one: {"value": [...], "Count": 2}. */
static bool import_texts(const struct place *at, const json_t *value, FILE *out, struct err *err)
{
    const json_t *list = json_is_object(value) ? json_object_get(value, "value") : value;
    size_t i;
    json_t *item;
    if (!json_is_array(list))
        return wrong(err, at, "is no list");
    json_array_foreach(list, i, item) if (!json_is_string(item)) return wrong(err, at,
                                                                              "holds something that is no text");
    fprintf(out, "    %s: ", at->property->key);
    print_json(out, list);
    fputc('\n', out);
    return true;
}

static bool import_property(const struct place *at, const json_t *value, FILE *out, struct err *err)
{
    const char *key = at->property->key;
    switch (at->property->form) {
    case FORM_TEXTS:
        return import_texts(at, value, out, err);
    case FORM_BOOL:
        if (json_is_boolean(value))
            print_setting(out, key, json_is_true(value) ? "yes" : "no");
        return json_is_boolean(value) || wrong(err, at, "is neither true nor false");
    case FORM_ROUTE:
        if (json_is_boolean(value))
            print_setting(out, key, connector_route_words[json_is_true(value) ? ROUTE_MX : ROUTE_SMART_HOSTS]);
        return json_is_boolean(value) || wrong(err, at, "is neither true nor false");
    case FORM_WORD:
        return json_is_string(value) ? import_word(at, json_string_value(value), out, err)
                                     : wrong(err, at, "is no word; ConvertTo-Json -EnumsAsStrings writes words");
    case FORM_TEXT:
        break;
    }
    if (!json_is_string(value))
        return wrong(err, at, "is no text");
    fprintf(out, "    %s: ", key);
    print_json(out, value);
    fputc('\n', out);
    return true;
}

/* What has no setting: as it stands. */
static void import_rest(const json_t *record, FILE *out)
{
    const char *name;
    json_t *value;
    bool any = false;
    json_object_foreach((json_t *)record, name, value)
    {
        if (property_named(name) != NULL)
            continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        json_t *as_text = json_string(text), *key = json_string(name);
        fputs(any ? "      " : "    exchange:\n      ", out);
        print_json(out, key);
        fputs(": ", out);
        print_json(out, as_text);
        fputc('\n', out);
        json_decref(as_text);
        json_decref(key);
        free(text);
        any = true;
    }
}

/* OnPremises alone may have these (see also connector_check()). */
static bool check_partner(const json_t *record, const struct place *at, struct err *err)
{
    static const char *const flags[] = {"RouteAllMessagesViaOnPremises", "SenderRewritingEnabled"};
    const char *type = json_string_value(json_object_get(record, "ConnectorType"));
    for (size_t i = 0; type != NULL && strcmp(type, "Partner") == 0 && i < COUNT(flags); i++)
        if (json_is_true(json_object_get(record, flags[i])))
            return err_set(err, ERR_INPUT, "record %zu (%s): %s is not for ConnectorType Partner", at->record, at->name,
                           flags[i]);
    return true;
}

static bool import_record(const json_t *record, size_t number, FILE *out, struct err *err)
{
    struct place at = {number, json_string_value(json_object_get(record, "Name")), &properties[0]};
    if (at.name == NULL)
        return err_set(err, ERR_INPUT, "record %zu has no Name", number);
    if (!check_partner(record, &at, err))
        return false;
    for (size_t i = 0; i < COUNT(properties); i++) {
        const json_t *value = json_object_get(record, properties[i].name);
        at.property = &properties[i];
        if (i == 0)
            fputs("  - ", out);
        if (i == 0) { /* the name, which begins the map */
            fputs("name: ", out);
            print_json(out, value);
            fputc('\n', out);
        } else if (value != NULL && !json_is_null(value) && !import_property(&at, value, out, err)) {
            return false;
        }
    }
    import_rest(record, out);
    return true;
}

bool exchange_import(const json_t *records, FILE *out, struct err *err)
{
    size_t i;
    json_t *record;
    fputs("connectors:\n", out);
    if (json_is_object(records))
        return import_record(records, 1, out, err);
    if (!json_is_array(records))
        return err_set(err, ERR_INPUT, "neither a record nor a list of records");
    json_array_foreach(records, i, record) if (!import_record(record, i + 1, out, err)) return false;
    return true;
}

/* ---- out ---- */

static const void *member(const struct connector *c, const struct property *p)
{
    return (const char *)c + p->offset;
}

static json_t *texts_value(const struct schema_texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}

static json_t *text_value(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *property_value(const struct connector *c, const struct property *p)
{
    switch (p->form) {
    case FORM_TEXT:
        return text_value(*(const char *const *)member(c, p));
    case FORM_TEXTS:
        return texts_value(member(c, p));
    case FORM_BOOL:
        return json_boolean(*(const bool *)member(c, p));
    case FORM_ROUTE:
        return json_boolean(c->route != ROUTE_SMART_HOSTS && !connector_by_smart_host(c));
    case FORM_WORD:
        break;
    }
    size_t word = (size_t) * (const int *)member(c, p);
    return text_value(p->theirs[word < p->word_count ? word : 0]);
}

json_t *exchange_record(const struct connector *c)
{
    json_t *record = json_object();
    for (size_t i = 0; i < COUNT(properties); i++)
        json_object_set_new(record, properties[i].name, property_value(c, &properties[i]));
    for (size_t i = 0; c->exchange != NULL && i < c->exchange->count; i++) {
        json_t *kept = json_loads(c->exchange->entries[i].value->text, JSON_DECODE_ANY, NULL);
        json_object_set_new(record, c->exchange->entries[i].key, kept != NULL ? kept : json_null());
    }
    return record;
}

/* ---- PowerShell ---- */

/* PowerShell ends such a text at ' and at each of U+2018 to U+201B; two of them are one. */
static size_t quote_length(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] == '\'')
        return 1;
    return c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0x98 && c[2] <= 0x9b ? 3 : 0;
}

static void print_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    while (*text != '\0') {
        size_t quote = quote_length(text), length = quote > 0 ? quote : 1;
        fwrite(text, 1, length, out);
        fwrite(text, 1, quote, out);
        text += length;
    }
    fputc('\'', out);
}

static void print_value(FILE *out, const json_t *value)
{
    size_t i;
    json_t *item;
    if (json_is_string(value))
        print_quoted(out, json_string_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "$true" : "$false", out);
    else if (json_is_array(value) && json_array_size(value) > 0)
        json_array_foreach(value, i, item)
        {
            fputs(i > 0 ? "," : "", out);
            print_value(out, item);
        }
    else if (json_is_null(value) || json_is_array(value))
        fputs("$null", out);
    else
        print_json(out, value);
}

/* As JSON, so that nothing in it ends the line. */
static void print_comment(FILE *out, const char *what, const char *name, const json_t *value)
{
    json_t *pair = json_pack("[s,O]", name, value);
    fprintf(out, "# %s: ", what);
    print_json(out, pair);
    fputc('\n', out);
    json_decref(pair);
}

/* What only we know, and what only Exchange itself writes. */
static void print_comments(FILE *out, const struct connector *c, const json_t *record)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)record, name, value) if (property_named(name) == NULL && !can_be_set(name))
        print_comment(out, "cannot be set", name, value);
    json_t *ours = c->fallback != NULL ? json_string(c->fallback) : NULL;
    if (ours != NULL)
        print_comment(out, "not known to Exchange", "fallback", ours);
    if (c->mta_sts == MTA_STS_MANDATORY)
        fputs("# not known to Exchange: mta-sts mandatory; exported as Opportunistic\n", out);
    json_decref(ours);
}

void exchange_print_command(const struct connector *c, bool is_new, FILE *out)
{
    json_t *record = exchange_record(c), *value;
    const char *name;
    print_comments(out, c, record);
    fputs(is_new ? "New-OutboundConnector -Name " : "Set-OutboundConnector -Identity ", out);
    print_quoted(out, c->name);
    json_object_foreach(record, name, value)
    {
        if (strcmp(name, "Name") == 0 || (property_named(name) == NULL && !can_be_set(name)))
            continue;
        fprintf(out, " -%s ", name);
        print_value(out, value);
    }
    fputc('\n', out);
    json_decref(record);
}

/* ---- findings ---- */

void exchange_check(const struct connector *c, struct diag_list *diags)
{
    const struct tree_node *kept = c->exchange;
    if (kept != NULL && kept->kind != TREE_MAP)
        diag_error(diags, kept->at, "'exchange' is a map of Exchange's properties");
    for (size_t i = 0; kept != NULL && kept->kind == TREE_MAP && i < kept->count; i++) {
        const struct tree_entry *entry = &kept->entries[i];
        json_t *value = entry->value->kind == TREE_TEXT ? json_loads(entry->value->text, JSON_DECODE_ANY, NULL) : NULL;
        if (value == NULL)
            diag_error(diags, entry->value->at, "the value of '%s' is JSON, in quotes: '\"text\"', 'true', '[]'",
                       entry->key);
        const struct property *property = property_named(entry->key);
        if (property != NULL)
            diag_error(diags, entry->at, "'%s' has a setting of its own: '%s'", entry->key, property->key);
        json_decref(value);
    }
}
