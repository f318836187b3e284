/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/mode.h"

#include <string.h>

const char *const mode_dane_words[] = {"none", "opportunistic", "mandatory", NULL};
const char *const mode_sts_words[] = {"none", "opportunistic", NULL};

const char *mode_text(unsigned mode)
{
    static const char *const texts[MODE_COUNT] = {
        "dane=none,mta-sts=none",          "dane=none,mta-sts=opportunistic",
        "dane=opportunistic,mta-sts=none", "dane=opportunistic,mta-sts=opportunistic",
        "dane=mandatory,mta-sts=none",     "dane=mandatory,mta-sts=opportunistic",
    };
    return mode < MODE_COUNT ? texts[mode] : "?";
}

/* The bit of the word that text (of that length) is; 0: none of them. */
static unsigned word_bit(const char *const *words, const char *text, size_t length)
{
    for (unsigned i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0)
            return 1u << i;
    return 0;
}

unsigned mode_parse_set(const char *text)
{
    static const struct {
        const char *key;
        const char *const *words;
    } keys[] = {
        {"dane=", mode_dane_words},
        {"mta-sts=", mode_sts_words},
    };
    unsigned said[COUNT(keys)] = {0};
    while (*text != '\0') {
        size_t length = strcspn(text, ","), k = 0, key_length = 0;
        for (; k < COUNT(keys); k++) {
            key_length = strlen(keys[k].key);
            if (strncmp(text, keys[k].key, key_length) == 0)
                break;
        }
        if (k == COUNT(keys) || said[k] != 0)
            return 0;
        said[k] = word_bit(keys[k].words, text + key_length, length - key_length);
        if (said[k] == 0)
            return 0;
        text += length;
        if (*text == ',' && *++text == '\0')
            return 0;
    }
    if (said[0] == 0 && said[1] == 0)
        return 0;
    unsigned set = 0;
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        if ((said[0] == 0 || (said[0] >> mode_dane(mode) & 1)) && (said[1] == 0 || (said[1] >> mode_sts(mode) & 1)))
            set |= 1u << mode;
    return set;
}

bool mode_parse(const char *text, unsigned *mode)
{
    unsigned set = mode_parse_set(text);
    if (set == 0 || (set & (set - 1)) != 0)
        return false;
    for (*mode = 0; (set >> *mode & 1) == 0; ++*mode)
        ;
    return true;
}

/* "dane=none|mandatory" of a set of words. */
static const char *choice(struct arena *arena, const char *key, const char *const *words, unsigned set)
{
    const char *text = "", *before = arena_printf(arena, "%s=", key);
    for (unsigned i = 0; words[i] != NULL; i++)
        if (set >> i & 1) {
            text = arena_printf(arena, "%s%s%s", text, before, words[i]);
            before = "|";
        }
    return text;
}

const char *mode_set_text(struct arena *arena, unsigned modes)
{
    unsigned dane = 0, sts = 0, product = 0;
    const char *list = "";
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        if (modes >> mode & 1) {
            dane |= 1u << mode_dane(mode);
            sts |= 1u << mode_sts(mode);
            list = arena_printf(arena, "%s%s%s", list, list[0] != '\0' ? "; " : "", mode_text(mode));
        }
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        product |= (dane >> mode_dane(mode) & sts >> mode_sts(mode) & 1) << mode;
    if ((modes & MODES_ALL) == MODES_ALL)
        return "every mode";
    if (product != modes)
        return list;
    return sts == 3    ? choice(arena, "dane", mode_dane_words, dane)
           : dane == 7 ? choice(arena, "mta-sts", mode_sts_words, sts)
                       : arena_printf(arena, "%s,%s", choice(arena, "dane", mode_dane_words, dane),
                                      choice(arena, "mta-sts", mode_sts_words, sts));
}
