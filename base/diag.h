/* SPDX-License-Identifier: BSD-2-Clause
 * diag - findings in a file that somebody wrote, each with its place; all of them, not only the first.
 *
 * Owns:   texts and lines, in the arena given to diag_new().
 * Errors: none; the caller asks diag_errors() at the end.
 * Text from the file is escaped when printed. At most DIAG_MAX findings are kept, the rest are counted. The same
 * finding at the same place counts once. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdio.h>

#include "base/arena.h"
#include "base/base.h"

enum { DIAG_MAX = 100 };

struct srcpos {         /* a place in a file */
    const char *file;   /* borrowed from whoever read it; NULL: no place */
    unsigned line, col; /* from 1; col counts characters; 0: unknown */
    unsigned length;    /* how many characters to underline; 0: one */
};

struct diag_list;

struct diag_list *diag_new(struct arena *arena);
/* The text of a file, so that findings can show the line with a caret. Borrowed; must outlive the list. */
void diag_source(struct diag_list *list, const char *file, const char *text, size_t length);
void diag_error(struct diag_list *list, struct srcpos at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void diag_warning(struct diag_list *list, struct srcpos at, const char *fmt, ...) PRINTF_LIKE(3, 4);
size_t diag_errors(const struct diag_list *list);
size_t diag_count(const struct diag_list *list);
/* In source order: "file:line:col: error: text", the line, a caret under the place. */
void diag_print(const struct diag_list *list, FILE *out);
/* The same as a text. */
char *diag_text(struct arena *arena, const struct diag_list *list);
/* The line of a registered file with a caret under the place and a note behind the caret (NULL: none); each line
 * is indented by indent blanks. Prints nothing for an unknown file. Used by the terminal report too. */
void diag_print_excerpt(const struct diag_list *list, struct srcpos at, const char *note, int indent, FILE *out);

#endif
