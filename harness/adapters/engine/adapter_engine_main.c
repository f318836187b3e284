/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-adapter-engine - makes the reference engine a subject: a fresh engine for each case, all in one process on
 * standby, spoken to by its socket.
 *
 * Owns:   the process on standby and, per case, a directory in MTALAB_DIR.
 * Errors: answers. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/process.h"
#include "base/text.h"
#include "harness/adapters/adapter.h"

struct state {
    char program[PATH_MAX]; /* mtalab-engine, beside this program */
    unsigned cases;
    struct arena *arena; /* of the case */
    const char *directory;
    struct process *standby;
    FILE *orders, *answers; /* its standard input and output */
    FILE *control;
    json_int_t flushed; /* the newest message at the last flush */
};

static const char *const dane_words[] = {"none", "opportunistic", "mandatory", NULL};
static const char *const sts_words[] = {"none", "opportunistic", NULL};
static const char *const features[] = {
    "queue",          "clock",      "forget",     "exchange-codes",
    "exchange-retry", "connectors", "smart-host", "mta-sts-mandatory",
    "requiretls",     "smtputf8",   "8bitmime",   "chunking",
    "bdat",           "pipelining", "tls-rpt",    "tls-resumption",
    "switches",       NULL,
};
static const char *const settings[] = {
    "MTALAB_DIR",      "MTALAB_RESOLVER", "MTALAB_ROOT_KEY", "MTALAB_ROOT_HINTS", "MTALAB_RESOLVER_OPTIONS",
    "MTALAB_CA",       "MTALAB_LISTEN",   "MTALAB_HOSTNAME", "MTALAB_DANE",       "MTALAB_MTA_STS",
    "MTALAB_PATIENCE", "MTALAB_TLS_RPT",  "MTALAB_DKIM_KEY", "MTALAB_CONNECTORS", NULL,
};

static bool is_one_of(const char *word, size_t length, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == length && strncmp(word, *words, length) == 0)
            return true;
    return false;
}

/* ---- describe ---- */

/* Which way the engine goes where the RFCs leave room. */
static const struct {
    const char *key, *word;
} choices[] = {
    {"dane-insecure-mx", "skip"},
    {"dane-pass-sts-fail", "deliver"},
    {"mx-alias", "follow"},
    {"pkix-usages", "unusable"},
    {"bogus-without-dane", "deliver"},
    {"failed-tls", "clear"},
    {"lost-tls", "wait"},
    {"old-tls", "refuse"},
    {"client-certificate", "none"},
    {"anonymous-suites", "refuse"},
    {"sni", "always"},
    {"alias-sni", "target"},
    {"injected-replies", "give-up"},
    {"refused-in-tls", "wait"},
    {"starttls-insisted-on", "wait"},
    {"refused-session", "wait"},
    {"no-usable-host", "wait"},
    {"dangling-alias", "bounce"},
    {"endless-alias", "wait"},
    {"unsigned-denial", "wait"},
    {"null-mx-beside-others", "ignore"},
    {"address-as-mx", "wait"},
    {"address-literal", "wait"},
    {"failed-aaaa", "give-up"},
    {"failed-host", "next"},
    {"next-address", "try"},
    {"host-without-dane", "pass"},
    {"sha-512", "known"},
    {"dane-ee-extensions", "ignore"},
    {"dane-ta-purpose", "heed"},
    {"weak-certificate", "accept"},
    {"common-name", "heed"},
    {"deep-wildcard", "refuse"},
    {"misordered-chain", "sort"},
    {"known-anchor", "ignore"},
    {"bare-anchor-key", "use"},
    {"leaf-as-anchor", "refuse"},
    {"anchor-limits", "heed"},
    {"lost-announcement", "go-on"},
    {"announcement-blanks", "refuse"},
    {"policy-type", "refuse"},
    {"policy-size", "refuse"},
    {"policy-form", "strict"},
    {"max-age-too-long", "cut"},
    {"max-age-zero", "apply"},
    {"same-id", "fetch"},
    {"policy-of-target", "ignore"},
    {"implicit-mx-policy", "host"},
    {"incomplete-chain", "refuse"},
    {"revoked-certificate", "ignore"},
    {"requiretls-testing", "bounce"},
    {"requiretls-other-name", "deliver"},
    {"requiretls-mandatory", "bounce"},
    {"requiretls-trouble", "wait"},
    {"tls-required-twice", "ignore"},
    {"8-bit-text", "bounce"},
};

static json_t *latitude(void)
{
    json_t *object = json_object();
    for (size_t i = 0; i < COUNT(choices); i++)
        json_object_set_new(object, choices[i].key, json_string(choices[i].word));
    return object;
}

