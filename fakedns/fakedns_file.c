/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/fakedns_file.h"

#include <string.h>

#include "base/table.h"
#include "base/text.h"

enum { FILE_MAX = 1 << 20 };

struct file_zone {
    bool is_signed, ds;
    int algorithm, digest, denial;
    int64_t iterations;
    struct schema_texts addresses;
    const struct tree_node *records;
};

struct file_fault {
    const char *fault, *zone, *owner, *type;
    struct srcpos fault_at;
    int64_t nth;
};

struct file {
    int64_t port;
    struct srcpos port_at;
    struct schema_named zones;
    struct schema_list faults;
};

/* clang-format off */
#define AT(member) SCHEMA_FIELD(struct file_zone, member)
static const struct schema_field zone_fields[] = {
    {.key = "signed", .kind = SCHEMA_BOOL, .offset = AT(is_signed), .otherwise = "yes", .doc = "Is the zone signed?"},
    {.key = "ds", .kind = SCHEMA_BOOL, .offset = AT(ds), .otherwise = "yes",
     .doc = "Does the parent publish a DS record for it? Without one a signed zone is an island."},
    {.key = "algorithm", .kind = SCHEMA_WORD, .offset = AT(algorithm), .otherwise = "ecdsa-p256",
     .words = dns_algorithm_words, .doc = "The algorithm of its keys."},
    {.key = "digest", .kind = SCHEMA_WORD, .offset = AT(digest), .otherwise = "sha-256", .words = dns_digest_words,
     .doc = "The digest in its DS record."},
    {.key = "denial", .kind = SCHEMA_WORD, .offset = AT(denial), .otherwise = "nsec", .words = dns_denial_words,
     .doc = "How it proves that something is absent."},
    {.key = "iterations", .kind = SCHEMA_NUMBER, .offset = AT(iterations), .otherwise = "0",
     .doc = "How often NSEC3 hashes a name beyond the first time."},
    {.key = "addresses", .kind = SCHEMA_TEXTS, .offset = AT(addresses), .required = true,
     .doc = "Addresses of its name server, IPv4 or IPv6."},
    {.key = "records", .kind = SCHEMA_NODE, .offset = AT(records),
     .doc = "Master-file text, names relative to the zone. SOA, NS, glue, DS and DNSSEC are made by the server."},
};
#undef AT
static const struct schema zone_schema = {
    .name = "zone", .doc = "A zone and its one name server.", .fields = zone_fields, .count = COUNT(zone_fields),
    .size = sizeof(struct file_zone),
};

#define AT(member) SCHEMA_FIELD(struct file_fault, member)
static const struct schema_field fault_fields[] = {
    {.key = "fault", .kind = SCHEMA_TEXT, .offset = AT(fault), .at_offset = AT(fault_at), .required = true,
     .doc = "Its name; fakedns --faults lists them."},
    {.key = "zone", .kind = SCHEMA_TEXT, .offset = AT(zone), .required = true, .doc = "Which zone it is about."},
    {.key = "owner", .kind = SCHEMA_TEXT, .offset = AT(owner),
     .doc = "Only at this name; otherwise at every name of the zone."},
    {.key = "type", .kind = SCHEMA_TEXT, .offset = AT(type),
     .doc = "Only for this record type; otherwise for every type."},
    {.key = "nth", .kind = SCHEMA_NUMBER, .offset = AT(nth), .otherwise = "0",
     .doc = "Only at the n-th attempt of the sender; by hand every attempt is the first."},
};
#undef AT
static const struct schema fault_schema = {
    .name = "fault", .doc = "Something done wrong on purpose.", .fields = fault_fields, .count = COUNT(fault_fields),
    .size = sizeof(struct file_fault),
};

#define AT(member) SCHEMA_FIELD(struct file, member)
static const struct schema_field file_fields[] = {
    {.key = "port", .kind = SCHEMA_NUMBER, .offset = AT(port), .at_offset = AT(port_at), .otherwise = "53",
     .doc = "UDP and TCP port of every name server."},
    {.key = "zones", .kind = SCHEMA_NAMED, .offset = AT(zones), .sub = &zone_schema, .required = true,
     .doc = "Zones by name; \".\" is the root, and every other zone needs its parent."},
    {.key = "faults", .kind = SCHEMA_SUBS, .offset = AT(faults), .sub = &fault_schema, .doc = "What goes wrong."},
};
#undef AT
const struct schema fakedns_file_schema = {
    .name = "fakedns", .doc = "A private tree of DNS zones.", .fields = file_fields, .count = COUNT(file_fields),
    .size = sizeof(struct file),
};
/* clang-format on */

