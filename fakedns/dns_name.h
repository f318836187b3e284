/* SPDX-License-Identifier: BSD-2-Clause
 * dns_name - domain names in wire form and lower case, as ldns wants them, in an arena.
 *
 * Owns:   nothing; names live in the arena given, a parent is a view into its child's bytes.
 * Errors: NULL with *err filled, for text only; a name from a packet was checked by dns_packet. */
#ifndef FAKEDNS_DNS_NAME_H
#define FAKEDNS_DNS_NAME_H

#include <stdbool.h> /* before ldns, which else makes bool a char */

#include <ldns/ldns.h>

#include "base/arena.h"
#include "base/err.h"

enum { DNS_NAME_MAX = 255, DNS_LABEL_MAX = 63 };

const ldns_rdf *dns_name_new(struct arena *arena, const uint8_t *wire, size_t size);    /* made lower case */
const ldns_rdf *dns_name_parse(struct arena *arena, const char *text, struct err *err); /* always absolute */
const ldns_rdf *dns_name_parent(struct arena *arena, const ldns_rdf *name);             /* NULL above the root */
/* label.name; NULL when that is longer than a name may be. */
const ldns_rdf *dns_name_child(struct arena *arena, const char *label, const ldns_rdf *name);
/* The ancestor of name with just one label more than ancestor has. */
const ldns_rdf *dns_name_next_closer(struct arena *arena, const ldns_rdf *name, const ldns_rdf *ancestor);
/* name with its ending old replaced by new; NULL when that is too long (6672-2.2). */
const ldns_rdf *dns_name_replace_end(struct arena *arena, const ldns_rdf *name, const ldns_rdf *old,
                                     const ldns_rdf *new_end);
bool dns_name_equal(const ldns_rdf *a, const ldns_rdf *b);
bool dns_name_under(const ldns_rdf *name, const ldns_rdf *ancestor);    /* is it, or is below it */
bool dns_name_is_root(const ldns_rdf *name);
char *dns_name_text(struct arena *arena, const ldns_rdf *name);         /* "partner.example", "." */
char *dns_type_text(struct arena *arena, ldns_rr_type type);            /* "TLSA", "TYPE65280" */
/* "ns.example." for master files: with the dot. */
char *dns_name_absolute(struct arena *arena, const ldns_rdf *name);

#endif
