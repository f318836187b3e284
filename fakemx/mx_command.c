/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { VERB_MAX = 12, PATH_BYTES_MAX = 512, CODE_LENGTH = 3, CHUNK_DIGITS_MAX = 9 };

static const char bad_sequence[] = "503 5.5.1 Bad sequence of commands";
static const char bad_parameters[] = "501 5.5.4 Syntax error in parameters";
static const char no_parameters[] = "501 5.5.4 No parameters allowed";
static const char too_big_reply[] = "552 5.3.4 Message too big";

/* ---- the dialogue ---- */

void mx_dialogue_begin(struct mx_dialogue *dialogue, const struct mx_host *host)
{
    *dialogue = (struct mx_dialogue){.host = host};
}

void mx_dialogue_reset(struct mx_dialogue *dialogue)
{
    arena_free(&dialogue->envelope.arena);
    dialogue->envelope = (struct mx_envelope){0};
}

void mx_dialogue_secure(struct mx_dialogue *dialogue)
{
    mx_dialogue_reset(dialogue);
    dialogue->tls = true;
    dialogue->greeted = dialogue->extended = false; /* RFC 3207 4.2 */
}

void mx_dialogue_end(struct mx_dialogue *dialogue)
{
    mx_dialogue_reset(dialogue);
}

static const struct mx_behaviour *behaviour_of(const struct mx_dialogue *dialogue)
{
    return dialogue->host->config.behaviour;
}

static bool tls_keywords_rule(const struct mx_dialogue *dialogue)
{
    return dialogue->tls && behaviour_of(dialogue)->tls_keywords.count > 0;
}

static const struct schema_texts *keywords_of(const struct mx_dialogue *dialogue)
{
    const struct mx_behaviour *behaviour = behaviour_of(dialogue);
    return tls_keywords_rule(dialogue) ? &behaviour->tls_keywords : &behaviour->keywords;
}

/* The i-th keyword that is offered now, NULL at the end. */
static const char *keyword_at(const struct mx_dialogue *dialogue, size_t i)
{
    const struct schema_texts *keywords = keywords_of(dialogue), *offers = &behaviour_of(dialogue)->offers;
    if (i < keywords->count)
        return keywords->items[i];
    i -= keywords->count;
    for (size_t k = 0; k < offers->count; k++) {
        bool shown = dialogue->tls || strcasecmp(offers->items[k], "REQUIRETLS") != 0;
        if (shown && i == 0)
            return offers->items[k];
        i -= shown;
    }
    return NULL;
}

/* What stands behind an EHLO keyword, "" when nothing does; NULL when the keyword is not offered. */
static const char *keyword_value(const struct mx_dialogue *dialogue, const char *keyword)
{
    const char *text;
    for (size_t i = 0; (text = keyword_at(dialogue, i)) != NULL; i++) {
        size_t length = strcspn(text, " ");
        if (length == strlen(keyword) && strncasecmp(text, keyword, length) == 0)
            return text + length + strspn(text + length, " ");
    }
    return NULL;
}

size_t mx_dialogue_size_limit(const struct mx_dialogue *dialogue)
{
    const char *announced = keyword_value(dialogue, "SIZE");
    unsigned long limit = announced != NULL ? strtoul(announced, NULL, 10) : 0;
    return limit > 0 && limit < MX_MESSAGE_MAX ? limit : MX_MESSAGE_MAX;
}

static void hit(struct mx_answer *answer, size_t setting, const struct mx_doing *doing)
{
    assert(answer->hit_count < MX_HITS_MAX);
    answer->hits[answer->hit_count++] = (struct mx_hit){setting, doing};
}

/* A setting that is not a step's took effect, if it departs from the usual. */
static void hit_if_departing(const struct mx_dialogue *dialogue, struct mx_answer *answer, size_t setting)
{
    if (mx_setting_departs(behaviour_of(dialogue), setting))
        hit(answer, setting, NULL);
}

/* ---- replies ---- */

static char class_of(const char *reply)
{
    return strspn(reply, "0123456789") == CODE_LENGTH ? reply[0] : '\0';
}

/* "250 text", not yet "250-text" as it goes over the wire. */
static bool has_code(const char *reply)
{
    return class_of(reply) != '\0' && strchr(" \n", reply[CODE_LENGTH]) != NULL; /* or the end */
}

