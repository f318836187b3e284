# SPDX-License-Identifier: BSD-2-Clause
# The same scenarios with Postfix from the distribution's package. Needs root: Postfix changes users.
. ci/lib.sh
[ "$(id -u)" = 0 ] || { echo "skipped: postfix (needs root)"; counted 0 0 1; exit; }
results=$(mktemp)
build/bin/mtalab run --mta postfix --json "$results" || ok=no
good=$(grep -c '"verdict":"\(PASS\|INFO\|WARN\|XFAIL\)"' "$results")
left=$(grep -c '"verdict":"UNSUPPORTED"' "$results")
all=$(grep -c '"verdict":' "$results")
rm -f "$results"
echo "skipped: $left cases in modes that Postfix does not have"
[ "$good" -gt 0 ] && counted "$good" $((all - good - left)) "$left" && [ "${ok:-yes}" = yes ]
