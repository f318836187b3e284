/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/reading.h"

#include <string.h>

#include "base/base.h"
#include "base/table.h"

#define WORDS(...)                                                                                                     \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }
static const struct reading rows[] = {
    {"dane-insecure-mx", WORDS("skip", "use"), "DANE at hosts that an MX record without DNSSEC names"},
    {"mx-alias", WORDS("follow", "refuse"), "MX hosts that are aliases"},
    {"pkix-usages", WORDS("unusable", "check"), "TLSA records of the usages 0 and 1"},
    {"dane-pass-sts-fail", WORDS("deliver", "block"), "a host that DANE authenticates and an enforced policy rejects"},
    {"bogus-without-dane", WORDS("deliver", "wait"), "bogus data where DANE is not asked for"},
    {"failed-tls", WORDS("clear", "wait"), "TLS that fails where nothing demands it"},
    {"lost-tls", WORDS("wait", "clear"), "a connection lost inside TLS where nothing demands it"},
    {"old-tls", WORDS("refuse", "use"), "hosts that speak nothing newer than TLS 1.0"},
    {"client-certificate", WORDS("none", "own"), "hosts that take nobody without a certificate"},
    {"anonymous-suites", WORDS("use", "refuse"), "suites without a certificate where nothing has to be authenticated"},
    {"sni", WORDS("always", "on-demand"), "SNI where nothing has to be authenticated"},
    {"alias-sni", WORDS("target", "owner"), "SNI behind an alias where both DANE and a policy rule"},
    {"injected-replies", WORDS("go-on", "give-up"), "replies that came in clear ahead of TLS, which are thrown away"},
    {"refused-in-tls", WORDS("wait", "bounce"), "hosts that refuse every command inside TLS"},
    {"starttls-insisted-on", WORDS("wait", "bounce"), "hosts that demand STARTTLS and do not offer it"},
    {"refused-session", WORDS("wait", "bounce"),
     "the only host refuses the session for good, and no record or policy demands TLS"},
    {"no-usable-host", WORDS("bounce", "wait"), "domains whose records name no host to go to"},
    {"dangling-alias", WORDS("bounce", "wait"), "recipient domains that are aliases of what does not exist"},
    {"endless-alias", WORDS("wait", "bounce"), "recipient domains that are aliases in a circle, or in too long a row"},
    {"unsigned-denial", WORDS("wait", "bounce"),
     "under mandatory DANE domains that take no mail, or do not exist, and are not signed"},
    {"null-mx-beside-others", WORDS("ignore", "heed"), "a null MX record beside others"},
    {"address-as-mx", WORDS("wait", "use", "bounce"), "MX records that hold an address"},
    {"address-literal", WORDS("wait", "deliver"), "under mandatory DANE recipients at an address"},
    {"failed-aaaa", WORDS("give-up", "go-on"),
     "hosts whose IPv6 address cannot be looked up, and whose IPv4 address can"},
    {"failed-host", WORDS("next", "wait"), "the first of several hosts refuses for now, or cannot be looked up"},
    {"next-address", WORDS("try", "wait"), "the next address of a host that does not authenticate at the first"},
    {"host-without-dane", WORDS("pass", "wait"),
     "under mandatory DANE a first host without TLSA records before one that authenticates"},
    {"sha-512", WORDS("known", "unknown"), "TLSA records with SHA-512 digests"},
    {"dane-ee-extensions", WORDS("ignore", "heed"), "purposes, extensions and revocation under DANE-EE"},
    {"dane-ta-purpose", WORDS("heed", "ignore"), "leaves that are not for servers under DANE-TA"},
    {"weak-certificate", WORDS("accept", "refuse"), "keys and signatures that are too weak"},
    {"common-name", WORDS("heed", "ignore"), "names that stand in the CN alone under DANE-TA"},
    {"deep-wildcard", WORDS("refuse", "accept"), "wildcards for more than one label under DANE-TA"},
    {"misordered-chain", WORDS("sort", "refuse"), "chains out of order"},
    {"known-anchor", WORDS("use", "ignore"), "trust anchors that are not shown, and are among the sender's own roots"},
    {"bare-anchor-key", WORDS("use", "ignore"), "trust anchors of which no more than the key is known"},
    {"leaf-as-anchor", WORDS("accept", "refuse"), "self-signed leaves that are their own trust anchor"},
    {"anchor-limits", WORDS("heed", "ignore"), "dates and limits in the trust anchor's own certificate"},
    {"lost-announcement", WORDS("go-on", "wait"), "announcements of a policy that cannot be looked up"},
    {"announcement-blanks", WORDS("accept", "refuse"), "a blank before the semicolon of an announcement"},
    {"policy-type", WORDS("refuse", "accept"), "policies served as anything but plain text"},
    {"policy-size", WORDS("refuse", "accept"), "policies beyond 64 KiB"},
    {"policy-form", WORDS("strict", "lenient"), "policies that miss the grammar by a hair"},
    {"max-age-too-long", WORDS("cut", "refuse"), "a max_age of more than a year"},
    {"max-age-zero", WORDS("apply", "ignore"), "the message at hand under a max_age of 0"},
    {"same-id", WORDS("keep", "fetch"), "a cached policy under an id that has not changed"},
    {"policy-of-target", WORDS("ignore", "heed"), "policies of what the recipient's domain is an alias of"},
    {"implicit-mx-policy", WORDS("host", "unlisted", "exempt"),
     "domains without MX records under a policy: the domain is the host, no host is listed, or all are"},
    {"incomplete-chain", WORDS("refuse", "complete"), "chains without their intermediate under a policy"},
    {"revoked-certificate", WORDS("ignore", "heed"), "revoked certificates under a policy"},
    {"requiretls-testing", WORDS("bounce", "deliver"),
     "REQUIRETLS where a policy in testing is all that vouches for the host"},
    {"requiretls-other-name", WORDS("deliver", "bounce"),
     "REQUIRETLS to a host of another name that DANE-EE authenticates"},
    {"requiretls-mandatory", WORDS("wait", "bounce"),
     "REQUIRETLS that is not met, under mandatory DANE that is not met either"},
    {"requiretls-trouble", WORDS("wait", "bounce"), "REQUIRETLS to hosts that are in trouble for the moment"},
    {"tls-required-twice", WORDS("ignore", "heed"), "TLS-Required: No said twice"},
    {"8-bit-text", WORDS("bounce", "convert"), "text that is not ASCII for a host that takes no other"},
};

const struct reading *reading_at(size_t i)
{
    return i < COUNT(rows) ? &rows[i] : NULL;
}

const struct reading *reading_find(const char *key)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].key, key) == 0)
            return &rows[i];
    return NULL;
}

static const char *key_at(const void *all, size_t i)
{
    return i < COUNT(rows) ? ((const struct reading *)all)[i].key : NULL;
}

const char *reading_nearest(const char *key)
{
    return table_nearest(key, key_at, rows);
}
