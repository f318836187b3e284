/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab doctor - what blocks on this machine, and each way out. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "harness/command.h"
#include "harness/locate.h"
#include "harness/sandbox.h"

enum state { FINE, HINT /* something cannot be done */, BLOCKED /* nothing can be done */ };
static const char *const state_words[] = {"ok", "hint", "blocked"};
enum { FINDINGS_MAX = 32, WAYS_MAX = 6 };

struct finding {
    const char *name, *says;
    enum state state;
    const char *ways[WAYS_MAX]; /* out of it; NULL-terminated when fewer */
};
struct findings {
    struct arena *arena;
    struct finding items[FINDINGS_MAX];
    size_t count;
};

static struct finding *find(struct findings *findings, const char *name, enum state state, const char *says)
{
    struct finding *finding = &findings->items[findings->count++];
    *finding = (struct finding){.name = name, .says = says, .state = state};
    return finding;
}

static void way_out(struct finding *finding, const char *way)
{
    for (size_t i = 0; i < WAYS_MAX; i++)
        if (finding->ways[i] == NULL) {
            finding->ways[i] = way;
            return;
        }
}

/* ---- namespaces ---- */

static bool says(const char *path, const char *word)
{
    char text[4096] = "";
    FILE *in = fopen(path, "re");
    size_t got = in != NULL ? fread(text, 1, sizeof text - 1, in) : 0;
    if (in != NULL)
        fclose(in);
    text[got] = '\0';
    return strstr(text, word) != NULL;
}

static bool is_number(const char *path, long wanted)
{
    char text[32] = "";
    FILE *in = fopen(path, "re");
    bool same = in != NULL && fgets(text, sizeof text, in) != NULL && strtol(text, NULL, 10) == wanted;
    if (in != NULL)
        fclose(in);
    return same;
}

/* A profile that is called by a path holds for the program there. */
static void print_apparmor_profiles(const char *const *programs, size_t count)
{
    puts("abi <abi/4.0>,\ninclude <tunables/global>");
    for (size_t i = 0; i < count; i++)
        printf("\nprofile \"%s\" flags=(unconfined) {\n  userns,\n}\n", programs[i]);
}

static const char *apparmor_way(struct arena *arena)
{
    return arena_printf(arena,
                        "Ubuntu's AppArmor keeps ordinary programs from it; allow it to this one:\n"
                        "          %s/mtalab doctor --apparmor-profile | sudo tee /etc/apparmor.d/mtalab\n"
                        "          sudo apparmor_parser -r /etc/apparmor.d/mtalab",
                        locate_program_folder(arena));
}

static bool in_container(void)
{
    return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 || getenv("container") != NULL ||
           getenv("KUBERNETES_SERVICE_HOST") != NULL;
}

static void ways_to_namespaces(struct findings *findings, struct finding *finding)
{
    if (is_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1))
        way_out(finding, apparmor_way(findings->arena));
    if (is_number("/proc/sys/kernel/unprivileged_userns_clone", 0))
        way_out(finding, "allow them to ordinary users: sysctl -w kernel.unprivileged_userns_clone=1");
    if (is_number("/proc/sys/user/max_user_namespaces", 0))
        way_out(finding, "allow more than none: sysctl -w user.max_user_namespaces=15000");
    if (in_container() || says("/proc/self/status", "Seccomp:\t2"))
        way_out(finding,
                "in a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
                "--security-opt systempaths=unconfined ..., or --privileged");
    if (geteuid() != 0)
        way_out(finding, "run it as root");
    else
        way_out(finding,
                "give it CAP_SYS_ADMIN and CAP_NET_ADMIN (docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN)");
    if (sandbox_loopback_possible())
        way_out(
            finding,
            "or go on without: cases then run on 127.0.0.0/8, one at a time, and those that need more are UNSUPPORTED");
}

static int report_kind(const struct sandbox *sandbox, void *arg UNUSED)
{
    return (int)sandbox->kind + (sandbox->ipv6 ? 10 : 0);
}

static void look_at_namespaces(struct findings *findings)
{
    struct err err = {0};
    struct sandbox_spec spec = {.kind = SANDBOX_AUTO, .body = report_kind};
    pid_t child = sandbox_spawn(&spec, &err);
    int status = 0;
    if (child < 0) {
        enum state state = sandbox_loopback_possible() ? HINT : BLOCKED;
        ways_to_namespaces(findings, find(findings, "namespaces", state, arena_strdup(findings->arena, err.text)));
        return;
    }
    waitpid(child, &status, 0);
    int kind = WEXITSTATUS(status) % 10;
    find(findings, "namespaces", FINE,
         kind == SANDBOX_ROOT ? "every worker gets a network of its own, as root"
                              : "every worker gets a network of its own, without root");
    if (WEXITSTATUS(status) < 10)
        way_out(find(findings, "IPv6", HINT, "this kernel has none: cases with IPv6 hosts are UNSUPPORTED"),
                "boot without ipv6.disable=1");
    else
        find(findings, "IPv6", FINE, "there");
}

