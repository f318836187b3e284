/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/table.h"

#include <string.h>

enum { LONGEST = 64 };

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours; both words at most LONGEST long. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = before[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned differs = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + differs);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_length];
}

const char *table_nearest(const char *wrong, const char *(*word_at)(const void *rows, size_t i), const void *rows)
{
    size_t length = strlen(wrong);
    if (length == 0 || length > LONGEST)
        return NULL;
    unsigned allowed = length < 6 ? 1 : (unsigned)length / 3;
    const char *nearest = NULL, *word;
    for (size_t i = 0; (word = word_at(rows, i)) != NULL; i++) {
        size_t word_length = strlen(word);
        if (word_length > LONGEST)
            continue;
        unsigned found = distance(wrong, length, word, word_length);
        if (found <= allowed && found < length) {
            nearest = word;
            if (found == 0)
                break;
            allowed = found - 1;
        }
    }
    return nearest;
}

static const char *word_of_array(const void *rows, size_t i)
{
    return ((const char *const *)rows)[i];
}

const char *table_nearest_word(const char *wrong, const char *const *words)
{
    return table_nearest(wrong, word_of_array, words);
}