struct mx_lines mx_reply_lines(struct arena *arena, const char *reply)
{
    struct {
        const char **items;
        size_t count, room;
    } lines = {0};
    bool coded = has_code(reply);
    const char *text =
        coded && reply[CODE_LENGTH] != '\0' ? reply + CODE_LENGTH + 1 : reply + (coded ? CODE_LENGTH : 0);
    for (bool last = false; !last;) {
        size_t length = strcspn(text, "\n");
        /* A line end at the very end, as a | block has it, begins no further line. */
        last = text[length] == '\0' || text[length + 1] == '\0';
        size_t kept = length > 0 && text[length - 1] == '\r' ? length - 1 : length;
        *ARENA_PUSH(arena, &lines) = coded ? arena_printf(arena, "%.3s%c%.*s", reply, last ? ' ' : '-', (int)kept, text)
                                           : arena_strndup(arena, text, kept);
        text += length + 1;
    }
    return (struct mx_lines){lines.items, lines.count};
}

/* ---- verbs: each does what it does and returns its reply ---- */

static const char *run_helo(struct mx_dialogue *dialogue, struct arena *arena, const char *args,
                            struct mx_answer *answer UNUSED)
{
    if (*args == '\0')
        return "501 5.5.4 Syntax: HELO hostname";
    mx_dialogue_reset(dialogue);
    dialogue->greeted = true;
    dialogue->extended = false;
    return arena_printf(arena, "250 %s", dialogue->host->config.name);
}

/* The STARTTLS line of the answer to EHLO; "" when it is not there. */
static const char *starttls_keyword(const struct mx_dialogue *dialogue)
{
    int starttls = behaviour_of(dialogue)->starttls;
    bool usual = starttls == MX_STARTTLS_OFFERED;
    if (dialogue->tls || starttls == MX_STARTTLS_HIDDEN || (usual && dialogue->host->config.identity == NULL))
        return "";
    return starttls == MX_STARTTLS_STRIPPED ? "\nXXXXXXXA" : "\nSTARTTLS";
}

static const char *run_ehlo(struct mx_dialogue *dialogue, struct arena *arena, const char *args,
                            struct mx_answer *answer)
{
    const struct mx_behaviour *behaviour = behaviour_of(dialogue);
    if (*args == '\0')
        return "501 5.5.4 Syntax: EHLO hostname";
    mx_dialogue_reset(dialogue);
    dialogue->greeted = dialogue->extended = true;
    const char *reply = arena_printf(arena, "250 %s", dialogue->host->config.name);
    const char *keyword;
    for (size_t i = 0; (keyword = keyword_at(dialogue, i)) != NULL; i++)
        reply = arena_printf(arena, "%s\n%s", reply, keyword);
    hit_if_departing(dialogue, answer, tls_keywords_rule(dialogue) ? MX_SETTING(tls_keywords) : MX_SETTING(keywords));
    if (!dialogue->tls && (behaviour->starttls == MX_STARTTLS_HIDDEN || behaviour->starttls == MX_STARTTLS_STRIPPED))
        hit(answer, MX_SETTING(starttls), NULL);
    return arena_printf(arena, "%s%s", reply, starttls_keyword(dialogue));
}

/* What follows a STARTTLS that is not simply carried out. */
static const struct {
    const char *reply;
    enum mx_then then;
    bool later; /* takes effect, and is reported, after the handshake */
} starttls_ways[] = {
    [MX_STARTTLS_OFFERED] = {"220 2.0.0 Ready to start TLS", MX_THEN_TLS},
    [MX_STARTTLS_HIDDEN] = {"502 5.5.1 Command not implemented", MX_THEN_LISTEN},
    [MX_STARTTLS_REFUSED_454] = {"454 4.7.0 TLS not available due to temporary reason", MX_THEN_LISTEN},
    [MX_STARTTLS_REFUSED_502] = {"502 5.5.1 Command not implemented", MX_THEN_LISTEN},
    [MX_STARTTLS_REFUSED_554] = {"554 5.7.1 TLS refused", MX_THEN_LISTEN},
    [MX_STARTTLS_REFUSED_421] = {"421 4.3.0 Closing", MX_THEN_CLOSE},
    [MX_STARTTLS_ANSWERED_250] = {"250 2.0.0 Ok", MX_THEN_LISTEN},
    [MX_STARTTLS_STRIPPED] = {"500 5.5.1 Command unrecognized", MX_THEN_LISTEN},
    [MX_STARTTLS_BROKEN] = {"220 2.0.0 Ready to start TLS", MX_THEN_GARBAGE},
    [MX_STARTTLS_RESET] = {"220 2.0.0 Ready to start TLS", MX_THEN_GARBAGE_RST},
    [MX_STARTTLS_CLOSE] = {"220 2.0.0 Ready to start TLS", MX_THEN_CLOSE},
    [MX_STARTTLS_STALL] = {"220 2.0.0 Ready to start TLS", MX_THEN_STALL},
    [MX_STARTTLS_ALERT] = {"220 2.0.0 Ready to start TLS", MX_THEN_TLS},
    [MX_STARTTLS_SLOW] = {"220 2.0.0 Ready to start TLS", MX_THEN_TLS},
    [MX_STARTTLS_FLOODED] = {"220 2.0.0 Ready to start TLS", MX_THEN_TLS, true},
    [MX_STARTTLS_RENEGOTIATED] = {"220 2.0.0 Ready to start TLS", MX_THEN_TLS, true},
};

