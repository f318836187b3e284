/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/status.h"

#include <ctype.h>
#include <string.h>

/* {domain} is the next-hop domain, {detail} what the failure says. A server's own enhanced code goes first where the
 * code is NULL. */
/* clang-format off */
static const struct { const char *code, *text; } of_cause[CAUSE_COUNT] = {
    [CAUSE_NO_DOMAIN]        = {"5.4.310", "DNS domain {domain} does not exist"},
    [CAUSE_NULL_MX]          = {"5.1.10",  "Recipient domain {domain} does not accept mail (null MX)"},
    [CAUSE_LOOP]             = {"5.4.6",   "Routing loop: this server is the best mail host of {domain}"},
    [CAUSE_NO_ADDRESS]       = {"4.4.312", "DNS query failed [Message=InfoNoRecords] {detail}"},
    [CAUSE_DNS_FAILED]       = {"4.4.312", "DNS query failed [Message={detail}]"},
    [CAUSE_INSECURE_DENIAL]  = {"4.7.323", "dane-required: {detail}, and DNSSEC does not prove it."},
    [CAUSE_HOST_UNRESOLVED]  = {"4.4.312", "DNS query failed [Message={detail}]"},
    [CAUSE_CONNECT_REFUSED]  = {"4.4.316", "Connection refused [Message={detail}]"},
    [CAUSE_CONNECT_TIMEOUT]  = {"4.4.315", "Connection timed out [Message={detail}]"},
    [CAUSE_CONNECT_FAILED]   = {"4.4.317", "Cannot connect to remote server [Message={detail}]"},
    [CAUSE_GREETING_4XX]     = {"4.4.317", "Cannot establish session with remote server [Message={detail}]"},
    [CAUSE_GREETING_5XX]     = {"4.4.317", "Cannot establish session with remote server [Message={detail}]"},
    [CAUSE_EHLO_4XX]         = {"4.4.317", "Cannot establish session with remote server [Message={detail}]"},
    [CAUSE_EHLO_5XX]         = {"4.4.317", "Cannot establish session with remote server [Message={detail}]"},
    [CAUSE_STARTTLS_BROKEN]  = {"4.4.317", "Cannot establish session with remote server [Message={detail}]"},
    [CAUSE_HANDSHAKE_FAILED] = {"4.4.317", "Cannot establish session with remote server [Message=TLS negotiation "
                                           "failed: {detail}]"},
    [CAUSE_TIMEOUT]          = {"4.4.315", "Connection timed out [Message={detail}]"},
    [CAUSE_LOST]             = {"4.4.318", "Connection was closed abruptly [Message={detail}]"},
    [CAUSE_LOST_AFTER_DOT]   = {"4.4.318", "Connection was closed abruptly [Message={detail}]"},
    [CAUSE_BAD_REPLY]        = {"4.4.317", "Cannot establish session with remote server [Message={detail}]"},
    [CAUSE_CLOSING]          = {"4.4.317", "Cannot establish session with remote server [Message={detail}]"},
    [CAUSE_TLS_WANTED]       = {"4.4.317", "Cannot establish session with remote server [Message={detail}]"},
    [CAUSE_TLS_INSISTED_ON]  = {"5.7.10",  "Encryption needed: {detail}"},
    [CAUSE_MAIL_4XX]         = {NULL,      "{detail}"},
    [CAUSE_MAIL_5XX]         = {NULL,      "{detail}"},
    [CAUSE_RCPT_4XX]         = {NULL,      "{detail}"},
    [CAUSE_RCPT_5XX]         = {NULL,      "{detail}"},
    [CAUSE_DATA_4XX]         = {NULL,      "{detail}"},
    [CAUSE_DATA_5XX]         = {NULL,      "{detail}"},
    [CAUSE_BODY_4XX]         = {NULL,      "{detail}"},
    [CAUSE_BODY_5XX]         = {NULL,      "{detail}"},
    [CAUSE_TOO_BIG]          = {"5.3.4",   "Message too big for the destination: {detail}"},
    [CAUSE_NO_8BIT]          = {"5.6.3",   "The destination does not take 8-bit mail"},
    [CAUSE_NO_SMTPUTF8]      = {"5.6.7",   "The destination does not take addresses or a header in UTF-8: {detail}"},
    [CAUSE_INTERNAL]         = {"4.3.0",   "{detail}"},
};
/* clang-format on */

