/* SPDX-License-Identifier: BSD-2-Clause
 * Faults of one answer: what it says as a whole, and how it proves that something is absent. */
#include "fakedns/dns_answer.h"
#include "fakedns/dns_denial.h"
#include "fakedns/dns_fault.h"

enum { SLOW_MS = 200 };

void dns_fault_proof_missing(struct dns_zone *zone, struct dns_proof *proof)
{
    (void)zone;
    proof->count = 0;
}

void dns_fault_proof_false(struct dns_zone *zone, struct dns_proof *proof)
{
    dns_prove_falsely(zone, proof);
}

void dns_fault_proof_incomplete(struct dns_zone *zone, struct dns_proof *proof)
{
    (void)zone;
    proof->count--;
}

void dns_fault_proof_from_above(struct dns_zone *zone, struct dns_proof *proof)
{
    proof->count = 0;
    if (zone->parent != NULL)
        dns_prove_no_type(zone->parent, zone->name, proof);
}

static void settle(struct dns_reply *reply, unsigned rcode)
{
    reply->rcode = rcode;
    reply->settled = true;
}

void dns_fault_servfail(struct dns_reply *reply)
{
    settle(reply, LDNS_RCODE_SERVFAIL);
}

void dns_fault_refused(struct dns_reply *reply)
{
    settle(reply, LDNS_RCODE_REFUSED);
}

void dns_fault_notimp(struct dns_reply *reply)
{
    settle(reply, LDNS_RCODE_NOTIMPL);
}

void dns_fault_formerr(struct dns_reply *reply)
{
    settle(reply, LDNS_RCODE_FORMERR);
}

void dns_fault_lame(struct dns_reply *reply)
{
    settle(reply, LDNS_RCODE_REFUSED);
}

void dns_fault_silent(struct dns_reply *reply)
{
    settle(reply, LDNS_RCODE_NOERROR);
    reply->deed = DNS_IGNORE;
}

void dns_fault_truncated(struct dns_reply *reply)
{
    settle(reply, LDNS_RCODE_NOERROR);
    reply->authoritative = true;
    reply->truncated = reply->transport == DNS_UDP;
    reply->deed = reply->transport == DNS_UDP ? DNS_SEND : DNS_HANG_UP;
}

void dns_fault_wrong_id(struct dns_reply *reply)
{
    reply->wrong_id = true;
}

void dns_fault_malformed(struct dns_reply *reply)
{
    reply->malformed = true;
}

void dns_fault_oversized(struct dns_reply *reply)
{
    reply->oversized = true;
}

void dns_fault_unrelated(struct dns_reply *reply)
{
    reply->unrelated = true;
}

static bool at_ipv6(struct dns_reply *reply)
{
    reply->passed_over = reply->view->address.addr.ss_family != AF_INET6;
    return !reply->passed_over;
}

void dns_fault_disagreeing(struct dns_reply *reply)
{
    if (!at_ipv6(reply))
        return;
    settle(reply, LDNS_RCODE_NOERROR);
    reply->authoritative = true;
}

void dns_fault_half_lame(struct dns_reply *reply)
{
    if (at_ipv6(reply))
        dns_fault_lame(reply);
}

void dns_fault_slow(struct dns_reply *reply)
{
    reply->delay_ms = SLOW_MS;
}
