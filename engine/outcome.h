/* SPDX-License-Identifier: BSD-2-Clause
 * outcome - what a failure means: whom it concerns, what is tried next, what becomes of the message. Pure.
 *
 * The one place where that is decided. A security demand that is not met never bounces at once (8461-5-6,
 * 7672-2.2-4), but for the one that the message itself makes (8689-4.2.1-11). */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/policy.h"
#include "engine/smtp_reply.h"

enum cause {
    CAUSE_NONE,
    /* the destination */
    CAUSE_NO_DOMAIN, CAUSE_NULL_MX, CAUSE_NO_ADDRESS, CAUSE_LOOP, CAUSE_DNS_FAILED, CAUSE_INSECURE_DENIAL,
    /* the host, before any connection */
    CAUSE_HOST_SKIPPED, CAUSE_HOST_UNRESOLVED,
    /* the host, before or in the session: no channel for a message with REQUIRETLS */
    CAUSE_REQUIRETLS_UNMET,
    /* the address */
    CAUSE_CONNECT_REFUSED, CAUSE_CONNECT_TIMEOUT, CAUSE_CONNECT_FAILED,
    /* the session */
    CAUSE_GREETING_4XX, CAUSE_GREETING_5XX, CAUSE_EHLO_4XX, CAUSE_EHLO_5XX, CAUSE_STARTTLS_BROKEN,
    CAUSE_HANDSHAKE_FAILED, CAUSE_DEMAND_UNMET, CAUSE_TIMEOUT, CAUSE_LOST, CAUSE_BAD_REPLY, CAUSE_CLOSING,
    CAUSE_TLS_WANTED, CAUSE_TLS_INSISTED_ON,
    /* the transaction */
    CAUSE_MAIL_4XX, CAUSE_MAIL_5XX, CAUSE_RCPT_4XX, CAUSE_RCPT_5XX, CAUSE_DATA_4XX, CAUSE_DATA_5XX, CAUSE_BODY_4XX,
    CAUSE_BODY_5XX, CAUSE_LOST_AFTER_DOT, CAUSE_TOO_BIG, CAUSE_NO_8BIT, CAUSE_NO_SMTPUTF8,
    CAUSE_INTERNAL,
    CAUSE_COUNT
};

enum course { COURSE_NEXT_ADDRESS, COURSE_NEXT_HOST, COURSE_DEFER, COURSE_BOUNCE };

/* Why something failed, as far as a code, a text and a course depend on it. */
struct failure {
    enum cause cause;
    enum policy_reason reason;     /* CAUSE_DEMAND_UNMET, CAUSE_HOST_SKIPPED, CAUSE_REQUIRETLS_UNMET */
    int reply_code;                /* what the server said; 0: nothing */
    char enhanced[12];
    const char *text;              /* one line; arena */
    const char *host;              /* that said or did it; NULL: none */
    const char *address;           /* of the host, with its port; NULL: none was connected to */
};

struct failure failure_of(struct arena *arena, enum cause cause, const char *text);   /* the text is escaped */
struct failure failure_of_reply(struct arena *arena, enum cause cause, const struct smtp_reply *reply);

enum course outcome_course(enum cause cause, bool more_addresses, bool more_hosts);
/* Of two failures on the way, is the new one told to the sender? What security forbade outweighs a dead connection;
 * among equals the later one. */
bool outcome_tells_more(enum cause before, enum cause after);
/* The steps at which a server's reply decides; 421 closes the session anywhere, 530 to MAIL wants TLS (3207-4). */
enum reply_step {
    REPLY_TO_GREETING, REPLY_TO_EHLO, REPLY_TO_MAIL, REPLY_TO_RCPT, REPLY_TO_DATA, REPLY_TO_BODY, REPLY_STEP_COUNT
};
enum cause outcome_of_reply(enum reply_step step, int code);
/* May a message that nothing protects go in the clear on a new connection after this (7672-2.2-9, 3207-4)? */
bool outcome_again_in_clear(enum cause cause, bool tls_demanded);
/* Which demand was it that a server without working TLS left unmet? */
enum policy_reason outcome_without_tls(const struct policy_decision *decision, enum tlsa_state tlsa);
/* A host passed over, a demand not met: for whose sake? */
enum cause outcome_of_reason(enum cause usual, enum policy_reason reason);

const char *cause_name(enum cause cause);

#endif
