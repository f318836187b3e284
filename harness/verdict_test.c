/* SPDX-License-Identifier: BSD-2-Clause
 * The judge, by rows: what was witnessed, what was expected, what it comes to. */
#include "harness/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/testing.h"
#include "fakemx/fakemx.h"
#include "harness/expect.h"

#define MX1 "mx1.partner.example"
enum {
    NONE_NONE = 0,
    NONE_STS = 1,
    OPPORTUNISTIC_NONE = 2,
    OPPORTUNISTIC_STS = 3,
    MANDATORY_NONE = 4,
    MANDATORY_STS = 5
};

/* "took CHANNEL HOST RECIPIENT BODY SENDER": a message with its envelope; SENDER - is the null sender. */
static void witness_envelope(struct journal *journal, char *words)
{
    const char *word[5] = {"tls", MX1, "someone@partner.example", "", "alice@sender.example"};
    char *next;
    for (size_t i = 0; i < COUNT(word) && (next = strsep(&words, " ")) != NULL; i++)
        word[i] = next;
    bool nameless = strcmp(word[4], "-") == 0;
    journal_add(journal, JOURNAL_MX_MESSAGE, word[1], 1, "token", "t1", "channel", word[0], "recipients", word[2],
                "body", word[3], "sender", nameless ? "" : word[4], "bounce", nameless ? "yes" : "no", NULL);
}

/* A line of SMTP inside TLS; early: it did not wait for the answer to the one ahead. */
static void witness_command(struct journal *journal, const char *line, const char *early)
{
    char verb[16] = "";
    snprintf(verb, sizeof verb, "%.*s", (int)strcspn(line, " "), line);
    journal_add(journal, JOURNAL_MX_COMMAND, MX1, 1, "verb", verb, "line", line, "channel", "tls", "early", early,
                NULL);
}

/* Events in a word or two each, separated by ';'. */
static void witness(struct journal *journal, const char *script)
{
    char copy[512], *rest = copy, *event;
    snprintf(copy, sizeof copy, "%s", script);
    while ((event = strsep(&rest, ";")) != NULL) {
        while (*event == ' ')
            event++;
        if (strcmp(event, "tlsa") == 0)
            journal_add(journal, JOURNAL_DNS_QUERY, "partner.example", 0, "qname", "_25._tcp." MX1, "qtype", "TLSA",
                        NULL);
        else if (strcmp(event, "tlsa answer") == 0)
            journal_add(journal, JOURNAL_DNS_ANSWER, "partner.example", 0, "qname", "_25._tcp." MX1, "qtype", "TLSA",
                        "rcode", "NOERROR", "answer", "3 1 1 0fab", NULL);
        else if (strcmp(event, "sts") == 0)
            journal_add(journal, JOURNAL_DNS_QUERY, "partner.example", 0, "qname", "_mta-sts.partner.example", "qtype",
                        "TXT", NULL);
        else if (strcmp(event, "home tlsa") == 0)
            journal_add(journal, JOURNAL_DNS_QUERY, "sender.example", 0, "qname", "_25._tcp.mx.sender.example", "qtype",
                        "TLSA", NULL);
        else if (strcmp(event, "connect") == 0)
            journal_add(journal, JOURNAL_MX_CONNECT, MX1, 1, "from", "100.64.0.2", NULL);
        else if (strncmp(event, "hello ", 6) == 0)
            journal_add(journal, JOURNAL_MX_HELLO, MX1, 1, "sni", event + 6, NULL);
        else if (strncmp(event, "cut off: ", 9) == 0)
            journal_add(journal, JOURNAL_MX_CLOSE, MX1, 1, "by", "server", "reason", event + 9, NULL);
        else if (strcmp(event, "raw keys") == 0)
            journal_add(journal, JOURNAL_MX_TLS, MX1, 1, "raw-keys", "yes", NULL);
        else if (strncmp(event, "handshake ", 10) == 0)
            journal_add(journal, JOURNAL_MX_TLS, MX1, 1, "resumed", strcmp(event + 10, "resumed") == 0 ? "yes" : "no",
                        NULL);
        else if (strcmp(event, "offer") == 0)
            journal_add(journal, JOURNAL_MX_SENT, MX1, 1, "line", "250 STARTTLS", "channel", "clear", NULL);
        else if (strcmp(event, "starttls") == 0)
            journal_add(journal, JOURNAL_MX_COMMAND, MX1, 2, "verb", "STARTTLS", "line", "STARTTLS", "channel", "clear",
                        NULL);
        else if (strncmp(event, "said ", 5) == 0)
            witness_command(journal, event + 5, "no");
        else if (strncmp(event, "at once ", 8) == 0)
            witness_command(journal, event + 8, "yes");
        else if (strncmp(event, "report of the ", 14) == 0)
            journal_add(journal, JOURNAL_MX_MESSAGE, MX1, 2, "token", "t1", "channel", "tls", "bounce", "yes",
                        "returns", event + 14, NULL);
        else if (strncmp(event, "mail ", 5) == 0)
            journal_add(journal, JOURNAL_MX_COMMAND, MX1, 1, "verb", "MAIL", "line", "MAIL FROM:<a@b>", "channel",
                        event + 5, NULL);
        else if (strncmp(event, "bits ", 5) == 0)
            journal_add(journal, JOURNAL_MX_MESSAGE, MX1, 1, "token", "t1", "channel", "tls", "body", "b2", "bits",
                        event + 5, NULL);
        else if (strcmp(event, "bare end") == 0)
            journal_add(journal, JOURNAL_MX_MESSAGE, MX1, 1, "token", "t1", "channel", "tls", "bare-end", "yes", NULL);
        else if (strncmp(event, "asked about ", 12) == 0)
            journal_add(journal, JOURNAL_CA_REQUEST, "ca.example", 0, "path", "/ocsp", "about", event + 12, "says",
                        "good", NULL);
        else if (strcmp(event, "submitted 8") == 0)
            journal_add(journal, JOURNAL_LAB_SUBMIT, "", 0, "token", "t1", "sender", "alice@sender.example", "body",
                        "b1", "bits", "8", "accepted", "yes", NULL);
        else if (strncmp(event, "message ", 8) == 0)
            journal_add(journal, JOURNAL_MX_MESSAGE, MX1, 1, "token", "t1", "channel", event + 8, NULL);
        else if (strncmp(event, "took ", 5) == 0)
            witness_envelope(journal, event + 5);
        else if (strcmp(event, "trouble") == 0)
            journal_add(journal, JOURNAL_LAB_TROUBLE, "mta-sts.partner.example", 1, "what", "nginx died", NULL);
        else if (strcmp(event, "stray") == 0)
            journal_add(journal, JOURNAL_MX_MESSAGE, MX1, 1, "token", "", "channel", "tls", NULL);
        else if (strcmp(event, "submitted") == 0)
            journal_add(journal, JOURNAL_LAB_SUBMIT, "", 0, "token", "t1", "sender", "alice@sender.example", "body",
                        "b1", "accepted", "yes", NULL);
        else if (strcmp(event, "report") == 0)
            journal_add(journal, JOURNAL_MX_MESSAGE, "mx.sender.example", 2, "token", "t1", "channel", "tls", "bounce",
                        "yes", NULL);
        else if (strcmp(event, "refused") == 0)
            journal_add(journal, JOURNAL_LAB_SUBMIT, "", 0, "accepted", "no", "reply", "550 no", NULL);
        else if (strcmp(event, "waits") == 0)
            journal_add(journal, JOURNAL_SUBJECT_STATUS, "", 0, "recipient", "someone@partner.example", "state",
                        "queued", "code", "4.7.323", "reason", "no", NULL);
        else if (strncmp(event, "hit ", 4) == 0)
            journal_add(journal, JOURNAL_FAULT_HIT, "partner.example", 0, "id", "d1", "fault", event + 4, NULL);
        else
            ck_assert_msg(*event == '\0', "the row says '%s'", event);
    }
}

