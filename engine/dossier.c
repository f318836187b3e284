/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dossier.h"

#include <string.h>

#include "base/text.h"
#include "engine/connector.h"
#include "engine/tlsa.h"
#include "engine/trace.h"

/* What is said, in words that are the same in both forms. */

static const char *date_of(struct arena *arena, int64_t at)
{
    return at != 0 ? text_time(arena, at, TEXT_DAY) : "unknown";
}

static const char *const verdicts[] = {
    [GRADE_FINE] = "Everything that was looked at is in order.",
    [GRADE_NOTE] = "Nothing is broken. There is something to gain.",
    [GRADE_WARN] = "Mail flows, but something wants looking after.",
    [GRADE_FAIL] = "Something is broken: senders that check will hold their mail back.",
};

static const char *mode_sentence(struct arena *arena, const struct survey *survey)
{
    struct outlook o = posture_outlook(arena, survey);
    if (o.prospect == PROSPECT_DELIVERED)
        return arena_printf(arena, "delivered to %s (%s)", o.by->name, posture_channel(o.by));
    return arena_printf(arena, "%s: %s %s", prospect_words[o.prospect], o.status.code, o.status.text);
}

static const char *record_use(struct arena *arena, const struct survey_visit *visit, const struct tlsa_record *record)
{
    int at = posture_in_chain(visit, record);
    if (at >= 0)
        return at == 0 ? "in use: the host's own certificate"
                       : arena_printf(arena, "in use: certificate %d of the chain", at + 1);
    return visit->tls.chain_length > 0 ? "matches nothing that is in use" : "not compared: no certificate was shown";
}

static const char *certificate_text(struct arena *arena, const struct survey_visit *visit)
{
    struct certificate_view view;
    if (visit->tls.chain_length == 0 || !certificate_read(arena, &visit->tls.chain[0], &view))
        return "none was shown";
    return arena_printf(arena, "%s, names: %s, issued by %s, %s to %s", view.subject,
                        *view.names != '\0' ? view.names : "none", view.issuer, date_of(arena, view.from),
                        date_of(arena, view.until));
}

static const char *policy_text(struct arena *arena, const struct sts_facts *sts)
{
    if (sts->mode == STS_ABSENT)
        return arena_printf(arena, "none (%s)", sts->why != NULL ? sts->why : "no policy");
    const char *text = arena_printf(arena, "%s, mode %s, max_age %lld s, mx:", sts->id, sts_word(sts->mode),
                                    (long long)(sts->expires_at - sts->fetched_at));
    for (size_t i = 0; i < sts->mx_count; i++)
        text = arena_printf(arena, "%s %s", text, sts->mx[i]);
    return text;
}

/* The same advice for several hosts is given once. */
static bool said_before(const struct findings *findings, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (findings->items[j].mend != NULL && strcmp(findings->items[j].mend, findings->items[i].mend) == 0)
            return true;
    return false;
}

static const char *hosts_of_mend(struct arena *arena, const struct findings *findings, const char *mend)
{
    const char *hosts = "";
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *f = &findings->items[i];
        if (f->mend != NULL && strcmp(f->mend, mend) == 0 && f->host != NULL)
            hosts = arena_printf(arena, "%s%s%s", hosts, *hosts != '\0' ? ", " : "", f->host);
    }
    return hosts;
}

/* ---- one document, two forms ---- */

struct form {
    void (*begin)(FILE *out, const char *title, const char *sentence, enum grade grade);
    void (*heading)(FILE *out, const char *text);
    void (*begin_rows)(FILE *out);
    void (*row)(FILE *out, const char *mark, const char *name, const char *text);
    void (*end_rows)(FILE *out);
    void (*end)(FILE *out);
};

static void print_plain(FILE *out, const char *text)
{
    text_print_escaped(out, text, strlen(text));
}

static void text_begin(FILE *out, const char *title, const char *sentence, enum grade grade UNUSED)
{
    print_plain(out, title);
    fprintf(out, "\n\n%s\n", sentence);
}
static void text_heading(FILE *out, const char *text)
{
    fputc('\n', out);
    print_plain(out, text);
    fputc('\n', out);
    for (size_t i = 0; i < strlen(text); i++)
        fputc('-', out);
    fputc('\n', out);
}
static void text_row(FILE *out, const char *mark, const char *name, const char *text)
{
    fprintf(out, "%-8s ", mark);
    print_plain(out, name);
    fputs(*name != '\0' ? ": " : "", out);
    print_plain(out, text);
    fputc('\n', out);
}
static void text_nothing(FILE *out UNUSED)
{
}
static const struct form as_text = {text_begin, text_heading, text_nothing, text_row, text_nothing, text_nothing};

/* Invalid bytes first, then what HTML would read as markup. */
static void print_html(FILE *out, const char *text)
{
    struct arena *arena = arena_new("html");
    text_print_xml(out, text_escape(arena, text, strlen(text)));
    arena_free(&arena);
}