static json_t *do_describe(const struct adapter *adapter, const char *argument)
{
    (void)adapter, (void)argument;
    json_t *answer = adapter_ok(), *modes = json_array();
    for (size_t i = 0; dane_words[i] != NULL; i++)
        for (size_t j = 0; sts_words[j] != NULL; j++)
            json_array_append_new(modes, json_pack("{s:s,s:s,s:s}", "dane", dane_words[i], "mta-sts", sts_words[j],
                                                   "how", "native"));
    json_t *rest = json_pack("{s:s,s:s,s:o,s:o,s:s,s:b,s:o,s:s}", "name", "mtalab-engine", "version", "1", "modes",
                             modes, "features", adapter_words(features), "resolver", "own", "needs-root", 0, "latitude",
                             latitude(), "sts-fetch", "synchronous");
    json_object_update(answer, rest);
    json_decref(rest);
    return answer;
}

/* ---- the engine on standby ---- */

static void dismiss_standby(struct state *state)
{
    if (state->orders != NULL)
        fclose(state->orders);
    if (state->answers != NULL)
        fclose(state->answers);
    state->orders = state->answers = NULL;
    process_stop(&state->standby, 0);
}

/* Comes back before it is warm: the lab has work meanwhile. What it has to complain about goes to the lab's log. */
static bool spawn_standby(struct state *state, struct err *err)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0)
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    }
    const char *argv[] = {state->program, "standby", NULL};
    struct process_spec spec = {.argv = argv, .in = in[0], .out = out[1], .err = STDERR_FILENO};
    state->standby = process_spawn(&spec, err);
    state->orders = fdopen(in[1], "w");
    state->answers = fdopen(out[0], "r");
    close(in[0]);
    close(out[1]);
    if (state->standby == NULL || state->orders == NULL || state->answers == NULL)
        dismiss_standby(state);
    return state->standby != NULL;
}

/* The path of a configuration: an engine for it; nothing: the end of the one there is. */
static bool order(struct state *state, const char *config, const char *wanted)
{
    char answer[16];
    return state->orders != NULL && fprintf(state->orders, "%s\n", config) > 0 && fflush(state->orders) == 0 &&
           fgets(answer, sizeof answer, state->answers) != NULL && strcmp(answer, wanted) == 0;
}

/* A standby that has ended is replaced. */
static bool start_engine(struct state *state, const char *config, struct err *err)
{
    if (state->standby != NULL && !process_alive(state->standby))
        dismiss_standby(state);
    if (state->standby == NULL && !spawn_standby(state, err))
        return false;
    if (order(state, config, "ready\n"))
        return true;
    dismiss_standby(state);
    return err_set(err, ERR_SYSTEM, "mtalab-engine did not start; it says why in the log");
}

static json_t *do_start(const struct adapter *adapter, const char *argument)
{
    (void)argument;
    struct state *state = adapter->state;
    struct err err;
    return spawn_standby(state, &err) ? adapter_ok() : adapter_error(&err);
}

/* ---- end ---- */

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)about, (void)type, (void)where;
    return remove(path);
}