struct row {
    const char *name;
    unsigned mode;
    const char *witnessed;
    unsigned accept;    /* of courses */
    const char *line;   /* an evidence word at mx1, "no ..." to forbid; "dns ...", "web ..."; NULL */
    int mechanism;      /* of the one defect; -1: none */
    const char *queued; /* the code it waits with; NULL: not queued */
    const char *trouble;
    enum verdict_kind kind;
    const char *says; /* part of the sentence */
    int channel;
    const char *code, *level, *latitude;
    const char *stricter; /* level of a second clause that the scenario covers */
    const char *state;    /* what the adapter says instead of queued */
    bool second_recipient, no_queue;
    unsigned other;    /* of courses, for the second recipient; accept is then for the first */
    const char *reads; /* what the sender declares of dane-insecure-mx: skip (delivered) or use (deferred) */
    const char *proof; /* part of what the event says that decides */
};
#define IS(course) (1u << COURSE_##course)

static const struct row rows[] = {
    {"a right delivery", OPPORTUNISTIC_NONE, "tlsa;connect;mail tls;message tls", IS(DELIVERED), "mail-from", -1, NULL,
     NULL, VERDICT_PASS, ""},
    {"a right deferral", OPPORTUNISTIC_NONE, "tlsa;hit planted;connect", IS(DEFERRED), "no mail-from", MECHANISM_TLSA,
     "4.7.323", NULL, VERDICT_PASS, ""},
    {"a right report of failure", NONE_NONE, "report", IS(BOUNCED), NULL, -1, NULL, NULL, VERDICT_PASS, ""},
    {"sent over TLS that DANE had not authenticated", OPPORTUNISTIC_NONE,
     "tlsa;hit planted;connect;mail tls;message tls", IS(DEFERRED), "no mail-from", MECHANISM_TLSA, NULL, NULL,
     VERDICT_FAIL, "over TLS that DANE had not authenticated"},
    {"SERVFAIL taken for absence", OPPORTUNISTIC_NONE, "tlsa;hit servfail;connect;mail tls;message tls", IS(DEFERRED),
     "no mail-from", MECHANISM_TLSA, NULL, NULL, VERDICT_FAIL, "although the TLSA lookup had failed"},
    {"sent in clear under mandatory", MANDATORY_NONE, "tlsa;connect;mail clear;message clear", IS(DEFERRED),
     "no mail-from", -1, NULL, NULL, VERDICT_FAIL, "in clear, although DANE is mandatory"},
    {"sent over TLS under mandatory, and nobody asked for records", MANDATORY_NONE, "connect;mail tls;message tls",
     IS(DEFERRED), "no mail-from", -1, NULL, NULL, VERDICT_FAIL, "over a channel that DANE had not authenticated"},
    {"sent over TLS under mandatory, and there are no records", MANDATORY_NONE, "tlsa;connect;mail tls;message tls",
     IS(DEFERRED), "no mail-from", -1, NULL, NULL, VERDICT_FAIL, "over a channel that DANE had not authenticated"},
    {"sent over TLS under mandatory, where a message had to come back", MANDATORY_NONE,
     "tlsa;tlsa answer;connect;mail tls;message tls", IS(BOUNCED), NULL, -1, NULL, NULL, VERDICT_FAIL,
     "over TLS, although that host must not get it"},
    {"sent in clear, where the mode demands no TLS", NONE_NONE, "connect;hit hidden;mail clear;message clear",
     IS(DEFERRED), "no mail-from", MECHANISM_SMTP, NULL, NULL, VERDICT_FAIL, "in clear, although"},
    {"sent in clear, where the mode demands TLS", OPPORTUNISTIC_NONE,
     "tlsa;connect;hit hidden;mail clear;message clear", IS(DEFERRED), "no mail-from", MECHANISM_SMTP, NULL, NULL,
     VERDICT_FAIL, "in clear, although TLS was demanded"},
    {"any certificate under enforce", NONE_STS, "sts;connect;hit expired;mail tls;message tls", IS(DEFERRED),
     "no mail-from", MECHANISM_CERTIFICATE, NULL, NULL, VERDICT_FAIL,
     "with a certificate that the MTA-STS policy forbids"},
    {"a delivery is forbidden without any line saying so", OPPORTUNISTIC_NONE, "tlsa;hit planted;message tls",
     IS(DEFERRED), NULL, MECHANISM_TLSA, NULL, NULL, VERDICT_FAIL, "sent the message to"},
    {"forbidden evidence in spite of the lab's trouble", OPPORTUNISTIC_NONE, "connect;mail clear", IS(DEFERRED),
     "no mail-from", -1, NULL, "nginx died", VERDICT_FAIL, "began to send"},
    {"forbidden evidence in spite of a defect never met", OPPORTUNISTIC_NONE, "tlsa;connect;mail tls", IS(DEFERRED),
     "no mail-from", MECHANISM_TLSA, NULL, NULL, VERDICT_FAIL, "began to send"},
    {"the lab's trouble alone", OPPORTUNISTIC_NONE, "", IS(DEFERRED), "no mail-from", -1, "4.7.323", "nginx died",
     VERDICT_UNKNOWN, "nginx died"},
    {"a defect that had to be met and was not", OPPORTUNISTIC_NONE, "tlsa", IS(DEFERRED), "no mail-from",
     MECHANISM_TLSA, "4.4.1", NULL, VERDICT_UNKNOWN, "never met"},
    {"asking was the duty", OPPORTUNISTIC_NONE, "", IS(DEFERRED), "no mail-from", MECHANISM_TLSA, "4.4.1", NULL,
     VERDICT_FAIL, "never asked"},
    {"a defect that the mode excuses", NONE_NONE, "connect;mail tls;message tls", IS(DELIVERED), "mail-from",
     MECHANISM_TLSA, NULL, NULL, VERDICT_PASS, ""},
    {"a policy defect that the mode excuses", OPPORTUNISTIC_NONE, "tlsa;connect;mail tls;message tls", IS(DELIVERED),
     "mail-from", MECHANISM_STS, NULL, NULL, VERDICT_PASS, ""},
    {"meeting what the mode never looks at", NONE_NONE, "tlsa;hit planted;connect;mail tls;message tls", IS(DELIVERED),
     NULL, MECHANISM_TLSA, NULL, NULL, VERDICT_FAIL, "never looks at"},
    {"a forbidden question", NONE_NONE, "tlsa;connect;message tls", IS(DELIVERED), "dns no tlsa-query", -1, NULL, NULL,
     VERDICT_FAIL, "must never do"},
    {"a session resumed", OPPORTUNISTIC_NONE, "tlsa;handshake resumed;message tls", IS(DELIVERED), "resumed", -1, NULL,
     NULL, VERDICT_PASS, ""},
    {"not resumed, which was expected", OPPORTUNISTIC_NONE, "tlsa;handshake full;message tls", IS(DELIVERED), "resumed",
     -1, NULL, NULL, VERDICT_FAIL, "resumed"},
    {"resumed where it must not be", OPPORTUNISTIC_NONE, "tlsa;handshake resumed;message tls", IS(DELIVERED),
     "no resumed", -1, NULL, NULL, VERDICT_FAIL, "must never do"},
    {"a full handshake instead", OPPORTUNISTIC_NONE, "tlsa;handshake full;message tls", IS(DELIVERED), "no resumed", -1,
     NULL, NULL, VERDICT_PASS, ""},
    {"who waits for bytes that drip", OPPORTUNISTIC_NONE, "tlsa;connect;cut off: " MX_CUT_OFF, IS(DEFERRED),
     "no waiting-on", -1, "4.4.2", NULL, VERDICT_FAIL, "must never do"},
    {"who does not", OPPORTUNISTIC_NONE, "tlsa;connect;cut off: idle for too long", IS(DEFERRED), "no waiting-on", -1,
     "4.4.2", NULL, VERDICT_PASS, ""},
    {"a name in SNI", OPPORTUNISTIC_NONE, "tlsa;hello mx1.partner.example;message tls", IS(DELIVERED), "no odd-sni", -1,
     NULL, NULL, VERDICT_PASS, ""},
    {"a last dot in SNI", OPPORTUNISTIC_NONE, "tlsa;hello mx1.partner.example.;message tls", IS(DELIVERED),
     "no odd-sni", -1, NULL, NULL, VERDICT_FAIL, "must never do"},
    {"an address in SNI", NONE_NONE, "hello 198.18.9.9;message tls", IS(DELIVERED), "no odd-sni", -1, NULL, NULL,
     VERDICT_FAIL, "must never do"},
    {"an IPv6 address in SNI", NONE_NONE, "hello 2001:db8::1;message tls", IS(DELIVERED), "no odd-sni", -1, NULL, NULL,
     VERDICT_FAIL, "must never do"},
    {"more than ASCII in SNI", NONE_NONE,
     "hello mx1.b\xc3\xbc"
     "cher.example;message tls",
     IS(DELIVERED), "no odd-sni", -1, NULL, NULL, VERDICT_FAIL, "must never do"},
    {"a key without a certificate would do", OPPORTUNISTIC_NONE, "tlsa;hello mx1;raw keys;message tls", IS(DELIVERED),
     "no raw-key-offer", -1, NULL, NULL, VERDICT_FAIL, "must never do"},
    {"REQUIRETLS said", NONE_NONE, "said MAIL FROM:<a@b> SIZE=1 REQUIRETLS;message tls", IS(DELIVERED), "requiretls",
     -1, NULL, NULL, VERDICT_PASS, ""},
    {"REQUIRETLS left out", NONE_NONE, "said MAIL FROM:<REQUIRETLS@b> BODY=7BIT;message tls", IS(DELIVERED),
     "requiretls", -1, NULL, NULL, VERDICT_FAIL, "left out"},
    {"REQUIRETLS where it must not be", NONE_NONE, "said MAIL FROM:<a@b> requiretls;message tls", IS(DELIVERED),
     "no requiretls", -1, NULL, NULL, VERDICT_FAIL, "must never do here: C: MAIL FROM:<a@b> requiretls"},
    {"something like REQUIRETLS", NONE_NONE, "said MAIL FROM:<a@b> REQUIRETLSX;message tls", IS(DELIVERED),
     "no requiretls", -1, NULL, NULL, VERDICT_PASS, ""},
    {"SMTPUTF8 said", NONE_NONE, "said MAIL FROM:<a@b> SMTPUTF8;message tls", IS(DELIVERED), "smtputf8", -1, NULL, NULL,
     VERDICT_PASS, ""},
    {"SMTPUTF8 where it must not be", NONE_NONE, "said MAIL FROM:<a@b> SMTPUTF8;message tls", IS(DELIVERED),
     "no smtputf8", -1, NULL, NULL, VERDICT_FAIL, "must never do"},
    {"8BITMIME said", NONE_NONE, "said MAIL FROM:<a@b> BODY=8BITMIME;message tls", IS(DELIVERED), "8bitmime", -1, NULL,
     NULL, VERDICT_PASS, ""},
    {"8BITMIME left out", NONE_NONE, "said MAIL FROM:<a@b> BODY=7BIT;message tls", IS(DELIVERED), "8bitmime", -1, NULL,
     NULL, VERDICT_FAIL, "left out"},
    {"SIZE said", NONE_NONE, "said MAIL FROM:<a@b> SIZE=1000;message tls", IS(DELIVERED), "size", -1, NULL, NULL,
     VERDICT_PASS, ""},
    {"SIZE where it must not be", NONE_NONE, "said MAIL FROM:<a@b> SIZE=1000;message tls", IS(DELIVERED), "no size", -1,
     NULL, NULL, VERDICT_FAIL, "must never do"},
    {"BDAT said", NONE_NONE, "said BDAT 10 LAST;message tls", IS(DELIVERED), "bdat", -1, NULL, NULL, VERDICT_PASS, ""},
    {"BDAT where it must not be", NONE_NONE, "said BDAT 10 LAST;message tls", IS(DELIVERED), "no bdat", -1, NULL, NULL,
     VERDICT_FAIL, "must never do here: C: BDAT 10 LAST"},
    {"commands at once", NONE_NONE, "said MAIL FROM:<a@b>;at once RCPT TO:<c@d>;message tls", IS(DELIVERED),
     "pipelined", -1, NULL, NULL, VERDICT_PASS, ""},
    {"commands at once where they must wait", NONE_NONE, "said MAIL FROM:<a@b>;at once RCPT TO:<c@d>;message tls",
     IS(DELIVERED), "no pipelined", -1, NULL, NULL, VERDICT_FAIL, "must never do here: C: RCPT"},
    {"text where a command is due", NONE_NONE, "said From: a@b;message tls", IS(DELIVERED), "no stray-line", -1, NULL,
     NULL, VERDICT_FAIL, "must never do here: C: From: a@b"},
    {"commands alone", NONE_NONE, "said MAIL FROM:<a@b>;said DATA;message tls", IS(DELIVERED), "no stray-line", -1,
     NULL, NULL, VERDICT_PASS, ""},
    {"no QUIT", NONE_NONE, "message tls", IS(DELIVERED), "quit", -1, NULL, NULL, VERDICT_FAIL, "left out"},
    {"QUIT", NONE_NONE, "said QUIT;message tls", IS(DELIVERED), "quit", -1, NULL, NULL, VERDICT_PASS, ""},
    {"8 bits", NONE_NONE, "bits 8", IS(DELIVERED), "8bit-message", -1, NULL, NULL, VERDICT_PASS, ""},
    {"8 bits where 7 must do", NONE_NONE, "bits 8", IS(DELIVERED), "no 8bit-message", -1, NULL, NULL, VERDICT_FAIL,
     "must never do here: mx1.partner.example took the message over tls (8bit-message)"},
    {"8 bits converted to 7", NONE_NONE, "submitted 8;bits 7", IS(DELIVERED), "no 8bit-message", -1, NULL, NULL,
     VERDICT_PASS, ""},
    {"8 bits altered", NONE_NONE, "submitted 8;bits 8", IS(DELIVERED), NULL, -1, NULL, NULL, VERDICT_FAIL,
     "altered the body"},
    {"a report with the header", NONE_NONE, "report of the header", IS(BOUNCED), "header-report", -1, NULL, NULL,
     VERDICT_PASS, ""},
    {"a report with more than the header", NONE_NONE, "report of the whole", IS(BOUNCED), "header-report", -1, NULL,
     NULL, VERDICT_FAIL, "left out"},
    {"a report with the whole message where it must not be", NONE_NONE, "report of the whole", IS(BOUNCED),
     "no whole-report", -1, NULL, NULL, VERDICT_FAIL, "must never do"},
    {"a CR or LF alone", NONE_NONE, "bare end", IS(DELIVERED), "no bare-end", -1, NULL, NULL, VERDICT_FAIL,
     "must never do here: mx1.partner.example took the message over tls (bare-end)"},
    {"lines that end as they must", NONE_NONE, "message tls", IS(DELIVERED), "no bare-end", -1, NULL, NULL,
     VERDICT_PASS, ""},
    {"asked about revocation", NONE_NONE, "asked about mx1.partner.example;message tls", IS(DELIVERED),
     "web revocation-query", -1, NULL, NULL, VERDICT_PASS, ""},
    {"never asked about revocation", NONE_NONE, "message tls", IS(DELIVERED), "web revocation-query", -1, NULL, NULL,
     VERDICT_FAIL, "left out"},
    {"asked about the revocation of another host alone", NONE_NONE, "asked about mx2.partner.example;message tls",
     IS(DELIVERED), "web revocation-query", -1, NULL, NULL, VERDICT_FAIL, "left out"},
    {"asked about revocation where it must not be", NONE_NONE, "asked about mx1.partner.example;message tls",
     IS(DELIVERED), "web no revocation-query", -1, NULL, NULL, VERDICT_FAIL,
     "must never do here: asked about mx1.partner.example"},
    {"questions for the report's way home are no evidence", NONE_NONE, "home tlsa;report", IS(BOUNCED),
     "dns no tlsa-query", -1, NULL, NULL, VERDICT_PASS, ""},
    {"kept when it had to be delivered", OPPORTUNISTIC_NONE, "tlsa;waits", IS(DELIVERED), NULL, -1, "4.7.323", NULL,
     VERDICT_FAIL, "kept the message in the queue", .proof = "someone@partner.example: queued 4.7.323"},
    {"reported when it had to wait", OPPORTUNISTIC_NONE, "tlsa;report", IS(DEFERRED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "reported a failure", .proof = "mx.sender.example took the message"},
    {"lost", OPPORTUNISTIC_NONE, "tlsa", IS(DEFERRED), NULL, -1, NULL, NULL, VERDICT_FAIL, "lost the message"},
    {"refused at submission", OPPORTUNISTIC_NONE, "refused", IS(DELIVERED), NULL, -1, NULL, NULL, VERDICT_UNKNOWN,
     "did not take"},
    {"left out what had to be seen", OPPORTUNISTIC_NONE, "message tls", IS(DELIVERED), "dns tlsa-query", -1, NULL, NULL,
     VERDICT_FAIL, "left out"},
    {"clear where TLS had to be", NONE_NONE, "connect;mail clear;message clear", IS(DELIVERED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "in clear", .channel = 2},
    {"the right code", OPPORTUNISTIC_NONE, "tlsa", IS(DEFERRED), NULL, -1, "4.7.323", NULL, VERDICT_PASS, "",
     .code = "4.7.323"},
    {"another code", OPPORTUNISTIC_NONE, "tlsa", IS(DEFERRED), NULL, -1, "4.7.321", NULL, VERDICT_FAIL,
     "gave status 4.7.321", .code = "4.7.323"},
    {"a SHOULD is no MUST", OPPORTUNISTIC_NONE, "tlsa;connect", IS(DEFERRED), "no connect", -1, "4.4.1", NULL,
     VERDICT_WARN, "must never do", .level = "SHOULD NOT"},
    {"the second choice of a latitude", OPPORTUNISTIC_NONE, "tlsa", IS(DELIVERED) | IS(DEFERRED), NULL, -1, "4.4.1",
     NULL, VERDICT_INFO, "leave room (L1)", .latitude = "L1"},
    {"trouble that a fake witnessed", NONE_STS, "sts;trouble;message tls", IS(DELIVERED), NULL, -1, NULL, NULL,
     VERDICT_UNKNOWN, "nginx died"},
    {"delivered twice", OPPORTUNISTIC_NONE, "took tls;took tls", IS(DELIVERED), NULL, -1, NULL, NULL, VERDICT_FAIL,
     "twice"},
    {"the second time in clear", OPPORTUNISTIC_NONE, "message tls;message clear", IS(DELIVERED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "in clear", .channel = 2},
    {"in clear under mandatory, whatever the scenario says", MANDATORY_NONE, "message clear", IS(DELIVERED), NULL, -1,
     NULL, NULL, VERDICT_FAIL, "in clear, although DANE is mandatory", .level = "SHOULD"},
    {"to a host of no such domain", OPPORTUNISTIC_NONE, "took tls mx.other.example", IS(DELIVERED), NULL, -1, NULL,
     NULL, VERDICT_FAIL, "no host of that domain"},
    {"to a recipient whom nobody named", OPPORTUNISTIC_NONE, "took tls " MX1 " other@partner.example", IS(DELIVERED),
     NULL, -1, NULL, NULL, VERDICT_FAIL, "whom nobody named"},
    {"a body as it was", OPPORTUNISTIC_NONE, "submitted;took tls " MX1 " someone@partner.example b1", IS(DELIVERED),
     NULL, -1, NULL, NULL, VERDICT_PASS, ""},
    {"another body", OPPORTUNISTIC_NONE, "submitted;took tls " MX1 " someone@partner.example b2", IS(DELIVERED), NULL,
     -1, NULL, NULL, VERDICT_FAIL, "altered the body"},
    {"the null sender does not make a delivery a report", OPPORTUNISTIC_NONE,
     "submitted;took tls " MX1 " someone@partner.example b1 -", IS(BOUNCED), NULL, -1, NULL, NULL, VERDICT_FAIL,
     "sent the message to"},
    {"delivered without its sender", OPPORTUNISTIC_NONE, "submitted;took tls " MX1 " someone@partner.example b1 -",
     IS(DELIVERED), NULL, -1, NULL, NULL, VERDICT_FAIL, "without its sender"},
    {"a message that nobody submitted", OPPORTUNISTIC_NONE, "stray", IS(DEFERRED), NULL, -1, "4.4.1", NULL,
     VERDICT_FAIL, "never submitted"},
    {"delivered and reported", OPPORTUNISTIC_NONE, "message tls;report", IS(DELIVERED) | IS(BOUNCED), NULL, -1, NULL,
     NULL, VERDICT_FAIL, "reported a failure as well"},
    {"delivered and still queued", OPPORTUNISTIC_NONE, "message tls", IS(DELIVERED), NULL, -1, "4.4.1", NULL,
     VERDICT_FAIL, "still queues it"},
    {"reported and still queued", OPPORTUNISTIC_NONE, "report", IS(BOUNCED) | IS(DEFERRED), NULL, -1, "4.4.1", NULL,
     VERDICT_FAIL, "still queues the message"},
    {"one of two recipients left out", OPPORTUNISTIC_NONE, "took tls", IS(DELIVERED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "lost the message", .second_recipient = true},
    {"both recipients", OPPORTUNISTIC_NONE, "took tls " MX1 " someone@partner.example,Other@partner.example",
     IS(DELIVERED), NULL, -1, NULL, NULL, VERDICT_PASS, "", .second_recipient = true},
    {"said to be delivered, and seen nowhere", OPPORTUNISTIC_NONE, "tlsa", IS(DELIVERED) | IS(DEFERRED), NULL, -1,
     "2.0.0", NULL, VERDICT_FAIL, "lost the message", .state = "delivered"},
    {"without a queue, and silent", OPPORTUNISTIC_NONE, "tlsa", IS(DEFERRED), NULL, -1, NULL, NULL, VERDICT_FAIL,
     "lost the message", .no_queue = true},
    {"without a queue it says that it would try again", OPPORTUNISTIC_NONE, "tlsa", IS(DEFERRED), NULL, -1, "4.4.1",
     NULL, VERDICT_PASS, "", .no_queue = true},
    {"without a queue it says that it gives up", OPPORTUNISTIC_NONE, "tlsa", IS(DEFERRED), NULL, -1, "5.7.1", NULL,
     VERDICT_FAIL, "gave the message up", .no_queue = true, .state = "bounced"},
    {"each recipient its own course", OPPORTUNISTIC_NONE, "took tls " MX1 " other@partner.example", IS(DEFERRED), NULL,
     -1, "4.4.1", NULL, VERDICT_PASS, "", .second_recipient = true, .other = IS(DELIVERED)},
    {"the course of one is no course of the other", OPPORTUNISTIC_NONE, "took tls", IS(DEFERRED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "sent the message to", .second_recipient = true, .other = IS(DELIVERED)},
    {"one of two had to bounce", OPPORTUNISTIC_NONE, "took tls " MX1 " other@partner.example", IS(BOUNCED), NULL, -1,
     "4.4.1", NULL, VERDICT_FAIL, "kept the message to someone@partner.example", .second_recipient = true,
     .other = IS(DELIVERED)},
    {"a report about one of two", OPPORTUNISTIC_NONE, "took tls " MX1 " other@partner.example;report", IS(BOUNCED),
     NULL, -1, NULL, NULL, VERDICT_PASS, "", .second_recipient = true, .other = IS(DELIVERED)},
    {"the reading that is declared", OPPORTUNISTIC_NONE, "tlsa", 0, NULL, -1, "4.4.1", NULL, VERDICT_INFO,
     "as it declares", .reads = "use"},
    {"another reading than is declared", OPPORTUNISTIC_NONE, "tlsa", 0, NULL, -1, "4.4.1", NULL, VERDICT_WARN,
     "declares 'dane-insecure-mx: skip', and the message was deferred", .reads = "skip"},
    {"the first choice, and another reading than is declared", OPPORTUNISTIC_NONE, "tlsa;message tls", 0, NULL, -1,
     NULL, NULL, VERDICT_WARN, "declares 'dane-insecure-mx: use', and the message was delivered", .reads = "use"},
    {"no reading declared", OPPORTUNISTIC_NONE, "tlsa", 0, NULL, -1, "4.4.1", NULL, VERDICT_INFO, "leave room",
     .reads = ""},
    {"no reading allows a loss", OPPORTUNISTIC_NONE, "tlsa", 0, NULL, -1, NULL, NULL, VERDICT_FAIL, "lost the message",
     .reads = "use"},
    {"a last dot in SNI, whatever the scenario says", NONE_NONE, "hello mx1.partner.example.;message tls",
     IS(DELIVERED), NULL, -1, NULL, NULL, VERDICT_FAIL, "named in SNI"},
    {"STARTTLS inside TLS", NONE_NONE, "said STARTTLS;message tls", IS(DELIVERED), NULL, -1, NULL, NULL, VERDICT_FAIL,
     "said STARTTLS inside TLS"},
    {"TLSA asked for where the mode looks at none", NONE_STS, "tlsa;message tls", IS(DELIVERED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "asked for TLSA records"},
    {"a policy asked for where the mode looks at none", OPPORTUNISTIC_NONE, "tlsa;sts;message tls", IS(DELIVERED), NULL,
     -1, NULL, NULL, VERDICT_FAIL, "asked for an MTA-STS policy"},
    {"in clear to who offers TLS", NONE_NONE, "offer;mail clear;message clear", IS(DELIVERED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "although the host offered STARTTLS"},
    {"in clear to who offers none", NONE_NONE, "mail clear;message clear", IS(DELIVERED), NULL, -1, NULL, NULL,
     VERDICT_PASS, ""},
    {"in clear after an attempt at TLS", NONE_NONE, "starttls;offer;mail clear;message clear", IS(DELIVERED), NULL, -1,
     NULL, NULL, VERDICT_PASS, ""},
    {"the scenario's own difference comes first", NONE_NONE, "tlsa;message tls", IS(DEFERRED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "sent the message to"},
    {"a SHOULD beside a MUST does not soften it", OPPORTUNISTIC_NONE, "message tls", IS(DEFERRED), NULL, -1, NULL, NULL,
     VERDICT_FAIL, "sent the message to", .level = "SHOULD", .stricter = "MUST NOT"},
    {"a SHOULD excuses no loss", OPPORTUNISTIC_NONE, "", IS(DEFERRED), NULL, -1, NULL, NULL, VERDICT_FAIL,
     "lost the message", .level = "SHOULD"},
    {"a SHOULD excuses no second copy", OPPORTUNISTIC_NONE, "connect;took tls;took tls", IS(DELIVERED), "no connect",
     -1, NULL, NULL, VERDICT_FAIL, "twice", .level = "SHOULD NOT"},
};

/* Everything a row is judged with, on the stack of its test. */
struct world_of_row {
    struct scenario scenario;
    struct scenario_step step;
    struct expectation expectation;
    struct expect_line line;
    struct expect_recipient recipients[2];
    struct plan plan;
    struct plan_defect defect;
    struct verdict_status status;
    struct verdict_step seen;
    struct subject_facts subject;
};
static const char *const recipients[] = {"someone@partner.example", "other@partner.example"};
static const char *mx_of_partner[] = {"10 " MX1};
static struct world_name partner = {.name = "partner.example", .mx = {.items = mx_of_partner, .count = 1}};
static const struct world internet = {&partner, 1, {0}};
static const struct fakemx_host hosts[] = {{.name = MX1}};
static const char *const features[] = {"exchange-codes", "queue"};

static void set_line(struct world_of_row *w, const char *text)
{
    bool dns = strncmp(text, "dns ", 4) == 0, web = strncmp(text, "web ", 4) == 0;
    const char *word = text + (dns || web ? 4 : 0);
    w->line.forbidden = strncmp(word, "no ", 3) == 0;
    w->line.row = expect_find(dns ? EXPECT_DNS : web ? EXPECT_WEB : EXPECT_HOST, word + (w->line.forbidden ? 3 : 0));
    w->line.host = dns ? NULL : MX1;
    ck_assert_ptr_nonnull(w->line.row);
    w->expectation.lines = &w->line;
    w->expectation.line_count = 1;
}

/* Two recipients, each with courses of its own; or two readings. */
static void set_choices(struct world_of_row *w, const struct row *row)
{
    static struct expect_reading readings[] = {{"skip", IS(DELIVERED)}, {"use", IS(DEFERRED)}};
    struct expectation *e = &w->expectation;
    if (row->reads != NULL) {
        e->reading = "dane-insecure-mx";
        e->readings = readings;
        e->reading_count = COUNT(readings);
        e->accept = IS(DELIVERED) | IS(DEFERRED);
    }
    if (row->other != 0) {
        w->recipients[0] = (struct expect_recipient){.address = recipients[0], .accept = row->accept};
        w->recipients[1] = (struct expect_recipient){.address = recipients[1], .accept = row->other};
        e->recipients = w->recipients;
        e->recipient_count = COUNT(w->recipients);
        e->accept = 0;
    }
}

/* The row's word, or none. */
static const char *declared(const void *word, const char *key)
{
    ck_assert_str_eq(key, "dane-insecure-mx");
    return *(const char *)word != '\0' ? word : NULL;
}

static void set_up(struct world_of_row *w, const struct row *row, const struct journal *journal)
{
    *w = (struct world_of_row){0};
    w->expectation = (struct expectation){.modes = MODES_ALL,
                                          .accept = row->accept,
                                          .channel = row->channel,
                                          .code = row->code,
                                          .latitude = row->latitude};
    set_choices(w, row);
    for (w->expectation.preferred = COURSE_DELIVERED;
         row->reads == NULL && !(row->accept & (1u << w->expectation.preferred)); w->expectation.preferred++)
        continue;
    if (row->line != NULL)
        set_line(w, row->line);
    w->step = (struct scenario_step){.expectations = &w->expectation, .expectation_count = 1};
    w->scenario = (struct scenario){.says = "as it should be", .steps = &w->step, .step_count = 1};
    w->defect = (struct plan_defect){.id = "d1",
                                     .what = "the defect",
                                     .mechanism = (enum plan_mechanism)row->mechanism,
                                     .host = MX1,
                                     .visible = true};
    w->plan = (struct plan){.world = &internet,
                            .mx = {hosts, COUNT(hosts)},
                            .sender_domain = "sender.example",
                            .defects = &w->defect,
                            .defect_count = row->mechanism >= 0};
    w->status = (struct verdict_status){recipients[0], row->state != NULL ? row->state : "queued", row->queued, ""};
    w->seen = (struct verdict_step){.until = journal_count(journal),
                                    .token = "t1",
                                    .recipients = recipients,
                                    .recipient_count = row->second_recipient ? 2 : 1,
                                    .status = &w->status,
                                    .status_count = row->queued != NULL,
                                    .plan = &w->plan};
    w->subject = (struct subject_facts){.name = "subject",
                                        .features = features,
                                        .feature_count = COUNT(features) - row->no_queue,
                                        .reading = row->reads != NULL ? declared : NULL,
                                        .reading_arg = row->reads};
}

START_TEST(judges)
{
    const struct row *row = &rows[_i];
    struct journal *journal = journal_new();
    witness(journal, row->witnessed);
    struct world_of_row w;
    set_up(&w, row, journal);
    struct arena *arena = arena_new("verdict_test");
    struct verdict got;
    struct verdict_question question = {&w.scenario, row->mode, journal, &w.seen, 1, &w.subject, NULL, row->trouble};
    const char *covers[] = {"4035-4.9-1", "4035-4.9-2"};
    struct diag_list *diags = diag_new(arena);
    if (row->level != NULL) {
        w.scenario.covers = (struct schema_texts){.items = covers, .count = row->stricter != NULL ? 2 : 1};
        question.clauses = clauses_read_text(
            arena,
            arena_printf(arena, "4035-4.9-1\t4.9\t%s\tsender\tsays\tseen\n4035-4.9-2\t4.9\t%s\tsender\tsays\tseen\n",
                         row->level, row->stricter != NULL ? row->stricter : "MAY"),
            diags);
    }
    verdict_judge(arena, &question, &got);
    ck_assert_msg(got.kind == row->kind && strstr(got.sentence, row->says) != NULL, "%s: %s, %s", row->name,
                  verdict_words[got.kind], got.sentence);
    ck_assert_msg(got.courses != 0, "%s: no course of the message", row->name);
    if (row->proof != NULL) {
        const char *proof = got.proof != NULL ? journal_sentence(arena, got.proof) : "nothing";
        ck_assert_msg(strstr(proof, row->proof) != NULL, "%s: the proof is %s", row->name, proof);
    }
    arena_free(&arena);
    journal_free(&journal);
}
END_TEST

TEST_SUITE(verdict)
{
    TEST_LOOP(judges, COUNT(rows));
}
