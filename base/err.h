/* SPDX-License-Identifier: BSD-2-Clause
 * err - why something failed, and where it was noticed.
 *
 * Owns:    nothing; a struct err is a value of its holder.
 * Use:     a function that can fail returns bool (or a pointer) and takes struct err * last; it fills it once,
 *          where the failure is noticed, and callers pass it up unchanged. A NULL err is allowed everywhere. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

enum err_kind {
    ERR_NONE,
    ERR_SYSTEM,   /* the machine: a system call, memory, a missing program */
    ERR_INPUT,    /* what the user gave: a file, an option, a scenario */
    ERR_PEER,     /* what the other side of a connection did */
    ERR_BUG,      /* ours */
};

struct err {
    enum err_kind kind;
    const char *where; /* "plan_pki.c:123", static storage */
    char text[400];    /* cut if longer */
};

#define ERR_STR_(x) #x
#define ERR_STR(x) ERR_STR_(x)
/* Fills *e and is false, so that a function can end with: return err_set(e, KIND, "..."); */
#define err_set(e, kind, ...) err_set_at((e), (kind), __FILE__ ":" ERR_STR(__LINE__), __VA_ARGS__)
bool err_set_at(struct err *e, enum err_kind kind, const char *where, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
