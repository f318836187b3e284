/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_behaviour.h"

#include <inttypes.h>
#include <string.h>

#include "base/table.h"

/* ---- the tables ---- */

static const char *const act_words[] = {"reply",         "stall", "reset",     "close", "endless-line",
                                        "endless-lines", "drip",  "piecemeal", "deaf",  NULL};

static const struct schema_field doing_fields[] = {
    {.key = "reply",
     .kind = SCHEMA_TEXT,
     .offset = offsetof(struct mx_doing, reply),
     .at_offset = offsetof(struct mx_doing, at),
     .doc = "What to answer, beginning with the code; more lines than one are split by \\n."},
    {.key = "act",
     .kind = SCHEMA_WORD,
     .offset = offsetof(struct mx_doing, act),
     .at_offset = offsetof(struct mx_doing, at),
     .otherwise = "reply",
     .words = act_words,
     .doc = "Reply, or instead stall (never answer), reset (RST), close (FIN), a reply that is one endless-line or has "
            "endless-lines (cut off after 4 MiB), or drip (such lines, a byte every 20 ms, cut off after 5 s); or, "
            "with the usual reply, "
            "piecemeal (every byte from here on in a segment of its own) or deaf (nothing is read from here on)."},
    {.key = "raw",
     .kind = SCHEMA_TEXT,
     .offset = offsetof(struct mx_doing, raw),
     .at_offset = offsetof(struct mx_doing, at),
     .doc = "Bytes sent as they are in place of a reply, beginning with its code; with \\r, \\n, \\t and \\0 escapes."},
    {.key = "nth",
     .kind = SCHEMA_NUMBER,
     .offset = offsetof(struct mx_doing, nth),
     .otherwise = "0",
     .doc = "Only the n-th time this step is reached at this host; 0: every time."},
    {.key = "with",
     .kind = SCHEMA_TEXT,
     .offset = offsetof(struct mx_doing, with),
     .doc = "Only where the command's line has this in it, such as a recipient."},
};

