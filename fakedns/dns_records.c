/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_records.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MAX = 200, RDATA_MAX = 60000 };

struct token {
    const char *text; /* as written, quotes included */
    size_t length;
    struct dns_place at;
};

/* One record or directive; more than one line of text when there are parentheses. */
struct entry {
    bool blank_first; /* no owner: the one before holds */
    struct token tokens[TOKENS_MAX];
    size_t count;
};

struct reading {
    struct arena *arena;
    const struct dns_records_reader *reader;
    const char *at, *line_begin;
    unsigned line;
    ldns_rdf *origin, *previous; /* heap: ldns replaces the second */
    uint32_t ttl;
    size_t records;
};

static bool wrong(struct reading *r, struct dns_place at, const char *fmt, ...) PRINTF_LIKE(3, 4);
static bool wrong(struct reading *r, struct dns_place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    r->reader->wrong(r->reader->arg, at, arena_vprintf(r->arena, fmt, args));
    va_end(args);
    return false;
}

/* --- text to tokens --- */

static struct dns_place here(const struct reading *r)
{
    return (struct dns_place){r->line, (unsigned)(r->at - r->line_begin) + 1, 1};
}

static void next_line(struct reading *r)
{
    r->at++;
    r->line++;
    r->line_begin = r->at;
}

static void skip_comment(struct reading *r)
{
    while (*r->at != '\0' && *r->at != '\n')
        r->at++;
}

static void skip_escaped(struct reading *r)
{
    r->at++;
    if (*r->at != '\0' && *r->at != '\n')
        r->at++;
}

static bool read_token(struct reading *r, struct token *token)
{
    token->at = here(r);
    token->text = r->at;
    bool quoted = *r->at == '"';
    if (quoted)
        r->at++;
    while (*r->at != '\0' && *r->at != '\n' && (quoted ? *r->at != '"' : strchr(" \t\r();\"", *r->at) == NULL))
        if (*r->at == '\\')
            skip_escaped(r);
        else
            r->at++;
    if (quoted && *r->at != '"')
        return wrong(r, token->at, "this quotation mark is not closed on its line");
    r->at += quoted;
    token->length = (size_t)(r->at - token->text);
    token->at.length = (unsigned)token->length;
    return true;
}

/* False: a mistake, already told; the entry's rest has been skipped. */
static bool read_entry(struct reading *r, struct entry *entry)
{
    struct dns_place opened = {0, 0, 0};
    unsigned depth = 0;
    bool good = true;
    entry->count = 0;
    entry->blank_first = *r->at == ' ' || *r->at == '\t';
    for (;;) {
        if (*r->at == '\0' || (*r->at == '\n' && depth == 0))
            break;
        if (*r->at == '\n')
            next_line(r);
        else if (strchr(" \t\r", *r->at) != NULL)
            r->at++;
        else if (*r->at == ';')
            skip_comment(r);
        else if (*r->at == '(') {
            opened = here(r);
            depth++;
            r->at++;
        } else if (*r->at == ')') {
            if (depth == 0)
                good = wrong(r, here(r), "')' without '('");
            else
                depth--;
            r->at++;
        } else {
            struct token spare;
            bool room = entry->count < TOKENS_MAX;
            if (!room && good)
                good = wrong(r, here(r), "more than %d fields in one record", TOKENS_MAX);
            good = read_token(r, room ? &entry->tokens[entry->count++] : &spare) && good;
        }
    }
    if (depth > 0)
        good = wrong(r, opened, "'(' is never closed");
    if (*r->at == '\n')
        next_line(r);
    return good;
}

static char *token_text(struct reading *r, const struct token *token)
{
    return arena_strndup(r->arena, token->text, token->length);
}

static bool token_is(const struct token *token, const char *word)
{
    return token->length == strlen(word) && strncasecmp(token->text, word, token->length) == 0;
}

/* --- fields, by their kind --- */

static bool is_number(const char *text, uint64_t most)
{
    uint64_t value = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (!isdigit((unsigned char)*c))
            return false;
        value = value * 10 + (uint64_t)(*c - '0');
        if (value > most)
            return false;
    }
    return text[0] != '\0';
}

static const char *bad_int8(const char *text)
{
    return is_number(text, UINT8_MAX) ? NULL : "a number from 0 to 255";
}
static const char *bad_int16(const char *text)
{
    return is_number(text, UINT16_MAX) ? NULL : "a number from 0 to 65535";
}
static const char *bad_int32(const char *text)
{
    return is_number(text, UINT32_MAX) ? NULL : "a number of 32 bits";
}

static const char *bad_a(const char *text)
{
    struct in_addr to;
    return inet_pton(AF_INET, text, &to) == 1 ? NULL : "an IPv4 address";
}

static const char *bad_aaaa(const char *text)
{
    struct in6_addr to;
    return inet_pton(AF_INET6, text, &to) == 1 ? NULL : "an IPv6 address";
}

