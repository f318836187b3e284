/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/expect.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/table.h"
#include "base/text.h"
#include "fakemx/fakemx.h"

static bool at_host(const struct journal_event *event, const char *host)
{
    return host == NULL || text_name_equal(event->host, host);
}

static bool said(const struct journal_event *event, const char *host, const char *verb)
{
    return event->kind == JOURNAL_MX_COMMAND && at_host(event, host) &&
           strcasecmp(journal_get(event, "verb"), verb) == 0;
}

static bool is_connect(const struct journal_event *event, const char *host)
{
    return event->kind == JOURNAL_MX_CONNECT && at_host(event, host);
}

static bool is_ehlo(const struct journal_event *event, const char *host)
{
    return said(event, host, "EHLO") || said(event, host, "HELO");
}

static bool is_helo(const struct journal_event *event, const char *host)
{
    return said(event, host, "HELO");
}

static bool is_starttls(const struct journal_event *event, const char *host)
{
    return said(event, host, "STARTTLS");
}

static bool is_second_starttls(const struct journal_event *event, const char *host)
{
    return is_starttls(event, host) && strcmp(journal_get(event, "channel"), "tls") == 0;
}

static bool is_tls(const struct journal_event *event, const char *host)
{
    return event->kind == JOURNAL_MX_TLS && at_host(event, host);
}

static bool is_resumed(const struct journal_event *event, const char *host)
{
    return is_tls(event, host) && strcmp(journal_get(event, "resumed"), "yes") == 0;
}

/* 6066-3-2, 6066-3-3: a name in ASCII without its last dot, never an address. */
static bool is_odd_sni(const struct journal_event *event, const char *host)
{
    const char *sni = journal_get(event, "sni");
    size_t length = strlen(sni);
    if (event->kind != JOURNAL_MX_HELLO || !at_host(event, host) || length == 0)
        return false;
    bool ascii = true;
    for (size_t i = 0; i < length; i++)
        ascii = ascii && (unsigned char)sni[i] < 0x80;
    return !ascii || sni[length - 1] == '.' || strpbrk(sni, ":,") != NULL || sni[strspn(sni, "0123456789.")] == '\0';
}

/* 7671-5.1: a key without a certificate is of use only to who has a record of just that key. */
static bool is_raw_key_offer(const struct journal_event *event, const char *host)
{
    bool ended = event->kind == JOURNAL_MX_TLS || event->kind == JOURNAL_MX_TLS_FAILED;
    return ended && at_host(event, host) && strcmp(journal_get(event, "raw-keys"), "yes") == 0;
}

static bool is_mail_from(const struct journal_event *event, const char *host)
{
    return said(event, host, "MAIL");
}

static bool is_clear_mail_from(const struct journal_event *event, const char *host)
{
    return said(event, host, "MAIL") && strcmp(journal_get(event, "channel"), "clear") == 0;
}

/* A parameter of MAIL: "REQUIRETLS", or "BODY=8BITMIME". */
static bool mail_with(const struct journal_event *event, const char *host, const char *parameter)
{
    if (!said(event, host, "MAIL"))
        return false;
    const char *line = journal_get(event, "line"), *path_end = strrchr(line, '>');
    size_t length = strlen(parameter);
    for (const char *word = path_end != NULL ? path_end + 1 : ""; *word != '\0'; word += strcspn(word, " ")) {
        word += strspn(word, " ");
        if (strncasecmp(word, parameter, length) == 0 && (parameter[length - 1] == '=' || strchr(" ", word[length])))
            return true;
    }
    return false;
}

static bool is_requiretls(const struct journal_event *event, const char *host)
{
    return mail_with(event, host, "REQUIRETLS");
}

static bool is_smtputf8(const struct journal_event *event, const char *host)
{
    return mail_with(event, host, "SMTPUTF8");
}

static bool is_8bitmime(const struct journal_event *event, const char *host)
{
    return mail_with(event, host, "BODY=8BITMIME");
}

static bool is_size(const struct journal_event *event, const char *host)
{
    return mail_with(event, host, "SIZE=");
}

static bool is_bdat(const struct journal_event *event, const char *host)
{
    return said(event, host, "BDAT");
}

/* RFC 2920 */
static bool is_pipelined(const struct journal_event *event, const char *host)
{
    return event->kind == JOURNAL_MX_COMMAND && at_host(event, host) && strcmp(journal_get(event, "early"), "yes") == 0;
}

static bool is_stray_line(const struct journal_event *event, const char *host)
{
    static const char *const verbs[] = {"EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA",
                                        "BDAT", "RSET", "NOOP",     "VRFY", "QUIT"};
    bool known = false;
    for (size_t i = 0; i < COUNT(verbs); i++)
        known |= said(event, host, verbs[i]);
    return event->kind == JOURNAL_MX_COMMAND && at_host(event, host) && !known;
}