static void end_case(struct state *state)
{
    if (state->control != NULL)
        fclose(state->control);
    state->control = NULL;
    if (state->standby != NULL && !order(state, "", "ended\n"))
        dismiss_standby(state);
    if (state->directory != NULL)
        nftw(state->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    state->directory = NULL;
    arena_free(&state->arena);
}

static json_t *do_end(const struct adapter *adapter, const char *argument)
{
    (void)argument;
    end_case(adapter->state);
    return adapter_ok();
}

/* ---- begin ---- */

static json_t *check_settings(const struct adapter *adapter, const char *argument)
{
    for (const char *pair = argument + strspn(argument, " "); *pair != '\0'; pair += strspn(pair, " ")) {
        size_t length = strcspn(pair, "= ");
        if (!is_one_of(pair, length, settings))
            return adapter_unsupported("there is no setting '%.*s'", (int)length, pair);
        pair += strcspn(pair, " ");
    }
    const char *dane = adapter_setting(adapter, "MTALAB_DANE"), *sts = adapter_setting(adapter, "MTALAB_MTA_STS");
    if (!is_one_of(dane, strlen(dane), dane_words))
        return adapter_unsupported("there is no DANE mode '%s'", dane);
    if (!is_one_of(sts, strlen(sts), sts_words))
        return adapter_unsupported("there is no MTA-STS mode '%s'", sts);
    return NULL;
}

/* "key: value" when the lab has said it; values are quoted. */
static const char *line_of(const struct adapter *adapter, struct arena *arena, const char *key, const char *setting)
{
    const char *value = adapter_setting(adapter, setting);
    if (*value == '\0')
        return "";
    return arena_printf(arena, "%s: '%s'\n", key, value);
}

static const char *patience_line(const struct adapter *adapter, struct arena *arena)
{
    double seconds = strtod(adapter_setting(adapter, "MTALAB_PATIENCE"), NULL);
    return seconds > 0 ? arena_printf(arena, "patience: %.0fms\n", seconds * 1000) : "";
}

/* A part of the file of connectors; JSON is YAML. "" where the scenario says nothing of it. */
static const char *setup_line(struct arena *arena, const json_t *setup, const char *key)
{
    const json_t *part = json_object_get(setup, key);
    char *text = part != NULL ? json_dumps(part, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    const char *line = text != NULL ? arena_printf(arena, "%s: %s\n", key, text) : "";
    free(text);
    return line;
}

/* Switches have the engine's own names. */
static const char *switch_lines(struct arena *arena, const json_t *setup)
{
    const char *key, *lines = "";
    json_t *value;
    json_object_foreach(json_object_get(setup, "switches"), key, value) lines =
        arena_printf(arena, "%s%s: %s\n", lines, key, json_string_value(value));
    return lines;
}

/* What the scenario says of connectors, or one for all mail in the mode of the case. */
static const char *setup_lines(const struct adapter *adapter, struct arena *arena)
{
    json_t *setup = json_load_file(adapter_setting(adapter, "MTALAB_CONNECTORS"), 0, NULL);
    const char *connectors = setup_line(arena, setup, "connectors");
    if (*connectors == '\0')
        connectors = arena_printf(arena,
                                  "connectors:\n  - name: lab\n    recipient-domains: '*'\n    smtp-dane: %s\n"
                                  "    mta-sts: %s\n",
                                  adapter_setting(adapter, "MTALAB_DANE"), adapter_setting(adapter, "MTALAB_MTA_STS"));
    const char *lines = arena_printf(arena, "%s%s%s%s", connectors, setup_line(arena, setup, "rules"),
                                     setup_line(arena, setup, "accepted-domains"), switch_lines(arena, setup));
    json_decref(setup);
    return lines;
}

/* TLS reports are made where the lab names who makes them. */
static const char *tls_rpt_lines(const struct adapter *adapter, struct arena *arena)
{
    const char *contact = adapter_setting(adapter, "MTALAB_TLS_RPT");
    return *contact == '\0' ? ""
                            : arena_printf(arena,
                                           "tls-rpt:\n  organization: mtalab\n  contact: '%s'\n  dkim-key: '%s'\n"
                                           "  dkim-selector: lab\n  delay: 0s\n",
                                           contact, adapter_setting(adapter, "MTALAB_DKIM_KEY"));
}

static char *write_config(const struct adapter *adapter, const struct state *state, struct err *err)
{
    struct arena *arena = state->arena;
    char *path = arena_printf(arena, "%s/engine.yaml", state->directory);
    const char *text =
        arena_printf(arena,
                     "directory: '%s'\nclients: [0.0.0.0/0, '::/0']\nrequiretls-from: clients\nfsync: "
                     "no\n%s%s%s%s%sresolver:\n  %s  %s  %s\n%s",
                     state->directory, line_of(adapter, arena, "hostname", "MTALAB_HOSTNAME"),
                     line_of(adapter, arena, "listen", "MTALAB_LISTEN"),
                     line_of(adapter, arena, "ca-file", "MTALAB_CA"), patience_line(adapter, arena),
                     tls_rpt_lines(adapter, arena), line_of(adapter, arena, "root-hints", "MTALAB_ROOT_HINTS"),
                     line_of(adapter, arena, "trust-anchor", "MTALAB_ROOT_KEY"),
                     line_of(adapter, arena, "options-file", "MTALAB_RESOLVER_OPTIONS"), setup_lines(adapter, arena));
    return text_write_file(path, text, strlen(text), err) ? path : NULL;
}

static bool open_control(struct state *state, struct err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s/control", state->directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        err_set(err, ERR_SYSTEM, "%s: %s", to.sun_path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    state->control = fdopen(fd, "r+");
    return state->control != NULL || err_set(err, ERR_SYSTEM, "fdopen: %s", strerror(errno));
}

static bool begin_case(const struct adapter *adapter, struct state *state, struct err *err)
{
    state->arena = arena_new("case");
    state->flushed = 0;
    state->directory = arena_printf(state->arena, "%s/%u", adapter_setting(adapter, "MTALAB_DIR"), ++state->cases);
    if (mkdir(state->directory, 0700) != 0)
        return err_set(err, ERR_SYSTEM, "%s: %s", state->directory, strerror(errno));
    const char *config = write_config(adapter, state, err);
    return config != NULL && start_engine(state, config, err) && open_control(state, err);
}

static json_t *do_begin(const struct adapter *adapter, const char *argument)
{
    struct state *state = adapter->state;
    json_t *wrong = check_settings(adapter, argument);
    if (wrong != NULL)
        return wrong;
    struct err err;
    end_case(state);
    if (begin_case(adapter, state, &err))
        return adapter_ok();
    end_case(state);
    return adapter_error(&err);
}

/* ---- what the engine answers itself ---- */

static json_t *ask(const struct adapter *adapter, json_t *request)
{
    struct state *state = adapter->state;
    json_t *answer = NULL;
    json_error_t wrong = {.text = "no case has begun"};
    char *line = NULL;
    size_t room = 0;
    /* Written past the stream: a stream that has been read from must not be written to without a seek. */
    if (state->control != NULL && json_dumpfd(request, fileno(state->control), JSON_COMPACT) == 0 &&
        write(fileno(state->control), "\n", 1) == 1 && getline(&line, &room, state->control) > 0)
        answer = json_loads(line, 0, &wrong);
    free(line);
    json_decref(request);
    return answer != NULL ? answer : adapter_failed("the engine does not answer: %s", wrong.text);
}

/* The newest message that the engine knows, reports of its own included; 0: none. */
static json_int_t newest_message(const struct adapter *adapter)
{
    json_t *status = ask(adapter, json_pack("{s:s}", "do", "status")), *row;
    json_int_t newest = 0;
    size_t i;
    json_array_foreach(json_object_get(status, "messages"), i, row)
    {
        json_int_t id = json_integer_value(json_object_get(row, "message"));
        newest = id > newest ? id : newest;
    }
    json_decref(status);
    return newest;
}

/* What is new is on its way by itself, and may have been tried already: it must not be tried a second time. */
static json_t *do_flush(const struct adapter *adapter, const char *argument)
{
    (void)argument;
    struct state *state = adapter->state;
    bool is_new = newest_message(adapter) > state->flushed;
    json_t *answer = ask(adapter, json_pack("{s:s}", "do", is_new ? "wait" : "flush"));
    state->flushed = newest_message(adapter);
    return answer;
}

static json_t *do_status(const struct adapter *adapter, const char *argument)
{
    (void)argument;
    return ask(adapter, json_pack("{s:s}", "do", "status"));
}

/* "lab smtp-dane=none tls=encryption-only" */
static json_t *do_connector(const struct adapter *adapter, const char *argument)
{
    const char *name = argument + strspn(argument, " ");
    size_t length = strcspn(name, " ");
    json_t *set = json_object();
    for (const char *pair = name + length + strspn(name + length, " "); *pair != '\0'; pair += strspn(pair, " ")) {
        size_t key = strcspn(pair, "= "), end = strcspn(pair, " ");
        if (pair[key] == '=')
            json_object_setn_new(set, pair, key, json_stringn(pair + key + 1, end - key - 1));
        pair += end;
    }
    return ask(adapter, json_pack("{s:s,s:s%,s:o}", "do", "connector", "name", name, length, "set", set));
}

static json_t *do_forget(const struct adapter *adapter, const char *argument)
{
    (void)argument;
    return ask(adapter, json_pack("{s:s}", "do", "forget"));
}

static json_t *do_advance(const struct adapter *adapter, const char *argument)
{
    char *end;
    double seconds = strtod(argument, &end);
    if (end == argument || *end != '\0' || !(seconds >= 0))
        return adapter_failed("advance wants seconds, not '%s'", argument);
    return ask(adapter, json_pack("{s:s,s:f}", "do", "advance", "seconds", seconds));
}

static json_t *do_report(const struct adapter *adapter, const char *argument)
{
    (void)argument;
    return ask(adapter, json_pack("{s:s}", "do", "report"));
}

static const struct adapter_verb verbs[] = {
    {"describe", do_describe}, {"start", do_start},   {"begin", do_begin},     {"connector", do_connector},
    {"flush", do_flush},       {"status", do_status}, {"advance", do_advance}, {"forget", do_forget},
    {"report", do_report},     {"end", do_end},       {"stop", do_end},
};

static void find_engine(struct state *state)
{
    char self[PATH_MAX - 32];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        *slash = '\0';
    snprintf(state->program, sizeof state->program, "%s/mtalab-engine", self);
}

int main(void)
{
    struct state state = {0};
    signal(SIGPIPE, SIG_IGN); /* an engine that has gone is told by what does not come back */
    find_engine(&state);
    int status = adapter_serve(verbs, COUNT(verbs), &state);
    end_case(&state);
    dismiss_standby(&state);
    return status;
}