/* clang-format off */
static const struct { const char *code, *text; } of_reason[REASON_COUNT] = {
    [REASON_STARTTLS_NOT_SUPPORTED]    = {"4.7.321", "starttls-not-supported: Destination mail server must support "
                                                     "TLS to receive mail. ({detail})"},
    [REASON_CERTIFICATE_EXPIRED]       = {"4.7.322", "certificate-expired: Destination mail server's certificate is "
                                                     "expired. ({detail})"},
    [REASON_TLSA_INVALID]              = {"4.7.323", "tlsa-invalid: The domain failed DANE validation. ({detail})"},
    [REASON_DANE_REQUIRED]             = {"4.7.323", "dane-required: The connector demands DANE, the destination "
                                                     "does not offer it. ({detail})"},
    [REASON_DNSSEC_INVALID]            = {"4.7.324", "dnssec-invalid: Destination domain returned invalid DNSSEC "
                                                     "records. ({detail})"},
    [REASON_CERTIFICATE_HOST_MISMATCH] = {"4.7.325", "certificate-host-mismatch: Remote certificate MUST have a "
                                                     "common name or subject "
                                                     "alternative name matching the hostname (DANE). ({detail})"},
    [REASON_STS_MX_MISMATCH]           = {"4.4.8",   "MX hosts of {domain} failed MTA-STS validation. ({detail})"},
    [REASON_STS_CERTIFICATE]           = {"4.7.5",   "Remote certificate failed MTA-STS validation. Reason: {detail}"},
    [REASON_TLS_REQUIRED]              = {"4.4.317", "Cannot establish session with remote server [Message=451 "
                                                     "5.7.3 STARTTLS is required "
                                                     "to send mail: {detail}]"},
    [REASON_CONNECTOR_CERTIFICATE]     = {"4.7.320", "Certificate validation failed [Message={detail}]"},
    [REASON_REQUIRETLS_CHANNEL]        = {"5.7.10",  "Encryption needed: the message says REQUIRETLS. ({detail})"},
    [REASON_REQUIRETLS_KEYWORD]        = {"5.7.30",  "REQUIRETLS needed: the message says it. ({detail})"},
    [REASON_DNS_FAILED]                = {"4.4.312", "DNS query failed [Message={detail}]"},
};
/* clang-format on */

static const char *filled(struct arena *arena, const char *text, const char *word, const char *value)
{
    const char *at = strstr(text, word);
    if (at == NULL)
        return text;
    return arena_printf(arena, "%.*s%s%s", (int)(at - text), text, value, at + strlen(word));
}

/* A reply without an enhanced code gets the general one of its class. */
static const char *reply_code(struct arena *arena, const struct failure *f)
{
    if (f->enhanced[0] != '\0')
        return arena_strdup(arena, f->enhanced);
    return f->reply_code / 100 == 5 ? "5.0.0" : "4.0.0";
}

struct status status_of(struct arena *arena, const struct failure *f, const char *destination)
{
    bool by_reason = f->reason != REASON_NONE && of_reason[f->reason].code != NULL;
    const char *code = by_reason ? of_reason[f->reason].code : of_cause[f->cause].code;
    const char *text = by_reason ? of_reason[f->reason].text : of_cause[f->cause].text;
    if (text == NULL)
        return (struct status){"4.0.0", "unknown failure"};
    text = filled(arena, text, "{domain}", destination != NULL ? destination : "");
    text = filled(arena, text, "{detail}", f->text != NULL ? f->text : "no detail");
    return (struct status){code != NULL ? code : reply_code(arena, f), text};
}

/* "Connection refused" becomes "Message expired, connection refused", "DNS query failed" keeps its capitals. */
struct status status_expired(struct arena *arena, struct status last)
{
    if (last.code[0] != '4')
        return last;
    char *text = arena_printf(arena, "Message expired, %s", last.text);
    char *first = text + strlen("Message expired, ");
    if (first[0] != '\0' && !isupper((unsigned char)first[1]))
        first[0] = (char)tolower((unsigned char)first[0]);
    return (struct status){arena_printf(arena, "5%s", last.code + 1), text};
}

bool status_is_reply(const char *text)
{
    return strspn(text, "0123456789") == 3 && text[3] == ' ';
}

const char *status_reply(struct arena *arena, struct status status)
{
    return status_is_reply(status.text)
               ? status.text
               : arena_printf(arena, "%s %s %s", status.code[0] == '5' ? "550" : "450", status.code, status.text);
}
