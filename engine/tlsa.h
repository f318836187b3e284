/* SPDX-License-Identifier: BSD-2-Clause
 * tlsa - TLSA records: read from RDATA, which are usable for SMTP, which remain after digest agility. Pure. */
#ifndef ENGINE_TLSA_H
#define ENGINE_TLSA_H

#include "engine/resolve.h"

enum { TLSA_PKIX_TA, TLSA_PKIX_EE, TLSA_DANE_TA, TLSA_DANE_EE };
enum { TLSA_CERT, TLSA_SPKI };
enum { TLSA_FULL, TLSA_SHA2_256, TLSA_SHA2_512 };

/* False when the RDATA is shorter than its three fixed octets; then *out is all zero. *out borrows the data. */
bool tlsa_parse(const unsigned char *rdata, size_t length, struct tlsa_record *out);
/* DANE-TA or DANE-EE, a selector and a matching type we know, data that can be what it claims (7672-3.1.3-2,
 * 6698-4.1-7). */
bool tlsa_usable(const struct tlsa_record *record);
/* Moves what a client must go by to the front, in the given order, and returns how many these are: the usable records,
 * and of these per usage and selector those with Full(0) or the strongest digest (7671-9). *unusable: how many were not
 * usable to begin with. */
size_t tlsa_select(struct tlsa_record *records, size_t count, size_t *unusable);
/* As in a zone file: "3 1 1 0fab...". */
const char *tlsa_text(struct arena *arena, const struct tlsa_record *record);

#endif
