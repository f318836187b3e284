/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-adapter-postfix - makes the Postfix that is installed a subject: a private instance, plain Postfix without
 * plug-ins, so without MTA-STS; or, with --policy-server PROGRAM, one that asks a policy server. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/adapters/adapter.h"
#include "harness/adapters/postfix/policy_server.h"
#include "harness/adapters/postfix/postfix_instance.h"

struct state {
    struct postfix_facts facts;
    struct postfix_instance *instance;
    const char *program;          /* of the policy server; NULL: plain Postfix */
    struct policy_server *server; /* NULL beside a program: it does not start */
    char version[80];
};

/* A policy that the server gives takes the place of the level, which mandatory DANE could not bear. */
static const struct {
    const char *dane, *level;
    bool with_policies;
} levels[] = {{"none", "may", true}, {"opportunistic", "dane", true}, {"mandatory", "dane-only", false}};

static const char *name_of(const struct state *state)
{
    return state->program != NULL ? "postfix-mta-sts" : "postfix";
}

/* What a known failure may be bound to: 3.7.11, or with the policy server 3.7.11+1.1.2. */
static void find_version(struct state *state)
{
    struct err err;
    postfix_facts_read(&state->facts);
    if (state->program != NULL)
        state->server = policy_server_new(state->program, &err);
    snprintf(state->version, sizeof state->version, "%s%s%s", state->facts.version, state->server != NULL ? "+" : "",
             state->server != NULL ? policy_server_version(state->server) : "");
}

static const char *const features[] = {"queue",    "forget",     "smtputf8",   "8bitmime",
                                       "chunking", "pipelining", "smart-host", NULL};

static json_t *do_describe(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    json_t *answer = adapter_ok(), *modes = json_array();
    for (size_t i = 0; i < COUNT(levels); i++)
        json_array_append_new(modes, json_pack("{s:s,s:s,s:s,s:s}", "dane", levels[i].dane, "mta-sts", "none", "how",
                                               "native", "configuration", levels[i].level));
    for (size_t i = 0; state->program != NULL && i < COUNT(levels); i++)
        if (levels[i].with_policies)
            json_array_append_new(modes, json_pack("{s:s,s:s,s:s,s:s+}", "dane", levels[i].dane, "mta-sts",
                                                   "opportunistic", "how", "emulated", "configuration", levels[i].level,
                                                   ", and policies of mta-sts-daemon in smtp_tls_policy_maps"));
    json_t *rest = json_pack("{s:s,s:s,s:o,s:o,s:s,s:b,s:{s:s,s:s,s:s,s:s},s:s}", "name", name_of(state), "version",
                             state->version, "modes", modes, "features", adapter_words(features), "resolver", "daemon",
                             "needs-root", 1, "latitude", "dane-insecure-mx", "use", "mx-alias", "follow",
                             "pkix-usages", "unusable", "bogus-without-dane", "wait", "sts-fetch", "synchronous");
    json_object_update(answer, rest);
    json_decref(rest);
    return answer;
}

/* Postfix changes to a user of its own: root of a namespace with a single id cannot. */
static bool may_change_users(const char *name)
{
    const struct passwd *user = getpwnam(name);
    if (user == NULL || geteuid() != 0 || seteuid(user->pw_uid) != 0)
        return false;
    return seteuid(0) == 0;
}

static json_t *do_start(const struct adapter *adapter, const char *argument UNUSED)
{
    struct state *state = adapter->state;
    struct err err = {0};
    if (!state->facts.installed)
        return adapter_unsupported("Postfix is not installed (apt-get install postfix).");
    if (!may_change_users(state->facts.owner))
        return adapter_unsupported("Postfix runs as several users, for which it needs real root: run mtalab as root.");
    if (state->program != NULL && state->server == NULL)
        return adapter_unsupported("mta-sts-daemon is not installed (apt-get install postfix-mta-sts-resolver).");
    state->instance = postfix_instance_new(adapter_setting(adapter, "MTALAB_DIR"), &state->facts, &err);
    return state->instance != NULL ? adapter_ok() : adapter_error(&err);
}

static bool choose_level(const char *dane, bool with_policies, const char **level)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (strcmp(levels[i].dane, dane) == 0 && (levels[i].with_policies || !with_policies))
            *level = levels[i].level;
    return *level != NULL;
}

/* An address in brackets. "" without a smart host. */
static void write_relay(const struct adapter_smart_host *smart_host, char *relay, size_t size)
{
    char port[20] = "";
    if (smart_host->port != 0)
        snprintf(port, sizeof port, ":%u", smart_host->port);
    snprintf(relay, size, smart_host->is_address ? "[%s]%s" : "%s%s", smart_host->host, port);
}