static bool is_quit(const struct journal_event *event, const char *host)
{
    return said(event, host, "QUIT");
}

static bool is_rcpt_to(const struct journal_event *event, const char *host)
{
    return said(event, host, "RCPT");
}

static bool is_data(const struct journal_event *event, const char *host)
{
    return said(event, host, "DATA") || said(event, host, "BDAT");
}

static bool is_message(const struct journal_event *event, const char *host)
{
    return event->kind == JOURNAL_MX_MESSAGE && at_host(event, host);
}

static bool is_waiting_on(const struct journal_event *event, const char *host)
{
    return event->kind == JOURNAL_MX_CLOSE && at_host(event, host) &&
           strcmp(journal_get(event, "reason"), MX_CUT_OFF) == 0;
}

static bool is_8bit_message(const struct journal_event *event, const char *host)
{
    return is_message(event, host) && strcmp(journal_get(event, "bits"), "8") == 0;
}

static bool is_report_returning(const struct journal_event *event, const char *host, const char *what)
{
    return is_message(event, host) && strcmp(journal_get(event, "bounce"), "yes") == 0 &&
           strcmp(journal_get(event, "returns"), what) == 0;
}

static bool is_header_report(const struct journal_event *event, const char *host)
{
    return is_report_returning(event, host, "header");
}

static bool is_whole_report(const struct journal_event *event, const char *host)
{
    return is_report_returning(event, host, "whole");
}

static bool is_bare_end(const struct journal_event *event, const char *host)
{
    return is_message(event, host) && strcmp(journal_get(event, "bare-end"), "yes") == 0;
}

/* The name asked is prefix + host; a NULL host leaves the rest open, a NULL type the type. */
static bool asked(const struct journal_event *event, const char *type, const char *prefix, const char *host)
{
    if (event->kind != JOURNAL_DNS_QUERY || (type != NULL && strcmp(journal_get(event, "qtype"), type) != 0))
        return false;
    const char *name = journal_get(event, "qname");
    if (strncasecmp(name, prefix, strlen(prefix)) != 0)
        return false;
    return host == NULL || text_name_equal(name + strlen(prefix), host);
}

static bool is_mx_query(const struct journal_event *event, const char *host)
{
    return asked(event, "MX", "", host);
}

static bool is_address_query(const struct journal_event *event, const char *host)
{
    return asked(event, "A", "", host) || asked(event, "AAAA", "", host);
}

/* A resolver that minimises names (RFC 9156) may learn from _tcp.<host> that nothing is below, and asks no further. */
static bool is_tlsa_query(const struct journal_event *event, const char *host)
{
    static const char label[] = "._tcp.";
    const char *name = event->kind == JOURNAL_DNS_QUERY ? journal_get(event, "qname") : "";
    if (asked(event, NULL, "_tcp.", host))
        return true;
    size_t port = name[0] == '_' ? 1 + strspn(name + 1, "0123456789") : 0;
    return port > 1 && asked(event, "TLSA", "_", NULL) && strncasecmp(name + port, label, strlen(label)) == 0 &&
           (host == NULL || text_name_equal(name + port + strlen(label), host));
}

static bool is_sts_query(const struct journal_event *event, const char *host)
{
    return asked(event, "TXT", "_mta-sts.", host);
}

static bool at_policy_host(const struct journal_event *event, const char *host)
{
    static const char label[] = "mta-sts.";
    return at_host(event, host) ||
           (strncasecmp(event->host, label, strlen(label)) == 0 && text_name_equal(event->host + strlen(label), host));
}

static bool is_web_connect(const struct journal_event *event, const char *host)
{
    return event->kind == JOURNAL_WEB_CONNECT && at_policy_host(event, host);
}

static bool is_revocation_query(const struct journal_event *event, const char *host)
{
    return event->kind == JOURNAL_CA_REQUEST && (host == NULL || text_name_equal(journal_get(event, "about"), host));
}

static bool is_request(const struct journal_event *event, const char *host)
{
    return event->kind == JOURNAL_WEB_REQUEST && at_policy_host(event, host);
}

