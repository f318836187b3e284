/* SPDX-License-Identifier: BSD-2-Clause
 * arena - memory that lives exactly as long as one scenario, one message or one session.
 *
 * Owns:   every block it hands out; nothing from an arena is ever freed singly.
 * Errors: none to handle; running out of memory ends the program.
 * A function that allocates in the caller's arena takes it as its first parameter. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/base.h"

struct arena;

struct arena *arena_new(const char *owner);             /* owner: a literal, shown by a debugger */
void *arena_alloc(struct arena *arena, size_t size);    /* zeroed, aligned for any type, never NULL */
void *arena_grow(struct arena *arena, const void *old, size_t old_size, size_t new_size); /* a copy, the rest zeroed */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
void *arena_memdup(struct arena *arena, const void *bytes, size_t size);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
void arena_free(struct arena **arena);                  /* sets *arena to NULL; NULL is fine */

/* A growing array inside an arena: struct { T *items; size_t count, room; } list; *ARENA_PUSH(arena, &list) = item; */
#define ARENA_PUSH(arena, list)                                                                         \
    ((list)->count < (list)->room                                                                       \
         ? &(list)->items[(list)->count++]                                                              \
         : ((list)->items = arena_grow((arena), (list)->items, (list)->count * sizeof *(list)->items,   \
                                       ((list)->room = (list)->room ? 2 * (list)->room : 8) *           \
                                           sizeof *(list)->items),                                      \
            &(list)->items[(list)->count++]))

#endif