static json_t *do_begin(const struct adapter *adapter, const char *argument UNUSED)
{
    struct state *state = adapter->state;
    struct err err = {0};
    const char *dane = adapter_setting(adapter, "MTALAB_DANE"), *sts = adapter_setting(adapter, "MTALAB_MTA_STS");
    const struct adapter_smart_host smart_host = adapter_smart_host(adapter);
    char relay[300];
    write_relay(&smart_host, relay, sizeof relay);
    struct postfix_settings settings = {.ca = adapter_setting(adapter, "MTALAB_CA"),
                                        .hostname = adapter_setting(adapter, "MTALAB_HOSTNAME"),
                                        .listen = adapter_setting(adapter, "MTALAB_LISTEN"),
                                        .relay = relay,
                                        .patience_s = adapter_patience_s(adapter)};
    bool with_policies = strcmp(sts, "opportunistic") == 0;
    if (!choose_level(dane, with_policies, &settings.level))
        return adapter_unsupported("Postfix has no DANE mode '%s'%s.", dane, with_policies ? " beside MTA-STS" : "");
    if (strcmp(sts, "none") != 0 && !(with_policies && state->program != NULL))
        return adapter_unsupported(
            "Postfix has no MTA-STS of its own; a plug-in (postfix-mta-sts-resolver, postfix-tlspol) brings it.");
    if (state->instance == NULL || strchr(settings.listen, ':') == NULL)
        return adapter_failed("begin needs start, and MTALAB_LISTEN as address:port");
    char map[PATH_MAX];
    const char *folder = adapter_setting(adapter, "MTALAB_DIR");
    snprintf(map, sizeof map, "socketmap:unix:%s/policy.sock:postfix", folder);
    if (with_policies && !policy_server_begin(state->server, folder, settings.ca, settings.patience_s, &err))
        return adapter_error(&err);
    settings.policy_map = with_policies ? map : NULL;
    return postfix_instance_begin(state->instance, &settings, &err) ? adapter_ok() : adapter_error(&err);
}

static json_t *do_flush(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    struct err err = {0};
    if (state->instance == NULL)
        return adapter_failed("not started");
    return postfix_instance_flush(state->instance, &err) ? adapter_ok() : adapter_error(&err);
}

static const char *state_of(const struct postfix_recipient *recipient)
{
    static const struct {
        const char *status, *state;
    } words[] = {{"sent", "delivered"}, {"bounced", "bounced"}, {"deferred", "queued"}, {"expired", "bounced"}};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i].status, recipient->status) == 0)
            return words[i].state;
    return recipient->status;
}

/* Whom a crash left without an attempt, the log does not say; the queue does. */
static void add_crashed(const struct state *state, json_t *messages)
{
    char *queue = postfix_instance_queue(state->instance), *rest = NULL;
    for (char *line = queue != NULL ? strtok_r(queue, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        json_t *entry = json_loads(line, 0, NULL), *recipient;
        size_t i;
        json_array_foreach(json_object_get(entry, "recipients"), i, recipient)
            json_array_append_new(messages,
                                  adapter_recipient(json_string_value(json_object_get(recipient, "address")), "queued",
                                                    "", postfix_instance_log(state->instance)->crash));
        json_decref(entry);
    }
    free(queue);
}

static json_t *do_status(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    if (state->instance == NULL)
        return adapter_failed("not started");
    postfix_instance_listen(state->instance);
    const struct postfix_log *log = postfix_instance_log(state->instance);
    json_t *answer = adapter_ok(), *messages = json_array();
    for (size_t i = 0; i < log->count; i++)
        for (size_t r = 0; r < log->items[i]->count; r++) {
            const struct postfix_recipient *recipient = &log->items[i]->items[r];
            json_array_append_new(messages, adapter_recipient(recipient->address, state_of(recipient), recipient->code,
                                                              recipient->reason));
        }
    if (log->crash != NULL)
        add_crashed(state, messages);
    json_object_set_new(answer, "messages", messages);
    return answer;
}

/* smtp(8), the only one that remembers answers, does not outlive a delivery. */
static json_t *do_forget(const struct adapter *adapter UNUSED, const char *argument UNUSED)
{
    return adapter_ok();
}

static json_t *do_end(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    if (state->instance != NULL)
        postfix_instance_end(state->instance);
    if (state->server != NULL)
        policy_server_end(state->server);
    return adapter_ok();
}

static json_t *do_stop(const struct adapter *adapter, const char *argument UNUSED)
{
    struct state *state = adapter->state;
    postfix_instance_free(&state->instance);
    policy_server_free(&state->server);
    return adapter_ok();
}

static const struct adapter_verb verbs[] = {
    {"describe", do_describe}, {"start", do_start},   {"begin", do_begin}, {"flush", do_flush},
    {"status", do_status},     {"forget", do_forget}, {"end", do_end},     {"stop", do_stop},
};

static int log_of(void *arg)
{
    const struct state *state = arg;
    return state->instance != NULL ? postfix_instance_socket(state->instance) : -1;
}

static void on_log(void *arg)
{
    postfix_instance_listen(((struct state *)arg)->instance);
}

int main(int argc, char **argv)
{
    struct state state = {.instance = NULL};
    if (argc == 3 && strcmp(argv[1], "--policy-server") == 0)
        state.program = argv[2];
    else if (argc != 1)
        return fputs("usage: mtalab-adapter-postfix [--policy-server PROGRAM]\n", stderr), 2;
    const struct adapter_source source = {log_of, on_log};
    find_version(&state);
    int status = adapter_serve_beside(&source, verbs, COUNT(verbs), &state);
    postfix_instance_free(&state.instance);
    policy_server_free(&state.server);
    return status;
}
