/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/ledger.h"

#include <string.h>

const char *const ledger_state_words[] = {
    [LEDGER_COVERED] = "covered",
    [LEDGER_NOT_OBSERVABLE] = "not observable",
    [LEDGER_UNSUPPORTED] = "unsupported yet",
    [LEDGER_OTHER_SIDE] = "other side",
    [LEDGER_OPEN] = "open",
    [LEDGER_STATE_COUNT] = NULL,
};
const char *const ledger_subject_words[] = {"sender", "reporter", "receiver", NULL};
const char *const ledger_level_words[] = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", NULL};
static const char waits[] = "unsupported yet: ";

static size_t index_of(const char *const *words, const char *word)
{
    size_t i = 0;
    while (words[i] != NULL && strcmp(words[i], word) != 0)
        i++;
    return i;
}

bool ledger_covers(const struct scenario *scenario, const char *id)
{
    for (size_t i = 0; i < scenario->covers.count; i++)
        if (strcmp(scenario->covers.items[i], id) == 0)
            return true;
    return false;
}

static bool is_covered(const struct corpus *corpus, const char *id)
{
    for (size_t i = 0; i < corpus->count; i++)
        if (ledger_covers(corpus->items[i], id))
            return true;
    return false;
}

enum ledger_state ledger_state(const struct corpus *corpus, const struct clause *clause)
{
    if (is_covered(corpus, clause->id))
        return LEDGER_COVERED;
    if (clause->why_not[0] != '\0')
        return strncmp(clause->why_not, waits, strlen(waits)) == 0 ? LEDGER_UNSUPPORTED : LEDGER_NOT_OBSERVABLE;
    return strcmp(clause->who, "receiver") == 0 ? LEDGER_OTHER_SIDE : LEDGER_OPEN;
}

const char *ledger_why(const struct corpus *corpus, const struct clause *clause)
{
    switch (ledger_state(corpus, clause)) {
    case LEDGER_NOT_OBSERVABLE:
        return clause->why_not;
    case LEDGER_UNSUPPORTED:
        return clause->why_not + strlen(waits);
    default:
        return NULL;
    }
}

void ledger_check(const struct corpus *corpus, const struct clauses *clauses, struct diag_list *diags)
{
    for (size_t i = 0; i < corpus->count; i++) {
        const struct scenario *scenario = corpus->items[i];
        for (size_t k = 0; k < scenario->covers.count; k++) {
            const struct clause *clause = clauses_find(clauses, scenario->covers.items[k]);
            if (clause != NULL && clause->why_not[0] != '\0')
                diag_error(diags, scenario->covers.at[k], "%s is said not to be seen (%s); one of the two is wrong",
                           clause->id, clause->why_not);
        }
    }
}

/* Is word the clause's id, its section, or its RFC? */
static bool names(const char *word, const struct clause *clause)
{
    size_t length = strlen(word);
    return strncmp(clause->id, word, length) == 0 && (clause->id[length] == '\0' || strchr("-.", clause->id[length]));
}

static bool named(const struct ledger_wish *wish, const struct clause *clause)
{
    for (size_t i = 0; i < wish->word_count; i++)
        if (names(wish->words[i], clause))
            return true;
    return wish->word_count == 0;
}

bool ledger_wants(const struct ledger_wish *wish, const struct corpus *corpus, const struct clause *clause)
{
    return named(wish, clause) && (wish->rfc == NULL || strcmp(wish->rfc, clause->rfc) == 0) &&
           (wish->level == NULL || strcmp(wish->level, clause->level) == 0) &&
           (wish->who == NULL || strcmp(wish->who, clause->who) == 0) &&
           (!wish->only_open || ledger_state(corpus, clause) == LEDGER_OPEN);
}

void ledger_sum(const struct corpus *corpus, const struct clauses *clauses, const struct ledger_wish *wish,
                struct ledger_sums *sums)
{
    *sums = (struct ledger_sums){0};
    for (size_t i = 0; clauses_at(clauses, i) != NULL; i++) {
        const struct clause *clause = clauses_at(clauses, i);
        size_t subject = index_of(ledger_subject_words, clause->who);
        size_t level = index_of(ledger_level_words, clause->level);
        if (subject < LEDGER_SUBJECTS && level < LEDGER_LEVELS && ledger_wants(wish, corpus, clause))
            sums->of[subject][level][ledger_state(corpus, clause)]++;
    }
}
