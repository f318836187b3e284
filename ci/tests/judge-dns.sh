# SPDX-License-Identifier: BSD-2-Clause
# Third parties agree about DNS: in every world that differs from the others in its DNS, delv and unbound say secure,
# insecure or bogus as the scenario claims, and dnssec-verify finds each signed zone whole or spoilt.
. ci/lib.sh
. ci/judges/lib.sh

# Not what changes from plan to plan: digests and the ids of policies.
dns_of() {
    sed -e 's/^\( *[^ ]* TLSA [0-9]* [0-9]* [0-9]*\) .*/\1/' -e 's/^\( *[^ ]* TXT\) .*/\1/' "$1/fakedns.yaml"
    grep -v -E '^[^ ]+ (address|tls|pkix|dane|https) ' "$1/claims"
}
judge_worlds ci/judges/dns.sh dns_of 0