static const char *bad_name(const char *text)
{
    if (strcmp(text, "@") == 0)
        return NULL;
    ldns_rdf *name = ldns_dname_new_frm_str(text);
    bool good = name != NULL && ldns_rdf_size(name) <= DNS_NAME_MAX;
    ldns_rdf_deep_free(name);
    return good ? NULL : "a domain name";
}

static const char *bad_hex(const char *text)
{
    size_t length = strlen(text);
    return length % 2 == 0 && length > 0 && strspn(text, "0123456789abcdefABCDEF") == length
               ? NULL
               : "an even number of hexadecimal digits";
}

static const char *bad_base64(const char *text)
{
    size_t length = strlen(text), inside = strcspn(text, "=");
    bool good = length % 4 == 0 && length > 0 && length - inside <= 2 &&
                strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == inside &&
                strspn(text + inside, "=") == length - inside;
    return good ? NULL : "base64";
}

static const char *bad_string(const char *text)
{
    size_t bytes = 0;
    for (const char *c = text; *c != '\0'; c++, bytes++)
        if (*c == '\\' && c[1] != '\0')
            c += isdigit((unsigned char)c[1]) && isdigit((unsigned char)c[2]) && isdigit((unsigned char)c[3]) ? 3 : 1;
    bytes -= text[0] == '"' ? 2 : 0;
    return bytes <= 255 ? NULL : "a string of at most 255 bytes (write more strings side by side)";
}

static const char *bad_tag(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= 15 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == length ? NULL
                                                                                                        : "a tag";
}

static const char *bad_long_string(const char *text)
{
    return strlen(text) <= RDATA_MAX ? NULL : "a string";
}

/* Types with fields of other kinds are taken as bytes only: what ldns does with rare ones cannot be relied on. */
/* clang-format off */
static const struct {
    ldns_rdf_type kind;
    const char *(*bad)(const char *text);   /* NULL: fine; or what it should be */
    bool takes_rest;                        /* as the last field, its text may hold blanks */
} kinds[] = {
    {LDNS_RDF_TYPE_INT8,              bad_int8,        false},
    {LDNS_RDF_TYPE_CERTIFICATE_USAGE, bad_int8,        false},
    {LDNS_RDF_TYPE_SELECTOR,          bad_int8,        false},
    {LDNS_RDF_TYPE_MATCHING_TYPE,     bad_int8,        false},
    {LDNS_RDF_TYPE_ALG,               bad_int8,        false},
    {LDNS_RDF_TYPE_INT16,             bad_int16,       false},
    {LDNS_RDF_TYPE_INT32,             bad_int32,       false},
    {LDNS_RDF_TYPE_PERIOD,            bad_int32,       false},
    {LDNS_RDF_TYPE_A,                 bad_a,           false},
    {LDNS_RDF_TYPE_AAAA,              bad_aaaa,        false},
    {LDNS_RDF_TYPE_DNAME,             bad_name,        false},
    {LDNS_RDF_TYPE_STR,               bad_string,      false},
    {LDNS_RDF_TYPE_TAG,               bad_tag,         false},
    {LDNS_RDF_TYPE_LONG_STR,          bad_long_string, false},
    {LDNS_RDF_TYPE_HEX,               bad_hex,         true},
    {LDNS_RDF_TYPE_B64,               bad_base64,      true},
};
/* clang-format on */

static bool kind_takes_rest(ldns_rdf_type kind)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].takes_rest;
    return false;
}

static bool check_field(struct reading *r, ldns_rdf_type kind, const struct token *token, const char *text)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].kind == kind) {
            const char *wanted = kinds[i].bad(text);
            return wanted == NULL || wrong(r, token->at, "'%.60s' is not %s", text, wanted);
        }
    return wrong(r, token->at, "records of this type are taken only as bytes: \\# length hexadecimal");
}

static char *join(struct reading *r, const struct token *tokens, size_t count, const char *between)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += tokens[i].length + strlen(between);
    char *text = arena_alloc(r->arena, room), *end = text;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            end = stpcpy(end, between);
        memcpy(end, tokens[i].text, tokens[i].length);
        end += tokens[i].length;
    }
    return text;
}

/* Every field of the rdata, against what the type wants. */
static bool check_rdata(struct reading *r, ldns_rr_type type, const struct token *name, const struct token *rdata,
                        size_t count)
{
    if (count > 0 && token_is(&rdata[0], "\\#"))
        return true;
    const ldns_rr_descriptor *wants = ldns_rr_descript(type);
    size_t least = ldns_rr_descriptor_minimum(wants), most = ldns_rr_descriptor_maximum(wants);
    if (count < least)
        return wrong(r, name->at, "%.*s needs %zu fields, here are %zu", (int)name->length, name->text, least, count);
    for (size_t i = 0; i < count; i++) {
        if (i >= most)
            return wrong(r, rdata[i].at, "nothing may follow here: %.*s has at most %zu fields", (int)name->length,
                         name->text, most);
        ldns_rdf_type kind = ldns_rr_descriptor_field_type(wants, i);
        if (i + 1 == most && kind_takes_rest(kind))
            return check_field(r, kind, &rdata[i], join(r, rdata + i, count - i, ""));
        if (!check_field(r, kind, &rdata[i], token_text(r, &rdata[i])))
            return false;
    }
    return true;
}