/* Of a block, the first line below the '|', behind its indentation. */
static struct srcpos text_begin(const struct tree_node *node, const char *source)
{
    struct srcpos at = node->at;
    if (!node->block)
        return at;
    const char *line = source;
    for (unsigned i = 0; i < at.line && line != NULL; i++)
        line = (line = strchr(line, '\n')) != NULL ? line + 1 : NULL;
    at.line++;
    at.col = 1;
    while (line != NULL && (*line == ' ' || *line == '\n')) {
        at.col = *line == '\n' ? 1 : at.col + 1;
        line++;
    }
    return at;
}

static void read_zone(const struct schema_name *from, const char *source, struct fakedns_zone *zone,
                      struct diag_list *diags)
{
    const struct file_zone *file = from->value;
    *zone = (struct fakedns_zone){.name = from->name,
                                  .is_signed = file->is_signed,
                                  .ds = file->ds,
                                  .algorithm = (enum dns_algorithm)file->algorithm,
                                  .digest = (enum dns_digest)file->digest,
                                  .denial = (enum dns_denial)file->denial,
                                  .iterations = file->iterations,
                                  .addresses = file->addresses.items,
                                  .address_count = file->addresses.count,
                                  .at = from->at};
    if (file->records == NULL)
        return;
    if (file->records->kind != TREE_TEXT) {
        diag_error(diags, file->records->at, "records are text, best written as a block that begins with '|'");
        return;
    }
    zone->records = file->records->text;
    zone->at = text_begin(file->records, source);
    fakedns_check_records(zone, diags);
}

static const char *fault_name_at(const void *rows, size_t i)
{
    const struct dns_fault_info *fault = fakedns_fault_at(i);
    (void)rows;
    return fault != NULL ? fault->name : NULL;
}

static void wrong_fault(const struct file_fault *file, struct diag_list *diags)
{
    const char *nearest = table_nearest(file->fault, fault_name_at, NULL);
    if (nearest != NULL)
        diag_error(diags, file->fault_at, "unknown fault '%s', did you mean '%s'?", file->fault, nearest);
    else
        diag_error(diags, file->fault_at, "unknown fault '%s'; fakedns --faults lists them", file->fault);
}

static void read_fault(struct arena *arena, size_t i, const struct file_fault *file, struct fakedns_fault *fault,
                       struct diag_list *diags)
{
    *fault = (struct fakedns_fault){.fault = file->fault,
                                    .zone = file->zone,
                                    .owner = file->owner,
                                    .type = file->type,
                                    .nth = (unsigned)file->nth,
                                    .id = arena_printf(arena, "fault %zu", i + 1)};
    if (file->nth < 0 || file->nth > 1000000)
        diag_error(diags, file->fault_at, "nth counts from 1");
    if (file->fault != NULL && fakedns_fault_find(file->fault) == NULL)
        wrong_fault(file, diags);
}

static void read_file(struct arena *arena, const struct file *file, const char *source, struct fakedns_config *config,
                      struct diag_list *diags)
{
    struct fakedns_zone *zones = arena_alloc(arena, (file->zones.count + 1) * sizeof *zones);
    struct fakedns_fault *faults = arena_alloc(arena, (file->faults.count + 1) * sizeof *faults);
    for (size_t i = 0; i < file->zones.count; i++)
        read_zone(&file->zones.items[i], source, &zones[i], diags);
    for (size_t i = 0; i < file->faults.count; i++)
        read_fault(arena, i, (const struct file_fault *)file->faults.items + i, &faults[i], diags);
    if (file->port < 1 || file->port > UINT16_MAX)
        diag_error(diags, file->port_at, "a port is a number from 1 to 65535");
    *config = (struct fakedns_config){zones, file->zones.count, faults, file->faults.count, (uint16_t)file->port};
}

bool fakedns_file_read(struct arena *arena, const char *path, struct fakedns_config *config, struct diag_list *diags)
{
    size_t length;
    struct err err = {.kind = ERR_NONE};
    const char *source = text_read_file(arena, path, FILE_MAX, &length, &err);
    if (source == NULL) {
        diag_error(diags, (struct srcpos){.file = path}, "%s", err.text);
        return false;
    }
    const struct tree_node *tree = tree_read_text(arena, path, source, length, diags);
    if (tree == NULL)
        return false;
    struct file file;
    schema_read(arena, &fakedns_file_schema, tree, &file, diags);
    read_file(arena, &file, source, config, diags);
    return diag_errors(diags) == 0;
}