static const char *run_starttls(struct mx_dialogue *dialogue, struct arena *arena UNUSED, const char *args,
                                struct mx_answer *answer)
{
    const struct mx_behaviour *behaviour = behaviour_of(dialogue);
    if (*args != '\0')
        return no_parameters;
    if (dialogue->tls || !dialogue->greeted)
        return bad_sequence;
    if (behaviour->starttls == MX_STARTTLS_OFFERED && dialogue->host->config.identity == NULL)
        return "502 5.5.1 Command not implemented";
    if (behaviour->starttls != MX_STARTTLS_OFFERED && !starttls_ways[behaviour->starttls].later)
        hit(answer, MX_SETTING(starttls), NULL);
    answer->then = starttls_ways[behaviour->starttls].then;
    if (behaviour->inject != NULL && starttls_ways[behaviour->starttls].reply[0] == '2') {
        answer->inject = behaviour->inject;
        hit(answer, MX_SETTING(inject), NULL);
    }
    return starttls_ways[behaviour->starttls].reply;
}

/* ESMTP parameters of MAIL and RCPT, each allowed only where its keyword was offered. */
static const struct {
    char of; /* 'M'AIL or 'R'CPT */
    const char *name, *keyword;
} parameters[] = {
    {'M', "SIZE", "SIZE"}, {'M', "BODY", "8BITMIME"}, {'M', "SMTPUTF8", "SMTPUTF8"}, {'M', "REQUIRETLS", "REQUIRETLS"},
    {'M', "RET", "DSN"},   {'M', "ENVID", "DSN"},     {'R', "NOTIFY", "DSN"},        {'R', "ORCPT", "DSN"},
};

/* The value of a parameter ("" when there is none), NULL when it is not that parameter. */
static const char *parameter_value(const char *word, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    if (length < name_length || strncasecmp(word, name, name_length) != 0)
        return NULL;
    if (length == name_length)
        return "";
    return word[name_length] == '=' ? word + name_length + 1 : NULL;
}

static const char *check_parameter(const struct mx_dialogue *dialogue, char of, const char *word, size_t length)
{
    for (size_t i = 0; i < COUNT(parameters); i++) {
        const char *value = parameter_value(word, length, parameters[i].name);
        if (parameters[i].of != of || value == NULL)
            continue;
        if (!dialogue->extended || keyword_value(dialogue, parameters[i].keyword) == NULL)
            break;
        if (strcmp(parameters[i].name, "SIZE") == 0 && strtoull(value, NULL, 10) > mx_dialogue_size_limit(dialogue))
            return too_big_reply;
        return NULL;
    }
    return "555 5.5.4 Unsupported parameter";
}

/* NULL: all of them are fine. */
static const char *check_parameters(const struct mx_dialogue *dialogue, char of, const char *words)
{
    const char *wrong = NULL;
    while (wrong == NULL && *(words += strspn(words, " ")) != '\0') {
        size_t length = strcspn(words, " ");
        wrong = check_parameter(dialogue, of, words, length);
        words += length;
    }
    return wrong;
}

