/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-adapter-exim - makes Exim a subject: a private instance of a distribution's program, whether installed or only
 * unpacked. It has no MTA-STS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/adapters/adapter.h"
#include "harness/adapters/exim/exim_home.h"
#include "harness/adapters/exim/exim_instance.h"

struct state {
    struct exim_facts facts;
    struct err homeless; /* why Exim cannot run here; text "": it can */
    struct exim_instance *instance;
};

/* A mode in Exim's words. Where only hosts_require_dane is said, hosts that DNSSEC does not vouch for cost the message;
 * those are left out by the router, and then it waits. */
static const struct level {
    const char *dane, *of_transport, *of_router;
} levels[] = {
    {"none", "hosts_try_dane =", "dnssec_request_domains = *"},
    {"opportunistic", "hosts_try_dane = *", "dnssec_request_domains = *"},
    {"mandatory", "hosts_require_dane = *", "dnssec_require_domains = *"},
};

static const struct level *level_of(const char *dane)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (strcmp(levels[i].dane, dane) == 0)
            return &levels[i];
    return NULL;
}

static json_t *modes_of(void)
{
    json_t *modes = json_array();
    for (size_t i = 0; i < COUNT(levels); i++)
        json_array_append_new(modes,
                              json_pack("{s:s,s:s,s:s,s:s++}", "dane", levels[i].dane, "mta-sts", "none", "how",
                                        "native", "configuration", levels[i].of_transport, ", ", levels[i].of_router));
    return modes;
}

static json_t *do_describe(const struct adapter *adapter, const char *argument UNUSED)
{
    static const char *const features[] = {"queue", "forget",     "8bitmime",   "chunking",
                                           "bdat",  "pipelining", "smart-host", NULL};
    const struct state *state = adapter->state;
    json_t *words = adapter_words(features);
    if (state->facts.smtputf8)
        json_array_append_new(words, json_string("smtputf8"));
    json_t *answer = adapter_ok();
    json_t *rest = json_pack("{s:s,s:s,s:o,s:o,s:s,s:b,s:{s:s,s:s,s:s,s:s},s:s}", "name", "exim", "version",
                             state->facts.version, "modes", modes_of(), "features", words, "resolver", "daemon",
                             "needs-root", 0, "latitude", "dane-insecure-mx", "skip", "mx-alias", "follow",
                             "pkix-usages", "unusable", "bogus-without-dane", "wait", "sts-fetch", "synchronous");
    json_object_update(answer, rest);
    json_decref(rest);
    return answer;
}

static json_t *do_start(const struct adapter *adapter, const char *argument UNUSED)
{
    struct state *state = adapter->state;
    struct err err = {0};
    if (state->homeless.text[0] != '\0')
        return adapter_error(&state->homeless);
    if (state->facts.program[0] == '\0')
        return adapter_unsupported("Exim is not there (apt-get install exim4-daemon-light, or ci/bring-exim).");
    if (state->facts.version[0] == '\0')
        return adapter_unsupported("%s does not run here.", state->facts.program);
    if (!state->facts.dane)
        return adapter_unsupported("%s was built without DANE.", state->facts.program);
    state->instance = exim_instance_new(adapter_setting(adapter, "MTALAB_DIR"), state->facts.program, &err);
    return state->instance != NULL ? adapter_ok() : adapter_error(&err);
}

struct relay {
    char plain[300], by_mx[300];
};

static void write_relay(const struct adapter *adapter, struct relay *relay)
{
    const struct adapter_smart_host smart_host = adapter_smart_host(adapter);
    char port[20] = "";
    *relay = (struct relay){.plain = ""};
    if (smart_host.port != 0)
        snprintf(port, sizeof port, ":%u", smart_host.port);
    snprintf(relay->plain, sizeof relay->plain, "%s%s", smart_host.host, port);
    if (smart_host.host[0] != '\0' && !smart_host.is_address)
        snprintf(relay->by_mx, sizeof relay->by_mx, "%s/mx%s", smart_host.host, port);
}

