/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/domain_name.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

#include "base/text.h"

static bool is_ascii(const char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name >= 0x80)
            return false;
    return true;
}

/* Labels of 1 to 63 bytes, 253 in all. */
static bool has_fitting_labels(const char *name)
{
    if (strlen(name) > DOMAIN_NAME_MAX)
        return false;
    for (;;) {
        size_t label = strcspn(name, ".");
        if (label == 0 || label > DOMAIN_LABEL_MAX)
            return false;
        if (name[label] == '\0')
            return true;
        name += label + 1;
    }
}

char *domain_name_ascii(struct arena *arena, const char *name)
{
    if (is_ascii(name)) {
        char *lower = text_name(arena, name);
        return has_fitting_labels(lower) ? lower : NULL;
    }
    char *converted = NULL;
    if (idn2_to_ascii_8z(name, &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return NULL;
    char *ascii = text_name(arena, converted);
    idn2_free(converted);
    return has_fitting_labels(ascii) ? ascii : NULL;
}

bool domain_name_is_address(const char *name)
{
    unsigned char bytes[16];
    return name[0] == '[' || inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static bool is_let_dig(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* sub-domain = Let-dig [Ldh-str] */
static bool is_sub_domain(const char *label, size_t length)
{
    if (length == 0 || length > DOMAIN_LABEL_MAX || !is_let_dig(label[0]) || !is_let_dig(label[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_let_dig(label[i]) && label[i] != '-')
            return false;
    return true;
}

bool domain_name_is_domain(const char *name, size_t length)
{
    if (length > DOMAIN_NAME_MAX)
        return false;
    for (;;) {
        const char *dot = memchr(name, '.', length);
        size_t label = dot != NULL ? (size_t)(dot - name) : length;
        if (!is_sub_domain(name, label))
            return false;
        if (dot == NULL)
            return true;
        name += label + 1;
        length -= label + 1;
    }
}
