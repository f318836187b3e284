/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/lab.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

struct lab {
    struct lab_setting setting;
    struct fakedns *dns;
    struct fakemx *mx;
    struct fakests *sts;
    struct fakeca *ca;
    char folder[PATH_MAX];
};

/* ---- the folder of a case ---- */

static void folder_of(const struct sandbox *sandbox, char *path, size_t size)
{
    snprintf(path, size, "%s/case", sandbox->directory);
}

static int remove_entry(const char *path, const struct stat *status UNUSED, int flag UNUSED, struct FTW *at UNUSED)
{
    return remove(path);
}

void lab_clear(const struct sandbox *sandbox)
{
    char folder[PATH_MAX];
    folder_of(sandbox, folder, sizeof folder);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- what the subject reads ---- */

static bool write_file(const struct lab *lab, const char *name, const char *text, struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", lab->setting.sandbox->directory, name);
    return text_write_file(path, text, strlen(text), err);
}

/* delv wants the DNSKEY in the words of named.conf: . static-key FLAGS PROTOCOL ALGORITHM "KEY"; */
static bool write_delv_anchor(const struct lab *lab, struct err *err)
{
    char anchor[2048] = "";
    const char *key = strstr(fakedns_root_dnskey(lab->dns), "DNSKEY");
    int flags, protocol, algorithm, from;
    if (key != NULL && sscanf(key, "DNSKEY %d %d %d %n", &flags, &protocol, &algorithm, &from) == 3)
        snprintf(anchor, sizeof anchor, "trust-anchors { . static-key %d %d %d \"%.*s\"; };\n", flags, protocol,
                 algorithm, (int)strcspn(key + from, ";\n"), key + from);
    return write_file(lab, LAB_DELV_ANCHOR, anchor, err);
}

bool lab_tell_connectors(const struct sandbox *sandbox, const char *json, struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" LAB_CONNECTORS, sandbox->directory);
    return text_write_file(path, json, strlen(json), err);
}

static bool write_files(const struct lab *lab, const struct plan *plan, struct err *err)
{
    const char *options = plan->resolver_options != NULL ? plan->resolver_options : "";
    return text_write_file(lab->setting.sandbox->ca_path, plan->ca_pem, strlen(plan->ca_pem), err) &&
           write_file(lab, LAB_ROOT_KEY, fakedns_root_key(lab->dns), err) &&
           write_file(lab, LAB_ROOT_HINTS, fakedns_root_hints(lab->dns), err) &&
           write_file(lab, LAB_RESOLVER_OPTIONS, options, err) && write_delv_anchor(lab, err) &&
           (plan->report_key == NULL || write_file(lab, LAB_DKIM_KEY, plan->report_key->private_pem, err));
}

static bool tell_resolver(const struct lab *lab, const struct plan *plan, struct err *err)
{
    struct resolver_world world = {fakedns_root_key(lab->dns), fakedns_root_hints(lab->dns), plan->resolver_options};
    return lab->setting.resolver == NULL || resolver_serve(lab->setting.resolver, &world, lab->setting.loop, err);
}

/* ---- running ---- */

static bool start_fakes(struct lab *lab, struct plan *plan, struct err *err)
{
    const struct lab_setting *s = &lab->setting;
    if (mkdir(lab->folder, 0755) != 0 && errno != EEXIST)
        return err_set(err, ERR_SYSTEM, "cannot make %s: %s", lab->folder, strerror(errno));
    plan->sts.directory = lab->folder;
    plan->mx.keys = s->keys;
    return (lab->dns = fakedns_new(&plan->dns, s->clock, s->loop, s->journal, err)) != NULL &&
           (lab->mx = fakemx_new(&plan->mx, s->loop, s->journal, err)) != NULL &&
           (lab->sts = fakests_new(&plan->sts, s->loop, s->journal, err)) != NULL &&
           (lab->ca = fakeca_new(&plan->ca, s->clock, s->loop, s->journal, err)) != NULL &&
           fakedns_listen(lab->dns, err) && fakemx_listen(lab->mx, err) && fakests_listen(lab->sts, err);
}

struct lab *lab_start(const struct lab_setting *setting, struct plan *plan, struct err *err)
{
    struct lab *lab = calloc(1, sizeof *lab);
    if (lab == NULL) {
        err_set(err, ERR_SYSTEM, "out of memory");
        return NULL;
    }
    lab->setting = *setting;
    folder_of(setting->sandbox, lab->folder, sizeof lab->folder);
    if (!start_fakes(lab, plan, err) || !write_files(lab, plan, err) || !tell_resolver(lab, plan, err))
        lab_stop(&lab);
    return lab;
}

bool lab_change(struct lab *lab, struct plan *plan, struct err *err)
{
    plan->sts.directory = lab->folder;
    return fakedns_change(lab->dns, &plan->dns, err) && fakemx_change(lab->mx, &plan->mx, err) &&
           fakests_change(lab->sts, &plan->sts, err) && fakeca_change(lab->ca, &plan->ca, err) &&
           write_files(lab, plan, err) && tell_resolver(lab, plan, err);
}

const char *lab_message(const struct lab *lab, size_t n, size_t *length)
{
    return fakemx_message_at(lab->mx, n, length);
}

const char *lab_report(const struct lab *lab, size_t n, const char **type, size_t *length)
{
    return fakests_report(lab->sts, n, type, length);
}

void lab_stop(struct lab **lab)
{
    if (lab == NULL || *lab == NULL)
        return;
    fakeca_free(&(*lab)->ca);
    fakests_free(&(*lab)->sts);
    fakemx_free(&(*lab)->mx);
    fakedns_free(&(*lab)->dns);
    lab_clear((*lab)->setting.sandbox);
    free(*lab);
    *lab = NULL;
}
