/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

bool err_set_at(struct err *e, enum err_kind kind, const char *where, const char *fmt, ...)
{
    if (e == NULL)
        return false;
    e->kind = kind;
    e->where = where;
    va_list args;
    va_start(args, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
    return false;
}
