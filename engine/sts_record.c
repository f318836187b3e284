/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts_record.h"

#include <string.h>

static const char version[] = "v=STSv1"; /* case-sensitive (8461-3.1-13) */

static bool is_alphanum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static size_t blanks(const char *at)
{
    return strspn(at, " \t");
}

/* sts-field-delim = *WSP ";" *WSP: its length, 0 if there is none. */
static size_t delimiter(const char *at)
{
    size_t length = blanks(at);
    if (at[length] != ';')
        return 0;
    length++;
    return length + blanks(at + length);
}

/* sts-ext-name = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".") */
static size_t name_length(const char *at)
{
    size_t length = 0;
    if (!is_alphanum(at[0]))
        return 0;
    while (is_alphanum(at[length]) || (at[length] != '\0' && strchr("_-.", at[length]) != NULL))
        length++;
    return length <= 32 ? length : 0;
}

/* sts-ext-value = 1*(%x21-3A / %x3C / %x3E-7E) */
static size_t value_length(const char *at)
{
    size_t length = 0;
    while (at[length] > ' ' && at[length] < 0x7f && at[length] != ';' && at[length] != '=')
        length++;
    return length;
}

/* sts-id = %s"id=" 1*32(ALPHA / DIGIT). Of several the first counts, the others are extensions nobody knows. */
static bool take_id(struct sts_record *record, const char *value, size_t length)
{
    if (record->id[0] != '\0')
        return true;
    if (length > STS_ID_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_alphanum(value[i]))
            return false;
    memcpy(record->id, value, length);
    record->id[length] = '\0';
    return true;
}

/* name "=" value: its length, 0 if it is none. */
static size_t field(const char *at, struct sts_record *record)
{
    size_t name = name_length(at);
    if (name == 0 || at[name] != '=')
        return 0;
    size_t value = value_length(at + name + 1);
    if (value == 0)
        return 0;
    if (name == 2 && memcmp(at, "id", 2) == 0 && !take_id(record, at + 3, value))
        return 0;
    return name + 1 + value;
}

/* sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim] */
static struct sts_record parse(const char *text)
{
    struct sts_record record = {.state = STS_RECORD_INVALID, .why = "the _mta-sts record is malformed"};
    const char *at = text + strlen(version);
    while (*at != '\0') {
        size_t gap = delimiter(at);
        if (gap == 0)
            return record;
        at += gap;
        if (*at == '\0')
            break;
        size_t length = field(at, &record);
        if (length == 0)
            return record;
        at += length;
    }
    if (record.id[0] == '\0') {
        record.why = "the _mta-sts record has no id";
        return record;
    }
    record.state = STS_RECORD_VALID;
    record.why = NULL;
    return record;
}

/* 8461-3.1-6: literally "v=STSv1;", before anything else is looked at. */
static bool passes_filter(const char *text)
{
    size_t length = strlen(version);
    return strncmp(text, version, length) == 0 && text[length] == ';';
}

struct sts_record sts_record_find(const char *const *records, size_t count)
{
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!passes_filter(records[i]))
            continue;
        if (found != NULL)
            return (struct sts_record){.state = STS_RECORD_SEVERAL, .why = "there are several _mta-sts records"};
        found = records[i];
    }
    if (found == NULL)
        return (struct sts_record){.state = STS_RECORD_NONE, .why = "there is no _mta-sts record"};
    return parse(found);
}