static void html_begin(FILE *out, const char *title, const char *sentence, enum grade grade)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>", out);
    print_html(out, title);
    fputs("</title>\n<style>\n"
          "body { font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }\n"
          "h1 { font-size: 1.5em } h2 { font-size: 1.1em; margin: 1.6em 0 .4em }\n"
          ".verdict { padding: .6em 1em; border-left: .4em solid #888; background: #f6f6f6 }\n"
          "table { border-collapse: collapse; width: 100% } td { padding: .35em .6em; border-top: 1px solid #ddd;\n"
          "vertical-align: top; overflow-wrap: anywhere } td:first-child { width: 5em; white-space: nowrap }\n"
          "td:nth-child(2) { width: 15em } .fine { color: #1a7f37 } .note { color: #57606a }\n"
          ".warning { color: #9a6700; font-weight: bold } .failure { color: #cf222e; font-weight: bold }\n"
          "</style>\n<h1>",
          out);
    print_html(out, title);
    fprintf(out, "</h1>\n<p class=\"verdict %s\">", grade_words[grade]);
    print_html(out, sentence);
    fputs("</p>\n", out);
}
static void html_heading(FILE *out, const char *text)
{
    fputs("<h2>", out);
    print_html(out, text);
    fputs("</h2>\n", out);
}
static void html_begin_rows(FILE *out)
{
    fputs("<table>\n", out);
}
static void html_row(FILE *out, const char *mark, const char *name, const char *text)
{
    fprintf(out, "<tr><td class=\"%s\">%s</td><td>", mark, mark);
    print_html(out, name);
    fputs("</td><td>", out);
    print_html(out, text);
    fputs("</td></tr>\n", out);
}
static void html_end_rows(FILE *out)
{
    fputs("</table>\n", out);
}
static void html_end(FILE *out)
{
    fputs("</html>\n", out);
}
static const struct form as_html = {html_begin, html_heading, html_begin_rows, html_row, html_end_rows, html_end};

/* ---- its parts ---- */

struct document {
    FILE *out;
    const struct form *form;
    struct arena *arena;
    const struct posture *posture;
    struct findings findings;
};

static bool has_mends(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].mend != NULL)
            return true;
    return false;
}

/* The worst first. */
static void print_mends(const struct document *d)
{
    if (!has_mends(&d->findings))
        return;
    d->form->heading(d->out, "What to do");
    d->form->begin_rows(d->out);
    for (int grade = GRADE_FAIL; grade >= GRADE_FINE; grade--)
        for (size_t i = 0; i < d->findings.count; i++) {
            const struct finding *f = &d->findings.items[i];
            if ((int)f->grade == grade && f->mend != NULL && !said_before(&d->findings, i))
                d->form->row(d->out, grade_words[f->grade], hosts_of_mend(d->arena, &d->findings, f->mend), f->mend);
        }
    d->form->end_rows(d->out);
}

static void print_findings(const struct document *d)
{
    d->form->heading(d->out, "What was found");
    d->form->begin_rows(d->out);
    for (size_t i = 0; i < d->findings.count; i++) {
        const struct finding *f = &d->findings.items[i];
        const char *text = f->code != NULL ? arena_printf(d->arena, "%s %s", f->code, f->text) : f->text;
        d->form->row(d->out, grade_words[f->grade], f->host != NULL ? f->host : d->posture->domain, text);
    }
    d->form->end_rows(d->out);
}

static void print_host(const struct document *d, const struct survey_visit *visit)
{
    d->form->heading(d->out, visit->name);
    d->form->begin_rows(d->out);
    d->form->row(d->out, "", "DNSSEC of its addresses", trust_word(visit->facts->trust));
    d->form->row(d->out, "", "signatures live until", date_of(d->arena, visit->facts->signed_until));
    for (size_t i = 0; i < visit->facts->record_count; i++) {
        const struct tlsa_record *record = &visit->facts->records[i];
        d->form->row(d->out, "", arena_printf(d->arena, "TLSA, %s", record_use(d->arena, visit, record)),
                     tlsa_text(d->arena, record));
    }
    if (visit->facts->record_count == 0)
        d->form->row(d->out, "", "TLSA", tlsa_word(visit->facts->tlsa));
    d->form->row(d->out, "", "certificate", certificate_text(d->arena, visit));
    d->form->row(d->out, "", "TLS", visit->tls.version != NULL ? visit->tls.version : "none");
    d->form->end_rows(d->out);
}

static void print_modes(const struct document *d)
{
    d->form->heading(d->out, "What becomes of mail to you");
    d->form->begin_rows(d->out);
    for (int dane = 0; dane < POSTURE_DANE_MODES; dane++)
        for (int sts = 0; sts < POSTURE_STS_MODES; sts++)
            d->form->row(d->out, "",
                         arena_printf(d->arena, "DANE %s, MTA-STS %s", connector_dane_words[dane],
                                      connector_sts_words[sts]),
                         mode_sentence(d->arena, d->posture->modes[dane][sts]));
    d->form->end_rows(d->out);
}

static void print_document(FILE *out, const struct form *form, struct arena *arena, const struct posture *posture)
{
    struct document d = {out, form, arena, posture, posture_findings(arena, posture)};
    const struct survey *by_dane = posture->modes[DANE_OPPORTUNISTIC][MTA_STS_NONE];
    enum grade worst = posture_worst(&d.findings);
    form->begin(out,
                arena_printf(arena, "Mail transport security of %s, %s", posture->domain, date_of(arena, posture->now)),
                verdicts[worst], worst);
    print_mends(&d);
    print_findings(&d);
    for (size_t i = 0; i < by_dane->visit_count; i++)
        print_host(&d, &by_dane->visits[i]);
    form->heading(out, "MTA-STS policy");
    form->begin_rows(out);
    form->row(out, "", "published", policy_text(arena, posture->fresh));
    form->end_rows(out);
    print_modes(&d);
    form->end(out);
}

void dossier_print_text(FILE *out, struct arena *arena, const struct posture *posture)
{
    print_document(out, &as_text, arena, posture);
}

void dossier_print_html(FILE *out, struct arena *arena, const struct posture *posture)
{
    print_document(out, &as_html, arena, posture);
}