/* NULL: a case can begin. */
static json_t *refuse(const struct adapter *adapter)
{
    const char *dane = adapter_setting(adapter, "MTALAB_DANE"), *own = adapter_setting(adapter, "MTALAB_EXIM_CONFIG");
    if (level_of(dane) == NULL)
        return adapter_unsupported("Exim has no DANE mode '%s'.", dane);
    if (strcmp(adapter_setting(adapter, "MTALAB_MTA_STS"), "none") != 0)
        return adapter_unsupported("Exim has no MTA-STS.");
    if (own[0] != '\0' && own[0] != '/')
        return adapter_failed("MTALAB_EXIM_CONFIG has to be a file's full path, not '%s'", own);
    if (((const struct state *)adapter->state)->instance == NULL ||
        strchr(adapter_setting(adapter, "MTALAB_LISTEN"), ':') == NULL)
        return adapter_failed("begin needs start, and MTALAB_LISTEN as address:port");
    return NULL;
}

static json_t *do_begin(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    struct err err = {0};
    struct relay relay;
    json_t *refusal = refuse(adapter);
    if (refusal != NULL)
        return refusal;
    write_relay(adapter, &relay);
    const char *dane = adapter_setting(adapter, "MTALAB_DANE");
    struct exim_settings settings = {.ca = adapter_setting(adapter, "MTALAB_CA"),
                                     .hostname = adapter_setting(adapter, "MTALAB_HOSTNAME"),
                                     .listen = adapter_setting(adapter, "MTALAB_LISTEN"),
                                     .dane = dane,
                                     .of_transport = level_of(dane)->of_transport,
                                     .of_router = level_of(dane)->of_router,
                                     .relay = relay.plain,
                                     .relay_by_mx = relay.by_mx,
                                     .own = adapter_setting(adapter, "MTALAB_EXIM_CONFIG"),
                                     .patience_s = adapter_patience_s(adapter)};
    return exim_instance_begin(state->instance, &settings, &err) ? adapter_ok() : adapter_error(&err);
}

static json_t *do_flush(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    if (state->instance == NULL)
        return adapter_failed("not started");
    exim_instance_flush(state->instance);
    return adapter_ok();
}

/* Exim gives no enhanced codes of its own. */
static json_t *do_status(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    if (state->instance == NULL)
        return adapter_failed("not started");
    exim_instance_listen(state->instance);
    const struct exim_log *log = exim_instance_log(state->instance);
    json_t *answer = adapter_ok(), *messages = json_array();
    for (size_t i = 0; i < log->count; i++)
        for (size_t r = 0; r < log->items[i]->count; r++) {
            const struct exim_recipient *recipient = &log->items[i]->items[r];
            json_array_append_new(messages,
                                  adapter_recipient(recipient->address, recipient->state, "", recipient->reason));
        }
    json_object_set_new(answer, "messages", messages);
    return answer;
}

/* What is remembered of hosts; answers of DNS do not outlive a delivery. */
static json_t *do_forget(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    if (state->instance != NULL)
        exim_instance_forget(state->instance);
    return adapter_ok();
}

static json_t *do_end(const struct adapter *adapter, const char *argument UNUSED)
{
    const struct state *state = adapter->state;
    if (state->instance != NULL)
        exim_instance_end(state->instance);
    return adapter_ok();
}

static json_t *do_stop(const struct adapter *adapter, const char *argument UNUSED)
{
    exim_instance_free(&((struct state *)adapter->state)->instance);
    return adapter_ok();
}

static const struct adapter_verb verbs[] = {
    {"describe", do_describe}, {"start", do_start},   {"begin", do_begin}, {"flush", do_flush},
    {"status", do_status},     {"forget", do_forget}, {"end", do_end},     {"stop", do_stop},
};

static int log_of(void *arg)
{
    const struct state *state = arg;
    return state->instance != NULL ? exim_instance_notices(state->instance) : -1;
}

static void on_log(void *arg)
{
    exim_instance_listen(((struct state *)arg)->instance);
}

int main(void)
{
    struct state state = {.instance = NULL};
    const struct adapter_source source = {log_of, on_log};
    const char *directory = getenv("MTALAB_DIR");
    if (directory == NULL)
        return fputs("mtalab-adapter-exim is run by mtalab, with MTALAB_DIR (docs/adapters.md)\n", stderr), 2;
    if (exim_home_enter(directory, &state.facts, &state.homeless))
        exim_facts_read(&state.facts);
    int status = adapter_serve_beside(&source, verbs, COUNT(verbs), &state);
    exim_instance_free(&state.instance);
    return status;
}
