# SPDX-License-Identifier: BSD-2-Clause
# Third parties agree about TLS: of every host that differs from the others, openssl and posttls-finger find TLSA records to
# match or not, and openssl and curl find certificates and answers to be right or wrong, as the scenario claims.
. ci/lib.sh
. ci/judges/lib.sh

# posttls-finger drops its rights, which only the real root can.
JUDGE_FINGER=no skipped=0
if [ "$(id -u)" != 0 ]; then
    echo "skipped: posttls-finger (needs root)"; skipped=1
elif ! command -v posttls-finger >/dev/null 2>&1; then
    echo "skipped: posttls-finger (not installed)"; skipped=1
else JUDGE_FINGER=yes; fi
export JUDGE_FINGER

judge_worlds ci/judges/tls.sh ci/judges/tls.awk $skipped
