/* SPDX-License-Identifier: BSD-2-Clause
 * fakests - policy hosts by hand, from a small file of their own, without a scenario. */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/text.h"
#include "fakests/fakests.h"
#include "fakests/web_policy.h"

enum { EXIT_MISTAKE = 2, EXIT_TROUBLE = 3 };

/* ---- the file ---- */

enum state {
    STATE_TRUSTED,
    STATE_UNKNOWN_ROOT,
    STATE_SELF_SIGNED,
    STATE_EXPIRED,
    STATE_NOT_YET_VALID,
    STATE_WRONG_NAME,
    STATE_MISSING_INTERMEDIATE,
    STATE_WILDCARD,
    STATE_CN_ONLY,
    STATE_NO_NAMES
};
static const char *const state_words[] = {
    "trusted",  "unknown-root", "self-signed", "expired", "not-yet-valid", "wrong-name", "missing-intermediate",
    "wildcard", "cn-only",      "no-names",    NULL,
};

struct host_settings {
    struct schema_texts addresses;
    int64_t port;
    int certificate;
    const char *certificate_file, *key_file;
    const char *mode;
    struct schema_texts mx;
    double max_age_s;
    const char *policy;
    struct web_behaviour https;
    struct srcpos addresses_at, port_at, certificate_file_at;
};
struct settings {
    struct schema_named hosts;
};

static const struct schema_field host_fields[] = {
#define FIELD(name) .offset = SCHEMA_FIELD(struct host_settings, name)
    {"addresses", SCHEMA_TEXTS, FIELD(addresses), .otherwise = "127.0.0.1", .doc = "Where it listens.",
     .at_offset = SCHEMA_FIELD(struct host_settings, addresses_at)},
    {"port", SCHEMA_NUMBER, FIELD(port), .otherwise = "443", .doc = "On which port.",
     .at_offset = SCHEMA_FIELD(struct host_settings, port_at)},
    {"certificate", SCHEMA_WORD, FIELD(certificate), .otherwise = "trusted", .words = state_words,
     .doc = "The state of the certificate that is made for it."},
    {"certificate-file", SCHEMA_TEXT, FIELD(certificate_file), .doc = "A chain of your own in PEM, leaf first.",
     .at_offset = SCHEMA_FIELD(struct host_settings, certificate_file_at)},
    {"key-file", SCHEMA_TEXT, FIELD(key_file), .doc = "The key of certificate-file, in PEM."},
    {"mode", SCHEMA_TEXT, FIELD(mode), .otherwise = "enforce", .doc = "The policy's mode."},
    {"mx", SCHEMA_TEXTS, FIELD(mx), .doc = "The policy's mx patterns."},
    {"max-age", SCHEMA_SECONDS, FIELD(max_age_s), .otherwise = "7d", .doc = "The policy's max_age."},
    {"policy", SCHEMA_TEXT, FIELD(policy), .doc = "The policy's text byte for byte, in place of mode, mx and max-age."},
    {"https", SCHEMA_SUB, FIELD(https), .sub = &web_behaviour_schema, .doc = "What it does wrong."},
#undef FIELD
};
static const struct schema host_schema = {.name = "host",
                                          .doc = "A policy host.",
                                          .fields = host_fields,
                                          .count = COUNT(host_fields),
                                          .size = sizeof(struct host_settings)};
static const struct schema_field settings_fields[] = {
    {"hosts", SCHEMA_NAMED, SCHEMA_FIELD(struct settings, hosts), .sub = &host_schema, .required = true,
     .doc = "The policy hosts by name, such as mta-sts.partner.example."},
};
static const struct schema settings_schema = {.name = "fakests",
                                              .doc = "What the fakests program serves.",
                                              .fields = settings_fields,
                                              .count = COUNT(settings_fields),
                                              .size = sizeof(struct settings)};

/* ---- certificates ---- */

enum { DAY_S = 86400 };

struct authorities {
    struct identity *root, *intermediate; /* --ca-file holds the root */
    struct identity *unknown;             /* nobody has it */
};

static struct identity *authority(const char *subject, const struct identity *issuer, struct err *err)
{
    struct identity_spec spec = {.issuer = issuer, .authority = true, .subject = subject};
    return identity_new(&spec, NULL, err);
}

static bool make_authorities(struct authorities *made, struct err *err)
{
    made->root = authority("fakests root", NULL, err);
    made->intermediate = made->root != NULL ? authority("fakests intermediate", made->root, err) : NULL;
    made->unknown = made->intermediate != NULL ? authority("fakests root that nobody knows", NULL, err) : NULL;
    return made->unknown != NULL;
}

static void free_authorities(struct authorities *made)
{
    identity_free(&made->root);
    identity_free(&made->intermediate);
    identity_free(&made->unknown);
}