/* "450 4.2.0 later", "stall", "drip" */
static const struct tree_node *doing_short_form(struct arena *arena, const struct tree_node *node,
                                                struct diag_list *diags)
{
    if (node->kind != TREE_TEXT) {
        diag_error(diags, node->at, "a reply, or a word for what is done instead, is wanted here, not a list");
        return NULL;
    }
    for (size_t i = MX_STALL; act_words[i] != NULL; i++)
        if (strcmp(node->text, act_words[i]) == 0)
            return schema_map(arena, node->at, "act", node, NULL);
    if (node->text[0] >= '2' && node->text[0] <= '5')
        return schema_map(arena, node->at, "reply", node, NULL);
    const char *nearest = table_nearest_word(node->text, &act_words[MX_STALL]);
    const char *all = act_words[MX_STALL];
    for (size_t i = MX_STALL + 1; act_words[i] != NULL; i++)
        all = arena_printf(arena, "%s, %s", all, act_words[i]);
    diag_error(diags, node->at, "'%s' is no reply, which begins with its code, nor one of: %s%s%s%s", node->text, all,
               nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return NULL;
}

const struct schema mx_doing_schema = {
    .name = "step of an MX host",
    .doc = "What an MX host does at one step of the dialogue instead of the usual.",
    .fields = doing_fields,
    .count = COUNT(doing_fields),
    .size = sizeof(struct mx_doing),
    .short_form = doing_short_form,
    .short_doc = "the reply itself (`450 4.2.0 later`), or a word of act",
};

static const char *const tcp_words[] = {"accept", "refuse", "reset", "stall", NULL};
static const char *const starttls_words[] = {"offered",     "hidden",      "refused-454",  "refused-502",
                                             "refused-554", "refused-421", "answered-250", "stripped",
                                             "broken",      "reset",       "close",        "stall",
                                             "alert",       "slow",        "flooded",      "renegotiated",
                                             NULL};
static const char *const version_words[] = {"any", "tls1.2-only", "tls1.3-only", "tls1.0-only", NULL};

static const char *const cipher_words[] = {"any", "anonymous", NULL};
static const char *const group_words[] = {"any", "p384-only", NULL};
static const char *const client_certificate_words[] = {"not-asked", "asked", "required", NULL};

#define SETTING(name, kind_, member, ...)                                                                              \
    {                                                                                                                  \
        .key = name, .kind = SCHEMA_##kind_, .offset = MX_SETTING(member), __VA_ARGS__                                 \
    }
#define STEP(name, member, what) SETTING(name, SUBS, member, .sub = &mx_doing_schema, .doc = what)

static const struct schema_field behaviour_fields[] = {
    SETTING("tcp", WORD, tcp, .words = tcp_words, .otherwise = "accept",
            .doc = "What becomes of a TCP connection: refuse (nothing listens), reset right after it is accepted, or "
                   "stall (never greet)."),
    SETTING(
        "starttls", WORD, starttls, .words = starttls_words, .otherwise = "offered",
        .doc =
            "Hidden from EHLO, refused by a reply (421 ends the session), answered by a 250, stripped by a man in the "
            "middle; or after the 220: broken "
            "(garbage), reset, close, stall, alert (fatal handshake_failure), slow (the handshake, a byte every 20 "
            "ms, cut off after 5 s); or "
            "after the handshake, with which it is reported: flooded (key updates, cut off after 256 KiB; TLS 1.3 "
            "alone is spoken), renegotiated (a HelloRequest; TLS 1.2 alone is spoken)."),
    STEP("greeting", greeting, "Instead of the 220 greeting."),
    STEP("ehlo", ehlo, "Instead of the answer to EHLO, counted before and after STARTTLS."),
    STEP("helo", helo, "Instead of the answer to HELO."),
    STEP("mail", mail, "Instead of the answer to MAIL."),
    STEP("rcpt", rcpt, "Instead of the answer to RCPT."),
    STEP("data", data, "Instead of the answer to DATA, or to a BDAT that is not the last."),
    STEP("end-of-data", end_of_data, "Instead of the answer to the final dot, or to the last BDAT."),
    STEP("quit", quit, "Instead of the answer to QUIT."),
    SETTING("keywords", TEXTS, keywords, .otherwise = "PIPELINING, SIZE 1048576, 8BITMIME, ENHANCEDSTATUSCODES",
            .doc = "EHLO keywords besides STARTTLS."),
    SETTING("tls-keywords", TEXTS, tls_keywords, .doc = "The same after STARTTLS; empty: as before."),
    SETTING("offers", TEXTS, offers,
            .doc =
                "Further keywords, such as CHUNKING, SMTPUTF8 or REQUIRETLS, the last one inside TLS alone. No fault."),
    SETTING("tls-versions", WORD, tls_versions, .words = version_words, .otherwise = "any",
            .doc = "The TLS versions spoken; any is 1.2 and 1.3."),
    SETTING("ciphers", WORD, ciphers, .words = cipher_words, .otherwise = "any",
            .doc = "The cipher suites; anonymous: only those without a certificate; TLS 1.2 alone is spoken."),
    SETTING("groups", WORD, groups, .words = group_words, .otherwise = "any",
            .doc = "The groups of the key exchange; p384-only: one that no client sends a share of at first, so that "
                   "TLS 1.3 takes a HelloRetryRequest, with which it is reported."),
    SETTING("hello-limit", NUMBER, hello_limit, .otherwise = "0",
            .doc = "A ClientHello of more bytes than this ends the connection, as with servers and middleboxes that "
                   "read one segment; 0: none does."),
    SETTING("client-certificate", WORD, client_certificate, .words = client_certificate_words, .otherwise = "not-asked",
            .doc = "Whether the client is asked for a certificate of its own, or must have one; any will do."),
    SETTING("inject", TEXT, inject,
            .doc = "Bytes sent in clear right behind the 220 of STARTTLS, with \\r, \\n and \\t escapes."),
    SETTING("session-tickets", BOOL, session_tickets, .otherwise = "no",
            .doc = "Hand out TLS session tickets, and let a client that comes back with one resume its session. No "
                   "fault."),
    SETTING("ticket-alert", BOOL, ticket_alert, .otherwise = "no",
            .doc = "A client that comes back with a session ticket is answered by a fatal alert instead of a full "
                   "handshake."),
    SETTING("sni-required", BOOL, sni_required, .otherwise = "no",
            .doc = "Abort the handshake with unrecognized_name when SNI is not one of the host's names."),
};

/* What can be had with one version of TLS alone. */
static const struct {
    size_t setting;
    int word;
    enum mx_tls_versions only;
} versions_of_words[] = {
    {MX_SETTING(starttls), MX_STARTTLS_FLOODED, MX_TLS_1_3_ONLY},
    {MX_SETTING(starttls), MX_STARTTLS_RENEGOTIATED, MX_TLS_1_2_ONLY},
    {MX_SETTING(ciphers), MX_CIPHERS_ANONYMOUS, MX_TLS_1_2_ONLY},
};

static bool is_said(const struct mx_behaviour *behaviour, size_t row)
{
    return *(const int *)((const char *)behaviour + versions_of_words[row].setting) == versions_of_words[row].word;
}

enum mx_tls_versions mx_behaviour_tls_versions(const struct mx_behaviour *behaviour)
{
    for (size_t i = 0; i < COUNT(versions_of_words); i++)
        if (is_said(behaviour, i))
            return versions_of_words[i].only;
    return (enum mx_tls_versions)behaviour->tls_versions;
}

static void check_versions(const void *value, const struct tree_node *map, struct diag_list *diags)
{
    const struct mx_behaviour *behaviour = value;
    enum mx_tls_versions spoken = (enum mx_tls_versions)behaviour->tls_versions;
    for (size_t i = 0; i < COUNT(versions_of_words); i++) {
        enum mx_tls_versions only = versions_of_words[i].only;
        const char *key = mx_setting_name(versions_of_words[i].setting);
        if (!is_said(behaviour, i))
            continue;
        if (spoken != MX_TLS_ANY && spoken != only)
            diag_error(diags, tree_get(map, key)->at, "'%s: %s' is had with %s; the host speaks %s", key,
                       tree_get(map, key)->text, version_words[only], version_words[spoken]);
        spoken = only;
    }
}

const struct schema mx_behaviour_schema = {
    .name = "behaviour of an MX host",
    .doc = "How the SMTP server of an MX host behaves.",
    .fields = behaviour_fields,
    .count = COUNT(behaviour_fields),
    .size = sizeof(struct mx_behaviour),
    .check = check_versions,
};

static const size_t setting_of_step[MX_STEP_COUNT] = {
    /* 0: none */
    [MX_STEP_GREETING] = MX_SETTING(greeting), [MX_STEP_EHLO] = MX_SETTING(ehlo),
    [MX_STEP_HELO] = MX_SETTING(helo),         [MX_STEP_MAIL] = MX_SETTING(mail),
    [MX_STEP_RCPT] = MX_SETTING(rcpt),         [MX_STEP_DATA] = MX_SETTING(data),
    [MX_STEP_CHUNK] = MX_SETTING(data),        [MX_STEP_END_OF_DATA] = MX_SETTING(end_of_data),
    [MX_STEP_QUIT] = MX_SETTING(quit),
};
static_assert(MX_SETTING(tcp) == 0, "0 is no step's setting");

/* ---- steps ---- */

size_t mx_step_setting(enum mx_step step)
{
    return setting_of_step[step];
}

static bool is_about(const struct mx_doing *doing, unsigned nth, const char *line)
{
    bool says_nothing = doing->act == MX_REPLY && doing->reply == NULL && doing->raw == NULL;
    return !says_nothing && (doing->nth == 0 || doing->nth == nth) &&
           (doing->with == NULL || (line != NULL && strcasestr(line, doing->with) != NULL));
}

const struct mx_doing *mx_behaviour_doing(const struct mx_behaviour *behaviour, enum mx_step step, unsigned nth,
                                          const char *line)
{
    if (setting_of_step[step] == 0)
        return NULL;
    const struct schema_list *list = (const void *)((const char *)behaviour + setting_of_step[step]);
    const struct mx_doing *doings = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (is_about(&doings[i], nth, line))
            return &doings[i];
    return NULL;
}

/* ---- what follows from the table: each kind of field compared, copied and put into words ---- */

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const char *text_copy(struct arena *arena, const char *text)
{
    return text != NULL ? arena_strdup(arena, text) : NULL;
}

static bool texts_equal(const void *a, const void *b)
{
    const struct schema_texts *left = a, *right = b;
    bool equal = left->count == right->count;
    for (size_t i = 0; equal && i < left->count; i++)
        equal = strcmp(left->items[i], right->items[i]) == 0;
    return equal;
}

static void texts_copy(struct arena *arena, void *value)
{
    struct schema_texts *texts = value;
    const char **items = arena_alloc(arena, texts->count * sizeof *items);
    for (size_t i = 0; i < texts->count; i++)
        items[i] = arena_strdup(arena, texts->items[i]);
    *texts = (struct schema_texts){.items = items, .count = texts->count};
}

static const char *texts_words(struct arena *arena, const struct schema_texts *texts)
{
    const char *words = texts->count > 0 ? texts->items[0] : "none";
    for (size_t i = 1; i < texts->count; i++)
        words = arena_printf(arena, "%s, %s", words, texts->items[i]);
    return words;
}

static bool doings_equal(const void *a, const void *b)
{
    const struct schema_list *left = a, *right = b;
    const struct mx_doing *one = left->items, *other = right->items;
    bool equal = left->count == right->count;
    for (size_t i = 0; equal && i < left->count; i++)
        equal = one[i].act == other[i].act && one[i].nth == other[i].nth && text_equal(one[i].reply, other[i].reply) &&
                text_equal(one[i].raw, other[i].raw) && text_equal(one[i].with, other[i].with);
    return equal;
}

static void doings_copy(struct arena *arena, void *value)
{
    struct schema_list *list = value;
    if (list->count == 0)
        return;
    struct mx_doing *items = arena_memdup(arena, list->items, list->count * sizeof *items);
    for (size_t i = 0; i < list->count; i++) {
        items[i].reply = text_copy(arena, items[i].reply);
        items[i].with = text_copy(arena, items[i].with);
        items[i].raw = text_copy(arena, items[i].raw);
        items[i].at = (struct srcpos){0}; /* the file's name is not ours */
    }
    list->items = items;
}

static bool field_equal(const struct schema_field *field, const struct mx_behaviour *left,
                        const struct mx_behaviour *right)
{
    const void *a = (const char *)left + field->offset, *b = (const char *)right + field->offset;
    switch (field->kind) {
    case SCHEMA_WORD:
        return *(const int *)a == *(const int *)b;
    case SCHEMA_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case SCHEMA_NUMBER:
        return *(const int64_t *)a == *(const int64_t *)b;
    case SCHEMA_TEXT:
        return text_equal(*(const char *const *)a, *(const char *const *)b);
    case SCHEMA_TEXTS:
        return texts_equal(a, b);
    case SCHEMA_SUBS:
        return doings_equal(a, b);
    default:
        assert(!"a kind that no row of behaviour_fields has");
        return false;
    }
}

static void usual_behaviour(struct arena *arena, struct mx_behaviour *usual)
{
    schema_read(arena, &mx_behaviour_schema, NULL, usual, diag_new(arena));
}

const struct mx_behaviour *mx_behaviour_copy(struct arena *arena, const struct mx_behaviour *from)
{
    struct mx_behaviour *copy = arena_alloc(arena, sizeof *copy);
    if (from == NULL) {
        usual_behaviour(arena, copy);
        return copy;
    }
    *copy = *from;
    for (size_t i = 0; i < COUNT(behaviour_fields); i++) {
        void *value = (char *)copy + behaviour_fields[i].offset;
        if (behaviour_fields[i].kind == SCHEMA_TEXT)
            *(const char **)value = text_copy(arena, *(const char **)value);
        else if (behaviour_fields[i].kind == SCHEMA_TEXTS)
            texts_copy(arena, value);
        else if (behaviour_fields[i].kind == SCHEMA_SUBS)
            doings_copy(arena, value);
    }
    return copy;
}

bool mx_behaviour_equal(const struct mx_behaviour *a, const struct mx_behaviour *b)
{
    for (size_t i = 0; i < COUNT(behaviour_fields); i++)
        if (!field_equal(&behaviour_fields[i], a, b))
            return false;
    return true;
}

static bool is_no_fault(size_t setting)
{
    return setting == MX_SETTING(offers) || setting == MX_SETTING(session_tickets);
}

void mx_behaviour_departures(const struct mx_behaviour *behaviour, void (*found)(void *arg, const char *setting),
                             void *arg)
{
    if (behaviour == NULL)
        return;
    struct arena *arena = arena_new("departures");
    struct mx_behaviour usual;
    usual_behaviour(arena, &usual);
    for (size_t i = 0; i < COUNT(behaviour_fields); i++)
        if (!is_no_fault(behaviour_fields[i].offset) && !field_equal(&behaviour_fields[i], behaviour, &usual))
            found(arg, behaviour_fields[i].key);
    arena_free(&arena);
}

static const struct schema_field *field_of(size_t setting)
{
    size_t i = 0;
    while (behaviour_fields[i].offset != setting)
        i++;
    return &behaviour_fields[i];
}

const char *mx_setting_name(size_t setting)
{
    return field_of(setting)->key;
}

bool mx_setting_departs(const struct mx_behaviour *behaviour, size_t setting)
{
    struct arena *arena = arena_new("departs");
    struct mx_behaviour usual;
    usual_behaviour(arena, &usual);
    bool departs = !field_equal(field_of(setting), behaviour, &usual);
    arena_free(&arena);
    return departs;
}

const char *mx_setting_words(struct arena *arena, const struct mx_behaviour *behaviour, size_t setting,
                             const struct mx_doing *doing)
{
    const struct schema_field *field = field_of(setting);
    const void *value = (const char *)behaviour + setting;
    const char *words = "yes"; /* of a SCHEMA_BOOL */
    if (doing != NULL)
        words = doing->act != MX_REPLY ? act_words[doing->act] : doing->raw != NULL ? doing->raw : doing->reply;
    else if (field->kind == SCHEMA_WORD)
        words = field->words[*(const int *)value];
    else if (field->kind == SCHEMA_NUMBER)
        words = arena_printf(arena, "%" PRId64, *(const int64_t *)value);
    else if (field->kind == SCHEMA_TEXT)
        words = *(const char *const *)value;
    else if (field->kind == SCHEMA_TEXTS)
        words = texts_words(arena, value);
    return arena_printf(arena, "%s: %s", field->key, words);
}