/* ---- programs ---- */

static const struct {
    const char *program, *for_what, *package;
    enum state without;
} programs[] = {
    {"nginx", "serves MTA-STS policies", "nginx-light", HINT},
    {"unbound", "resolver of subjects that do not validate by themselves, such as Postfix", "unbound", HINT},
    {"postfix", "the subject 'postfix'", "postfix", HINT},
    {"delv", "looks at DNSSEC by hand in mtalab up", "bind9-dnsutils", HINT},
    {"swaks", "submits by hand in mtalab up", "swaks", HINT},
    {"openssl", "looks at TLS by hand in mtalab up", "openssl", HINT},
    {"curl", "looks at policies by hand in mtalab up", "curl", HINT},
};

static void look_at_programs(struct findings *findings)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < COUNT(programs); i++) {
        if (process_find(programs[i].program, path, sizeof path)) {
            find(findings, programs[i].program, FINE, arena_strdup(findings->arena, path));
            continue;
        }
        struct finding *finding = find(findings, programs[i].program, programs[i].without,
                                       arena_printf(findings->arena, "not installed; %s", programs[i].for_what));
        way_out(finding, arena_printf(findings->arena, "apt-get install %s", programs[i].package));
    }
}

static void look_at_engine(struct findings *findings)
{
    const char *adapter = locate_adapter(findings->arena, "engine");
    if (adapter != NULL)
        find(findings, "engine", FINE, adapter);
    else
        way_out(find(findings, "engine", BLOCKED, "mtalab-adapter-engine is not beside mtalab"),
                "build or install all of it: make, make install");
    if (geteuid() != 0)
        way_out(find(findings, "root", HINT,
                     "we are not root: subjects that change users, such as Postfix, are UNSUPPORTED"),
                "run mtalab as root for these");
}

/* ---- what is said ---- */

static void print_text(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        printf("%-8s %-11s %s\n", state_words[finding->state], finding->name, finding->says);
        for (size_t w = 0; w < WAYS_MAX && finding->ways[w] != NULL; w++)
            printf("       -> %s\n", finding->ways[w]);
    }
}

static void print_json(const struct findings *findings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_t *ways = json_array();
        for (size_t w = 0; w < WAYS_MAX && finding->ways[w] != NULL; w++)
            json_array_append_new(ways, json_string(finding->ways[w]));
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:o}", "name", finding->name, "state",
                                              state_words[finding->state], "says", finding->says, "ways-out", ways));
    }
    json_dumpf(list, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(list);
}

static int examine(struct findings *findings, bool json)
{
    bool blocked = false;
    look_at_namespaces(findings);
    look_at_engine(findings);
    look_at_programs(findings);
    (json ? print_json : print_text)(findings);
    for (size_t i = 0; i < findings->count; i++)
        blocked |= findings->items[i].state == BLOCKED;
    return blocked;
}

int command_doctor(int argc, char **argv)
{
    const char *json = NULL, *apparmor = NULL;
    const struct command_option options[] = {{"--json", NULL, "the same as JSON", &json},
                                             {"--apparmor-profile", NULL,
                                              "prints what lets mtalab, or each PROGRAM, make namespaces on Ubuntu",
                                              &apparmor}};
    struct findings findings = {.arena = arena_new("doctor")};
    struct command_line line = {
        .usage = "doctor [--apparmor-profile [PROGRAM]...]",
        .doc = "Says what blocks on this machine, and each way out. Exit status: 0 cases can run, 1 they cannot.",
        .options = options,
        .option_count = COUNT(options)};
    int status;
    if (command_read(findings.arena, &line, argc, argv, &status)) {
        const char *self = arena_printf(findings.arena, "%s/mtalab", locate_program_folder(findings.arena));
        if (apparmor == NULL)
            status = examine(&findings, json != NULL);
        else if (line.word_count > 0)
            print_apparmor_profiles(line.words, line.word_count);
        else
            print_apparmor_profiles(&self, 1);
    }
    arena_free(&findings.arena);
    return status;
}