static struct identity *make_identity(struct arena *arena, const char *host, enum state state,
                                      const struct authorities *by, struct err *err)
{
    const char *dot = strchr(host, '.');
    const char *wildcard = arena_printf(arena, "*%s", dot != NULL ? dot : ".example");
    const char *name = state == STATE_WRONG_NAME ? "another.name.example" : state == STATE_WILDCARD ? wildcard : host;
    struct identity_spec spec = {.issuer = by->intermediate, .names = &name, .name_count = 1};
    switch (state) {
    case STATE_UNKNOWN_ROOT:
        spec.issuer = by->unknown;
        break;
    case STATE_SELF_SIGNED:
        spec.issuer = NULL;
        break;
    case STATE_EXPIRED:
        spec.not_before_s = -30.0 * DAY_S;
        spec.not_after_s = -1.0 * DAY_S;
        break;
    case STATE_NOT_YET_VALID:
        spec.not_before_s = 1.0 * DAY_S;
        spec.not_after_s = 30.0 * DAY_S;
        break;
    case STATE_CN_ONLY:
        spec.names_as = IDENTITY_CN_ONLY;
        break;
    case STATE_NO_NAMES:
        spec.names_as = IDENTITY_NO_NAMES;
        break;
    case STATE_TRUSTED:
    case STATE_WRONG_NAME:
    case STATE_MISSING_INTERMEDIATE:
    case STATE_WILDCARD:
        break;
    }
    struct identity *identity = identity_new(&spec, NULL, err);
    if (identity != NULL && state == STATE_MISSING_INTERMEDIATE)
        identity_show(identity, IDENTITY_CHAIN_LEAF_ONLY);
    return identity;
}

/* ---- from the file to the fake ---- */

struct served {
    struct arena *arena;
    struct diag_list *diags;
    struct settings settings;
    struct authorities authorities;
    struct identity **identities;
    struct fakests_host *hosts;
    size_t count;
};

static void check_addresses(struct served *served, const struct host_settings *from)
{
    struct netaddr ignored;
    if (from->port < 1 || from->port > 65535)
        diag_error(served->diags, from->port_at, "a port is a number from 1 to 65535");
    for (size_t i = 0; i < from->addresses.count; i++)
        if (!netaddr_parse(from->addresses.items[i], 1, &ignored, NULL))
            diag_error(served->diags, from->addresses.at[i], "'%s' is not an IP address", from->addresses.items[i]);
}

static bool read_settings(struct served *served, const char *path)
{
    served->diags = diag_new(served->arena);
    const struct tree_node *node = tree_read_file(served->arena, path, served->diags);
    if (node != NULL)
        schema_read(served->arena, &settings_schema, node, &served->settings, served->diags);
    for (size_t i = 0; i < served->settings.hosts.count; i++)
        check_addresses(served, served->settings.hosts.items[i].value);
    return diag_errors(served->diags) == 0;
}

static const char *policy_of(struct arena *arena, const struct host_settings *from)
{
    if (from->policy != NULL)
        return from->policy;
    return web_policy_text(arena, from->mode, from->mx.items, from->mx.count, (int64_t)from->max_age_s);
}

static bool make_host(struct served *served, size_t i, struct err *err)
{
    const char *name = served->settings.hosts.items[i].name;
    const struct host_settings *from = served->settings.hosts.items[i].value;
    served->identities[i] =
        from->certificate_file == NULL
            ? make_identity(served->arena, name, (enum state)from->certificate, &served->authorities, err)
            : identity_load(from->certificate_file, from->key_file != NULL ? from->key_file : from->certificate_file,
                            err);
    if (served->identities[i] == NULL && from->certificate_file != NULL)
        diag_error(served->diags, from->certificate_file_at, "%s", err->text);
    served->hosts[i] = (struct fakests_host){
        .name = name,
        .addresses = from->addresses.items,
        .address_count = from->addresses.count,
        .port = (uint16_t)from->port,
        .behaviour = &from->https,
        .policy = policy_of(served->arena, from),
        .identity = served->identities[i],
        .certificate_fault = from->certificate_file != NULL || from->certificate == STATE_TRUSTED
                                 ? NULL
                                 : arena_printf(served->arena, "%s:certificate", name),
    };
    return served->identities[i] != NULL || from->certificate_file != NULL;
}

static bool make_hosts(struct served *served, struct err *err)
{
    served->count = served->settings.hosts.count;
    served->hosts = arena_alloc(served->arena, (served->count + 1) * sizeof *served->hosts);
    served->identities = arena_alloc(served->arena, (served->count + 1) * sizeof(struct identity *));
    if (!make_authorities(&served->authorities, err))
        return false;
    for (size_t i = 0; i < served->count; i++)
        if (!make_host(served, i, err))
            return false;
    return true;
}

static void free_served(struct served *served)
{
    for (size_t i = 0; i < served->count; i++)
        identity_free(&served->identities[i]);
    free_authorities(&served->authorities);
    arena_free(&served->arena);
}

/* ---- the private directory ---- */

