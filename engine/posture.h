/* SPDX-License-Identifier: BSD-2-Clause
 * posture - what is to be said of a domain from surveys of it: what each pair of modes would do, and what is fine or
 * wrong with its DNSSEC, TLSA records, certificates and policy. Pure: surveys in, findings out; no second judgement,
 * only words for what decisions and TLS have said. */
#ifndef ENGINE_POSTURE_H
#define ENGINE_POSTURE_H

#include "engine/status.h"
#include "engine/survey.h"

enum { POSTURE_DANE_MODES = 3, POSTURE_STS_MODES = 2, POSTURE_MODES = POSTURE_DANE_MODES * POSTURE_STS_MODES };

struct posture {
    const char *domain;
    int64_t now;
    /* By enum dane_mode and enum mta_sts_mode: opportunistic, mandatory, none; opportunistic, none. */
    const struct survey *modes[POSTURE_DANE_MODES][POSTURE_STS_MODES];
    const struct sts_facts *fresh;   /* the policy as it is published now, past every cache */
    const char *cached_id;           /* of the policy that the engine has seen before; NULL: none lives */
};

enum grade { GRADE_FINE, GRADE_NOTE, GRADE_WARN, GRADE_FAIL };
extern const char *const grade_words[];

struct finding {
    enum grade grade;
    const char *about;       /* "mx", "tlsa", ... */
    const char *host;        /* NULL: the domain */
    const char *code;        /* as in non-delivery reports; NULL: none */
    const char *text, *mend; /* one sentence; what to do about it, NULL: nothing */
};
struct findings { struct finding *items; size_t count, room; };

struct findings posture_findings(struct arena *arena, const struct posture *posture);
enum grade posture_worst(const struct findings *findings);

/* What becomes of a message under one setting. */
enum prospect { PROSPECT_DELIVERED, PROSPECT_WAITS, PROSPECT_BOUNCES };
extern const char *const prospect_words[];
struct outlook {
    enum prospect prospect;
    const struct survey_visit *by; /* the host that would take it; NULL: none */
    struct status status;          /* of what holds it up; code NULL: nothing */
    const char *clause, *because;  /* of the decision that led there */
};
struct outlook posture_outlook(struct arena *arena, const struct survey *survey);
/* Which certificate of the chain that the host showed the record is about, the first that it is; -1: none. */
int posture_in_chain(const struct survey_visit *visit, const struct tlsa_record *record);
/* "dane", "pkix", "dane+pkix", "tls", "clear": what protects the channel to a host that was spoken to. */
const char *posture_channel(const struct survey_visit *visit);

#endif