/* The length of "<...>" at the beginning of a text, quoted strings respected; 0: there is none. */
static size_t path_length(const char *text)
{
    if (*text != '<')
        return 0;
    bool quoted = false;
    for (size_t i = 1; text[i] != '\0' && i < PATH_BYTES_MAX; i++) {
        if (text[i] == '\\' && quoted && text[i + 1] != '\0')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && text[i] == '>')
            return i + 1;
        else if ((!quoted && text[i] == ' ') || iscntrl((unsigned char)text[i]))
            return 0;
    }
    return 0;
}

/* Reads keyword "<path>" parameters; the path without its brackets. False: a syntax error. */
static bool read_path(struct arena *arena, const char *args, const char *keyword, const char **path, const char **rest)
{
    if (strncasecmp(args, keyword, strlen(keyword)) != 0)
        return false;
    args += strlen(keyword);
    size_t length = path_length(args);
    if (length == 0 || (args[length] != '\0' && args[length] != ' '))
        return false;
    *path = arena_strndup(arena, args + 1, length - 2);
    *rest = args + length;
    return true;
}

static const char *run_mail(struct mx_dialogue *dialogue, struct arena *arena, const char *args,
                            struct mx_answer *answer UNUSED)
{
    const char *sender, *rest;
    if (!dialogue->greeted || dialogue->envelope.arena != NULL)
        return bad_sequence;
    if (!read_path(arena, args, "FROM:", &sender, &rest))
        return bad_parameters;
    const char *wrong = check_parameters(dialogue, 'M', rest);
    if (wrong != NULL)
        return wrong;
    dialogue->envelope.arena = arena_new("envelope");
    dialogue->envelope.sender = arena_strdup(dialogue->envelope.arena, sender);
    return "250 2.1.0 Sender ok";
}

static bool is_recipient(const char *path)
{
    return strcasecmp(path, "postmaster") == 0 || (strrchr(path, '@') != NULL && strrchr(path, '@')[1] != '\0');
}

static const char *run_rcpt(struct mx_dialogue *dialogue, struct arena *arena, const char *args,
                            struct mx_answer *answer UNUSED)
{
    const char *recipient, *rest;
    struct mx_envelope *envelope = &dialogue->envelope;
    if (envelope->arena == NULL || envelope->chunked)
        return bad_sequence;
    if (!read_path(arena, args, "TO:", &recipient, &rest) || !is_recipient(recipient))
        return bad_parameters;
    const char *wrong = check_parameters(dialogue, 'R', rest);
    if (wrong != NULL)
        return wrong;
    if (envelope->recipients.count == MX_RECIPIENTS_MAX)
        return "452 4.5.3 Too many recipients";
    *ARENA_PUSH(envelope->arena, &envelope->recipients) = arena_strdup(envelope->arena, recipient);
    return "250 2.1.5 Recipient ok";
}

/* NULL: the text of a message may come. */
static const char *check_ready(const struct mx_dialogue *dialogue)
{
    if (dialogue->envelope.arena == NULL)
        return bad_sequence;
    return dialogue->envelope.recipients.count == 0 ? "554 5.5.1 No valid recipients" : NULL;
}

static const char *run_data(struct mx_dialogue *dialogue, struct arena *arena UNUSED, const char *args,
                            struct mx_answer *answer)
{
    if (*args != '\0')
        return no_parameters;
    const char *wrong = dialogue->envelope.chunked ? bad_sequence : check_ready(dialogue);
    if (wrong != NULL)
        return wrong;
    answer->then = MX_THEN_DATA;
    return "354 Go ahead, end with <CRLF>.<CRLF>";
}

/* RFC 3030: the chunk comes whatever we think of it, so the reply waits for its end. */
static const char *run_bdat(struct mx_dialogue *dialogue, struct arena *arena UNUSED, const char *args,
                            struct mx_answer *answer)
{
    size_t digits = strspn(args, "0123456789");
    const char *rest = args + digits + strspn(args + digits, " ");
    bool last = strcasecmp(rest, "LAST") == 0;
    if (keyword_value(dialogue, "CHUNKING") == NULL)
        return "502 5.5.1 Command not implemented";
    if (digits == 0 || digits > CHUNK_DIGITS_MAX || (*rest != '\0' && !last))
        return bad_parameters;
    dialogue->chunk = strtoul(args, NULL, 10);
    dialogue->chunk_last = last;
    answer->then = MX_THEN_CHUNK;
    return NULL;
}