static bool make_directory(char *path, size_t size, struct err *err)
{
    const char *under = getenv("TMPDIR");
    snprintf(path, size, "%s/fakests-XXXXXX", under != NULL && under[0] != '\0' ? under : "/tmp");
    return mkdtemp(path) != NULL || err_set(err, ERR_SYSTEM, "cannot make a directory %s: %s", path, strerror(errno));
}

/* nginx's files, its one folder, and the directory itself. */
static int remove_entry(const char *path, const struct stat *status UNUSED, int kind UNUSED, struct FTW *where UNUSED)
{
    return remove(path);
}

static void remove_directory(const char *path)
{
    enum { DESCRIPTORS = 8 };
    nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* ---- the program ---- */

struct options {
    const char *file, *ca_file;
    bool json, help;
};

static void show_event(void *arg, const struct journal_event *event)
{
    const struct options *options = arg;
    if (options->json) {
        journal_write_json(event, stdout);
    } else {
        struct arena *arena = arena_new("line");
        printf("%+10.6f  %-4s %3u  %s\n", (double)event->at_us / 1e6, journal_kind_actor(event->kind), event->conn,
               journal_sentence(arena, event));
        arena_free(&arena);
    }
    fflush(stdout);
}

static void on_signal(evutil_socket_t number UNUSED, short what UNUSED, void *arg)
{
    loop_stop(arg);
}

static void run(struct loop *loop)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct event *events[COUNT(signals)];
    for (size_t i = 0; i < COUNT(signals); i++)
        if ((events[i] = evsignal_new(loop_base(loop), signals[i], on_signal, loop)) != NULL)
            event_add(events[i], NULL);
    loop_run_until(loop, NULL, -1);
    for (size_t i = 0; i < COUNT(signals); i++)
        if (events[i] != NULL)
            event_free(events[i]);
}

static bool serve_in(const char *directory, const struct served *served, const struct options *options, struct err *err)
{
    struct journal *journal = journal_new();
    struct loop *loop = loop_new(err);
    struct fakests_config config = {.hosts = served->hosts, .host_count = served->count, .directory = directory};
    struct fakests *sts = loop != NULL ? fakests_new(&config, loop, journal, err) : NULL;
    bool listening = sts != NULL && fakests_listen(sts, err);
    if (listening) {
        journal_watch(journal, show_event, (void *)options);
        fprintf(stderr, "fakests: serving %zu host%s; Ctrl-C ends it\n", served->count, served->count == 1 ? "" : "s");
        run(loop);
    }
    fakests_free(&sts);
    loop_free(&loop);
    journal_free(&journal);
    return listening;
}

static bool serve(const struct served *served, const struct options *options, struct err *err)
{
    const char *root = identity_certificate_pem(served->arena, served->authorities.root);
    if (options->ca_file != NULL && !text_write_file(options->ca_file, root, strlen(root), err))
        return false;
    char directory[4096];
    if (!make_directory(directory, sizeof directory, err))
        return false;
    bool served_well = serve_in(directory, served, options, err);
    remove_directory(directory);
    return served_well;
}

static int usage(FILE *out, int status)
{
    fputs("usage: fakests [--ca-file FILE] [--json] CONFIG.yaml\n"
          "\n"
          "Serves MTA-STS policies over HTTPS, right or wrong, and prints all that it witnesses.\n"
          "\n"
          "  --ca-file FILE  write the root certificate that was made, for the client to trust\n"
          "  --json          print the journal as JSON lines\n"
          "  --help          this\n"
          "\n"
          "CONFIG.yaml:\n"
          "\n"
          "  hosts:\n"
          "    mta-sts.partner.example: {addresses: 127.0.0.1, port: 8443, mx: mx1.partner.example}\n"
          "    mta-sts.other.example:\n"
          "      addresses: 127.0.0.2\n"
          "      certificate: expired\n"
          "      https: {status: 404}\n"
          "\n",
          out);
    if (status == 0)
        schema_print_manual(&settings_schema, out);
    return status;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"ca-file", required_argument, NULL, 'c'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    for (int letter; (letter = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        switch (letter) {
        case 'c':
            options->ca_file = optarg;
            break;
        case 'j':
            options->json = true;
            break;
        case 'h':
            options->help = true;
            break;
        default:
            return false;
        }
    }
    options->file = optind + 1 == argc ? argv[optind] : NULL;
    return options->help || options->file != NULL;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    if (!parse_options(argc, argv, &options))
        return usage(stderr, EXIT_MISTAKE);
    if (options.help)
        return usage(stdout, 0);
    struct served served = {.arena = arena_new("fakests program")};
    struct err err = {0};
    int status = EXIT_TROUBLE;
    bool made = read_settings(&served, options.file) && make_hosts(&served, &err);
    if (diag_errors(served.diags) > 0)
        status = EXIT_MISTAKE;
    else if (made && serve(&served, &options, &err))
        status = 0;
    else
        fprintf(stderr, "fakests: %s\n", err.text);
    diag_print(served.diags, stderr);
    free_served(&served);
    return status;
}