static const struct expect_row rows[] = {
    {"connect", EXPECT_HOST, "a TCP connection to the host", is_connect},
    {"ehlo", EXPECT_HOST, "EHLO or HELO", is_ehlo},
    {"helo", EXPECT_HOST, "HELO, the old greeting", is_helo},
    {"starttls", EXPECT_HOST, "the STARTTLS command", is_starttls},
    {"second-starttls", EXPECT_HOST, "STARTTLS inside TLS", is_second_starttls, true},
    {"tls", EXPECT_HOST, "a TLS handshake that the server completed", is_tls},
    {"resumed", EXPECT_HOST, "a TLS handshake that resumed an earlier session, and showed no certificate", is_resumed,
     true},
    {"odd-sni", EXPECT_HOST, "a ClientHello whose SNI is an address, is not ASCII, ends in a dot, or is more than one",
     is_odd_sni},
    {"raw-key-offer", EXPECT_HOST, "a handshake in which the client would take a key without a certificate",
     is_raw_key_offer},
    {"mail-from", EXPECT_HOST, "MAIL FROM, over whatever channel", is_mail_from},
    {"clear-mail-from", EXPECT_HOST, "MAIL FROM outside of TLS", is_clear_mail_from},
    {"rcpt-to", EXPECT_HOST, "RCPT TO", is_rcpt_to},
    {"data", EXPECT_HOST, "DATA or BDAT", is_data},
    {"requiretls", EXPECT_HOST, "MAIL with REQUIRETLS (RFC 8689)", is_requiretls, true},
    {"smtputf8", EXPECT_HOST, "MAIL with SMTPUTF8 (RFC 6531)", is_smtputf8, true},
    {"8bitmime", EXPECT_HOST, "MAIL with BODY=8BITMIME (RFC 6152)", is_8bitmime, true},
    {"size", EXPECT_HOST, "MAIL with SIZE (RFC 1870)", is_size, true},
    {"bdat", EXPECT_HOST, "BDAT (RFC 3030)", is_bdat, true},
    {"pipelined", EXPECT_HOST, "a command before the answer to the one ahead of it (RFC 2920)", is_pipelined, true},
    {"quit", EXPECT_HOST, "QUIT", is_quit, true},
    {"stray-line", EXPECT_HOST, "a line that is no command, such as text that nobody asked for", is_stray_line, true},
    {"waiting-on", EXPECT_HOST, "still there when a host that lets its bytes drip was cut off after 5 s",
     is_waiting_on},
    {"8bit-message", EXPECT_HOST, "a message, not all of it ASCII, that the host accepted", is_8bit_message, true},
    {"header-report", EXPECT_HOST, "a report of failure that the host accepted, with the header of the message alone",
     is_header_report, true},
    {"whole-report", EXPECT_HOST, "a report of failure that the host accepted, with the whole message in it",
     is_whole_report, true},
    {"message", EXPECT_HOST, "a message that the host accepted", is_message},
    {"bare-end", EXPECT_HOST, "a message in which a CR or LF stands alone", is_bare_end, true},
    {"mx-query", EXPECT_DNS, "a question for MX", is_mx_query},
    {"address-query", EXPECT_DNS, "a question for A or AAAA", is_address_query},
    {"tlsa-query", EXPECT_DNS, "a question for TLSA at any port; a name behind it is the host (without _25._tcp)",
     is_tlsa_query},
    {"mta-sts-query", EXPECT_DNS, "a question for the TXT record _mta-sts.<domain>", is_sts_query},
    {"connect", EXPECT_WEB, "a TCP connection to a policy host", is_web_connect},
    {"revocation-query", EXPECT_WEB, "a question about the revocation of a certificate; a name behind it is its host",
     is_revocation_query},
    {"request", EXPECT_WEB, "an HTTPS request at a policy host", is_request},
};

const struct expect_row *expect_find(enum expect_subject about, const char *word)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].about == about && strcmp(rows[i].word, word) == 0)
            return &rows[i];
    return NULL;
}

const char *expect_nearest(enum expect_subject about, const char *word)
{
    const char *words[COUNT(rows) + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].about == about)
            words[count++] = rows[i].word;
    return table_nearest_word(word, words);
}

bool expect_range(const char *text, int64_t *least, int64_t *most)
{
    long long from, to;
    int whole = 0;
    bool range = sscanf(text, "%lld-%lld%n", &from, &to, &whole) == 2 && text[whole] == '\0';
    if (!range) {
        whole = 0;
        if (sscanf(text, "%lld%n", &from, &whole) != 1 || text[whole] != '\0')
            return false;
        to = from;
    }
    *least = from;
    *most = to;
    return from >= 0 && to >= from;
}

/* Is the event about the sender's own domain, where its reports go? */
static bool at_home(const struct journal_event *event, const char *home)
{
    const char *name = event->kind == JOURNAL_DNS_QUERY ? journal_get(event, "qname") : event->host;
    return text_name_under(name, home);
}

const struct journal_event *expect_seen(const struct journal *journal, size_t from, size_t until,
                                        const struct expect_row *row, const char *host, const char *sender_domain)
{
    for (size_t i = from; i < until && i < journal_count(journal); i++) {
        const struct journal_event *event = journal_at(journal, i);
        if (row->is(event, host) && (host != NULL || !at_home(event, sender_domain)))
            return event;
    }
    return NULL;
}