static const char *run_rset(struct mx_dialogue *dialogue, struct arena *arena UNUSED, const char *args,
                            struct mx_answer *answer UNUSED)
{
    if (*args != '\0')
        return no_parameters;
    mx_dialogue_reset(dialogue);
    return "250 2.0.0 Ok";
}

static const char *run_noop(struct mx_dialogue *dialogue UNUSED, struct arena *arena UNUSED, const char *args UNUSED,
                            struct mx_answer *answer UNUSED)
{
    return "250 2.0.0 Ok";
}

static const char *run_vrfy(struct mx_dialogue *dialogue UNUSED, struct arena *arena UNUSED, const char *args,
                            struct mx_answer *answer UNUSED)
{
    return *args == '\0' ? bad_parameters : "252 2.5.0 Cannot verify, but will try to deliver";
}

static const char *run_quit(struct mx_dialogue *dialogue UNUSED, struct arena *arena UNUSED, const char *args,
                            struct mx_answer *answer)
{
    if (*args != '\0')
        return no_parameters;
    answer->then = MX_THEN_CLOSE;
    return "221 2.0.0 Bye";
}

static const char *run_other(struct mx_dialogue *dialogue UNUSED, struct arena *arena UNUSED, const char *args UNUSED,
                             struct mx_answer *answer UNUSED)
{
    return "500 5.5.1 Command unrecognized";
}

static const struct verb {
    const char *name;
    enum mx_step step;
    char usual; /* class of the reply when all is well; '\0': there is no reply of its own */
    const char *(*run)(struct mx_dialogue *dialogue, struct arena *arena, const char *args, struct mx_answer *answer);
} verbs[] = {
    {"EHLO", MX_STEP_EHLO, '2', run_ehlo},
    {"HELO", MX_STEP_HELO, '2', run_helo},
    {"STARTTLS", MX_STEP_STARTTLS, '2', run_starttls},
    {"MAIL", MX_STEP_MAIL, '2', run_mail},
    {"RCPT", MX_STEP_RCPT, '2', run_rcpt},
    {"DATA", MX_STEP_DATA, '3', run_data},
    {"BDAT", MX_STEP_BDAT, '\0', run_bdat}, /* answered at the end of the chunk */
    {"RSET", MX_STEP_RSET, '2', run_rset},
    {"NOOP", MX_STEP_NOOP, '2', run_noop},
    {"VRFY", MX_STEP_VRFY, '2', run_vrfy},
    {"QUIT", MX_STEP_QUIT, '2', run_quit},
};
static const struct verb other_verb = {NULL, MX_STEP_OTHER, '\0', run_other};

/* ---- a step, with what the behaviour has to say about it ---- */

static unsigned count_step(const struct mx_dialogue *dialogue, enum mx_step step)
{
    return ++dialogue->host->counts[step];
}

/* RFC 5321 4.2.1: 421 says that the server closes. */
static void finish(struct mx_answer *answer)
{
    if (answer->reply != NULL && strncmp(answer->reply, "421", CODE_LENGTH) == 0)
        answer->then = MX_THEN_CLOSE;
}

static void do_instead(struct mx_answer *answer, const struct mx_doing *doing)
{
    static const enum mx_then thens[] = {[MX_REPLY] = MX_THEN_LISTEN,
                                         [MX_STALL] = MX_THEN_STALL,
                                         [MX_RESET] = MX_THEN_RESET,
                                         [MX_CLOSE] = MX_THEN_CLOSE,
                                         [MX_ENDLESS_LINE] = MX_THEN_ENDLESS_LINE,
                                         [MX_ENDLESS_LINES] = MX_THEN_ENDLESS_LINES,
                                         [MX_DRIP] = MX_THEN_DRIP};
    answer->reply = doing->act == MX_REPLY ? doing->reply : NULL;
    answer->raw = doing->act == MX_REPLY ? doing->raw : NULL;
    answer->then = thens[doing->act];
}

static bool leaves_reply(const struct mx_doing *doing)
{
    return doing->act == MX_PIECEMEAL || doing->act == MX_DEAF;
}

/* The step is done, and told in other words or another way. */
static void do_beside(struct mx_answer *answer, const struct mx_doing *doing)
{
    answer->aside = doing->act;
    if (!leaves_reply(doing)) {
        answer->reply = doing->reply;
        answer->raw = doing->raw;
    }
}

