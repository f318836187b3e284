/* SPDX-License-Identifier: BSD-2-Clause
 * text - small things done to strings. Pure; results live in the arena given, or in the caller's buffer. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

/* Text from a peer or a file made safe to print: control characters, DEL, C1, marks that turn the direction of writing
 * and invalid UTF-8 become \xNN, byte by byte. */
char *text_escape(struct arena *arena, const char *text, size_t length);
void text_print_escaped(FILE *out, const char *text, size_t length);
/* The inside of a JSON string, UTF-8 kept, everything else escaped (invalid bytes as \u00NN). */
void text_print_json(FILE *out, const char *text);
void text_print_xml(FILE *out, const char *text);      /* invalid XML 1.0 characters become U+FFFD */
char *text_hex(struct arena *arena, const unsigned char *bytes, size_t length);            /* lower case */
bool text_unhex(struct arena *arena, const char *hex, unsigned char **bytes, size_t *length);
bool text_is_utf8(const char *text, size_t length, size_t *bad_at);
/* The character text begins with, and of how many bytes; 0 when these are no valid UTF-8, or none are left. */
size_t text_utf8_step(const char *text, size_t left, uint32_t *code);
bool text_is_printable(uint32_t code);                 /* what text_escape() leaves as it is */
size_t text_length(const char *text);                  /* in characters; invalid bytes are one each */
/* Lines of at most so many characters where blanks allow it; the first begins at indent, further ones are indented. */
char *text_wrap(struct arena *arena, const char *text, size_t indent, size_t width);
/* DNS names as text. Lower case, no trailing dot ("." stays "."). */
char *text_name(struct arena *arena, const char *name);
bool text_name_equal(const char *a, const char *b);           /* ignores case and one trailing dot */
bool text_name_under(const char *name, const char *ancestor); /* name is ancestor, or ends in ".ancestor" */
bool text_has_word(const char *list, const char *word);       /* words stand between blanks */
bool text_same(const char *a, const char *b);                 /* NULL is the same as NULL alone */
/* A moment in UTC: "2026-06-01T08:00:00Z", "2026-06-01 08:00:00", "2026-06-01". "" where the calendar ends. */
enum text_time { TEXT_RFC3339, TEXT_SECONDS, TEXT_DAY };
char *text_time(struct arena *arena, int64_t at, enum text_time form);
/* Without the byte order mark that Windows puts in front of UTF-8. */
const char *text_past_mark(const char *text, size_t *length);
/* Reads a whole file, NUL-terminated; fails above limit bytes. */
char *text_read_file(struct arena *arena, const char *path, size_t limit, size_t *length, struct err *err);
bool text_write_file(const char *path, const char *text, size_t length, struct err *err);
int text_folder(const char *path, struct err *err); /* opened, and made where it is missing; -1 on failure */

#endif
