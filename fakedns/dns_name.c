/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_name.h"

#include <string.h>

static ldns_rdf *make(struct arena *arena, uint8_t *wire, size_t size)
{
    ldns_rdf *name = arena_alloc(arena, sizeof *name);
    ldns_rdf_set_type(name, LDNS_RDF_TYPE_DNAME);
    ldns_rdf_set_size(name, size);
    ldns_rdf_set_data(name, wire);
    return name;
}

/* Lengths of labels are below 'A', so that every byte may be treated alike. */
static void lower(uint8_t *wire, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (wire[i] >= 'A' && wire[i] <= 'Z')
            wire[i] += 'a' - 'A';
}

const ldns_rdf *dns_name_new(struct arena *arena, const uint8_t *wire, size_t size)
{
    uint8_t *copy = arena_memdup(arena, wire, size);
    lower(copy, size);
    return make(arena, copy, size);
}

const ldns_rdf *dns_name_parse(struct arena *arena, const char *text, struct err *err)
{
    ldns_rdf *parsed = text != NULL && text[0] != '\0' ? ldns_dname_new_frm_str(text) : NULL;
    if (parsed == NULL || ldns_rdf_size(parsed) > DNS_NAME_MAX) {
        ldns_rdf_deep_free(parsed);
        err_set(err, ERR_INPUT, "'%s' is no domain name", text != NULL ? text : "");
        return NULL;
    }
    const ldns_rdf *name = dns_name_new(arena, ldns_rdf_data(parsed), ldns_rdf_size(parsed));
    ldns_rdf_deep_free(parsed);
    return name;
}

bool dns_name_is_root(const ldns_rdf *name)
{
    return ldns_rdf_size(name) == 1;
}

const ldns_rdf *dns_name_parent(struct arena *arena, const ldns_rdf *name)
{
    if (dns_name_is_root(name))
        return NULL;
    uint8_t *wire = ldns_rdf_data(name);
    size_t label = 1u + wire[0];
    return make(arena, wire + label, ldns_rdf_size(name) - label);
}

const ldns_rdf *dns_name_child(struct arena *arena, const char *label, const ldns_rdf *name)
{
    size_t length = strlen(label), size = 1 + length + ldns_rdf_size(name);
    assert(length > 0 && length <= DNS_LABEL_MAX);
    if (size > DNS_NAME_MAX)
        return NULL;
    uint8_t *wire = arena_alloc(arena, size);
    wire[0] = (uint8_t)length;
    memcpy(wire + 1, label, length);
    memcpy(wire + 1 + length, ldns_rdf_data(name), ldns_rdf_size(name));
    return make(arena, wire, size);
}

const ldns_rdf *dns_name_next_closer(struct arena *arena, const ldns_rdf *name, const ldns_rdf *ancestor)
{
    const ldns_rdf *above = dns_name_parent(arena, name);
    while (above != NULL && !dns_name_equal(above, ancestor)) {
        name = above;
        above = dns_name_parent(arena, name);
    }
    return name;
}

const ldns_rdf *dns_name_replace_end(struct arena *arena, const ldns_rdf *name, const ldns_rdf *old,
                                     const ldns_rdf *new_end)
{
    size_t kept = ldns_rdf_size(name) - ldns_rdf_size(old), size = kept + ldns_rdf_size(new_end);
    if (size > DNS_NAME_MAX)
        return NULL;
    uint8_t *wire = arena_alloc(arena, size);
    memcpy(wire, ldns_rdf_data(name), kept);
    memcpy(wire + kept, ldns_rdf_data(new_end), ldns_rdf_size(new_end));
    lower(wire, size);
    return make(arena, wire, size);
}

bool dns_name_equal(const ldns_rdf *a, const ldns_rdf *b)
{
    return ldns_rdf_size(a) == ldns_rdf_size(b) && memcmp(ldns_rdf_data(a), ldns_rdf_data(b), ldns_rdf_size(a)) == 0;
}

bool dns_name_under(const ldns_rdf *name, const ldns_rdf *ancestor)
{
    const uint8_t *wire = ldns_rdf_data(name);
    size_t left = ldns_rdf_size(name), wanted = ldns_rdf_size(ancestor);
    while (left > wanted) {
        size_t label = 1u + wire[0];
        wire += label;
        left -= label;
    }
    return left == wanted && memcmp(wire, ldns_rdf_data(ancestor), wanted) == 0;
}

char *dns_name_absolute(struct arena *arena, const ldns_rdf *name)
{
    char *made = ldns_rdf2str(name);
    char *text = arena_strdup(arena, made != NULL ? made : "");
    LDNS_FREE(made);
    return text;
}

char *dns_name_text(struct arena *arena, const ldns_rdf *name)
{
    char *text = dns_name_absolute(arena, name);
    size_t length = strlen(text);
    if (length > 1 && text[length - 1] == '.')
        text[length - 1] = '\0';
    return text;
}

char *dns_type_text(struct arena *arena, ldns_rr_type type)
{
    char *made = ldns_rr_type2str(type);
    char *text = arena_strdup(arena, made != NULL ? made : "");
    LDNS_FREE(made);
    return text;
}
