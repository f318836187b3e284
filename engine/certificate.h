/* SPDX-License-Identifier: BSD-2-Clause
 * certificate - what a certificate says, for people: its names, its dates, and which TLSA record is about it. Pure.
 * Whether it is good enough is said by tls_client alone.
 *
 * Owns:   what is read lives in the arena given.
 * Errors: false: the bytes are no certificate. */
#ifndef ENGINE_CERTIFICATE_H
#define ENGINE_CERTIFICATE_H

#include "engine/resolve.h"

struct certificate {
    const unsigned char *der;
    size_t length;
};

struct certificate_view {
    const char *subject, *issuer; /* common names, or all of the name if there is none */
    const char *names;            /* its DNS names with blanks between; "" */
    int64_t from, until;          /* UTC seconds */
};

bool certificate_read(struct arena *arena, const struct certificate *certificate, struct certificate_view *out);
/* Is the record's data that of this certificate, by selector and matching type (6698-2.1)? */
bool certificate_matches(const struct certificate *certificate, const struct tlsa_record *record);

#endif