/* --- records and directives --- */

static bool ttl_of(const char *text, uint32_t *ttl)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    const char *end;
    uint32_t value = ldns_str2period(text, &end);
    if (*end != '\0' || value > INT32_MAX || (strlen(text) > 10 && is_number(text, UINT64_MAX / 16)))
        return false;
    *ttl = value;
    return true;
}

static bool set_origin(struct reading *r, const struct token *token)
{
    const char *text = token_text(r, token);
    if (bad_name(text) != NULL)
        return wrong(r, token->at, "'%.60s' is not a domain name", text);
    ldns_rdf *name = ldns_dname_new_frm_str(text);
    if (text[strlen(text) - 1] != '.')
        ldns_dname_cat(name, r->origin);
    if (ldns_rdf_size(name) > DNS_NAME_MAX) {
        ldns_rdf_deep_free(name);
        return wrong(r, token->at, "this name is too long");
    }
    ldns_rdf_deep_free(r->origin);
    r->origin = name;
    return true;
}

static bool read_directive(struct reading *r, const struct entry *entry)
{
    const struct token *word = &entry->tokens[0];
    if (entry->count != 2)
        return wrong(r, word->at, "a directive is followed by one word");
    if (token_is(word, "$ORIGIN"))
        return set_origin(r, &entry->tokens[1]);
    if (!token_is(word, "$TTL"))
        return wrong(r, word->at, "only $ORIGIN and $TTL are known here");
    return ttl_of(token_text(r, &entry->tokens[1]), &r->ttl) || wrong(r, entry->tokens[1].at, "this is no TTL");
}

/* Owner, TTL and class are taken off; returns where the type stands, or entry->count. */
static size_t skip_to_type(struct reading *r, const struct entry *entry, uint32_t *ttl)
{
    size_t i = entry->blank_first ? 0 : 1;
    for (unsigned words = 0; i < entry->count && words < 2; words++)
        if (token_is(&entry->tokens[i], "IN") || ttl_of(token_text(r, &entry->tokens[i]), ttl))
            i++;
    return i;
}

static bool make_record(struct reading *r, const struct entry *entry, size_t type_at, uint32_t ttl, ldns_rr **rr)
{
    const struct token *type = &entry->tokens[type_at];
    const char *owner = entry->blank_first ? "" : token_text(r, &entry->tokens[0]);
    const char *rdata = join(r, entry->tokens + type_at + 1, entry->count - type_at - 1, " ");
    if (strlen(rdata) > RDATA_MAX)
        return wrong(r, type->at, "this record is too long");
    const char *text = arena_printf(r->arena, "%s %u IN %.*s %s", owner, ttl, (int)type->length, type->text, rdata);
    ldns_status status = ldns_rr_new_frm_str(rr, text, r->ttl, r->origin, &r->previous);
    return status == LDNS_STATUS_OK || wrong(r, type->at, "no %.*s record can be made of this: %s", (int)type->length,
                                             type->text, ldns_get_errorstr_by_id(status));
}

static bool read_record(struct reading *r, const struct entry *entry)
{
    const struct token *first = &entry->tokens[0];
    if (!entry->blank_first && bad_name(token_text(r, first)) != NULL)
        return wrong(r, first->at, "'%.*s' is not a domain name", (int)first->length, first->text);
    uint32_t ttl = r->ttl;
    size_t i = skip_to_type(r, entry, &ttl);
    if (i >= entry->count)
        return wrong(r, first->at, "a record has an owner, a type and its data");
    const struct token *word = &entry->tokens[i];
    ldns_rr_type type = ldns_get_rr_type_by_name(token_text(r, word));
    if (type == 0)
        return wrong(r, word->at, "'%.*s' is no record type", (int)word->length, word->text);
    if (!check_rdata(r, type, word, word + 1, entry->count - i - 1))
        return false;
    if (++r->records > DNS_RECORDS_MAX)
        return wrong(r, first->at, "more than %d records in a zone", DNS_RECORDS_MAX);
    ldns_rr *rr = NULL;
    if (!make_record(r, entry, i, ttl, &rr))
        return false;
    const char *refused = r->reader->take(r->reader->arg, rr);
    if (refused == NULL)
        return true;
    ldns_rr_free(rr);
    return wrong(r, first->at, "%s", refused);
}

void dns_records_read(struct arena *arena, const ldns_rdf *zone, const char *text,
                      const struct dns_records_reader *reader)
{
    struct reading r = {arena, reader, text, text, 1, ldns_rdf_clone(zone), ldns_rdf_clone(zone), DNS_DEFAULT_TTL, 0};
    struct entry *entry = arena_alloc(arena, sizeof *entry);
    while (*r.at != '\0') {
        if (!read_entry(&r, entry) || entry->count == 0)
            continue;
        if (entry->tokens[0].text[0] == '$' && !entry->blank_first)
            read_directive(&r, entry);
        else
            read_record(&r, entry);
    }
    ldns_rdf_deep_free(r.origin);
    ldns_rdf_deep_free(r.previous);
}