static const struct mx_doing *doing_of(const struct mx_dialogue *dialogue, enum mx_step step, unsigned nth,
                                       const char *line)
{
    return mx_behaviour_doing(behaviour_of(dialogue), step, nth, line);
}

/* Does it take the place of the step itself? All do but a reply of the usual's class, and what leaves the reply. */
static bool replaces_step(const struct mx_doing *doing, char usual)
{
    const char *reply = doing->raw != NULL ? doing->raw : doing->reply;
    return !leaves_reply(doing) && (doing->act != MX_REPLY || class_of(reply) != usual);
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return &other_verb;
}

/* The first word of a line in capitals, cut where no verb is longer. */
static const char *verb_name(struct arena *arena, const char *line)
{
    size_t length = strcspn(line, " ");
    char *name = arena_strndup(arena, line, length < VERB_MAX ? length : VERB_MAX);
    for (char *at = name; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return name;
}

struct mx_answer mx_greet(struct mx_dialogue *dialogue, struct arena *arena)
{
    struct mx_answer answer = {.nth = count_step(dialogue, MX_STEP_GREETING)};
    const struct mx_doing *doing = doing_of(dialogue, MX_STEP_GREETING, answer.nth, NULL);
    answer.reply = arena_printf(arena, "220 %s ESMTP", dialogue->host->config.name);
    if (doing != NULL) {
        dialogue->refused = replaces_step(doing, '2');
        (dialogue->refused ? do_instead : do_beside)(&answer, doing);
        hit(&answer, MX_SETTING(greeting), doing);
    }
    finish(&answer);
    return answer;
}

struct mx_answer mx_command(struct mx_dialogue *dialogue, struct arena *arena, const char *line)
{
    struct mx_answer answer = {.verb = verb_name(arena, line)};
    const struct verb *verb = find_verb(answer.verb);
    answer.nth = count_step(dialogue, verb->step);
    const struct mx_doing *doing = doing_of(dialogue, verb->step, answer.nth, line);
    if (doing != NULL && replaces_step(doing, verb->usual)) {
        do_instead(&answer, doing);
        hit(&answer, mx_step_setting(verb->step), doing);
    } else if (dialogue->refused && verb->step != MX_STEP_QUIT) {
        answer.reply = bad_sequence;
    } else {
        const char *args = line + strcspn(line, " ");
        answer.reply = verb->run(dialogue, arena, args + strspn(args, " "), &answer);
        if (doing != NULL && class_of(answer.reply) == verb->usual) {
            do_beside(&answer, doing);
            answer.hit_count = 0; /* whatever else the reply would have shown is not in it */
            hit(&answer, mx_step_setting(verb->step), doing);
        }
    }
    finish(&answer);
    return answer;
}

/* The answer when the text of a message, or a part of it, is here; wrong: why it cannot be taken, NULL: it can. */
static struct mx_answer end_of_text(struct mx_dialogue *dialogue, enum mx_step step, const char *wrong)
{
    bool last = step == MX_STEP_END_OF_DATA;
    struct mx_answer answer = {.nth = count_step(dialogue, step),
                               .reply = wrong != NULL ? wrong
                                        : last        ? "250 2.0.0 Message accepted"
                                                      : "250 2.0.0 Chunk ok",
                               .then = wrong == NULL && last ? MX_THEN_ACCEPT : MX_THEN_LISTEN};
    const struct mx_doing *doing = doing_of(dialogue, step, answer.nth, NULL);
    if (doing != NULL && replaces_step(doing, '2')) {
        do_instead(&answer, doing);
        hit(&answer, mx_step_setting(step), doing);
    } else if (doing != NULL && wrong == NULL) {
        do_beside(&answer, doing);
        hit(&answer, mx_step_setting(step), doing);
    }
    finish(&answer);
    return answer;
}

struct mx_answer mx_end_of_data(struct mx_dialogue *dialogue, bool too_big)
{
    return end_of_text(dialogue, MX_STEP_END_OF_DATA, too_big ? too_big_reply : NULL);
}

struct mx_answer mx_end_of_chunk(struct mx_dialogue *dialogue, bool too_big)
{
    const char *wrong = check_ready(dialogue);
    return end_of_text(dialogue, dialogue->chunk_last ? MX_STEP_END_OF_DATA : MX_STEP_CHUNK,
                       wrong == NULL && too_big ? too_big_reply : wrong);
}
