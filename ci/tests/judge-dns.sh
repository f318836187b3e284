# SPDX-License-Identifier: BSD-2-Clause
# Third parties agree about DNS: of every name in every state of zones and faults that the scenarios have, delv and unbound
# say secure, insecure or bogus as is claimed, and dnssec-verify finds each signed zone whole or spoilt.
. ci/lib.sh
. ci/judges/lib.sh
judge_worlds ci/judges/dns.sh ci/judges/dns.awk 0
