/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/gate_news.h"

#include <strings.h>

#include "engine/connector_change.h"
#include "engine/gate.h"

enum { DAY = 86400, DAYS = 14 };

/* Some mail has gone there, so that the past can tell. */
static const char *say(struct arena *arena, const char *text, const struct connector *c, const struct gate_row *row)
{
    if (row->forecast == NULL || row->why == NULL)
        return text;
    return arena_printf(arena,
                        "%s%s:%u:%u: warning: connector '%s' now demands DANE, but for %s the gate is shut: %s\n", text,
                        c->at.file, c->at.line, c->at.col, c->name, row->destination, row->why);
}

static bool is_new(const struct change_list *news, const struct connector *c)
{
    for (size_t i = 0; i < news->count; i++)
        if (strcasecmp(news->items[i].connector, c->name) == 0)
            return gate_demands(c);
    return false;
}

static const char *say_of(struct arena *arena, const char *text, const struct gate_question *question)
{
    struct gate_rows rows = gate_past(arena, question);
    for (size_t i = 0; i < rows.count; i++)
        text = say(arena, text, question->connector, &rows.items[i]);
    return text;
}

const char *gate_news(struct arena *arena, const struct engine_config *config, int64_t now)
{
    const struct routing *routing = &config->routing;
    struct change_list news;
    struct history history;
    struct err err;
    const char *text = "";
    bool read = false;
    if (!connector_changes_note(arena, config, now, &news, &err))
        return arena_printf(arena, "the log of changes to connectors: %s\n", err.text);
    for (size_t i = 0; i < routing->connector_count; i++) {
        struct gate_question question = {routing, &routing->connectors[i], &history, DAYS};
        if (!is_new(&news, question.connector))
            continue;
        if (!read && !history_read(arena, config, now - DAYS * DAY, now, &history, &err))
            return arena_printf(arena, "what the last days tell of mail by DANE: %s\n", err.text);
        read = true;
        text = say_of(arena, text, &question);
    }
    return text;
}
