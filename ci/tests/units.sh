# SPDX-License-Identifier: BSD-2-Clause
# The unit tests of every folder. UNITS_MODE=asan: under the sanitizers.
. ci/lib.sh
log=$(mktemp)
make -s -k -j"$jobs" MODE="${UNITS_MODE:-release}" WERROR=1 check >"$log" 2>&1 && ok=yes || ok=no
grep -v -E '^[^ ]+:[0-9]+:P:' "$log"
set -- $(sed -n 's/.*Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' "$log" |
    awk '{ all += $1; bad += $2 + $3 } END { print all + 0, bad + 0 }')
rm -f "$log"
good=$(($1 - $2)) bad=$2
[ $ok = yes ] || [ "$bad" != 0 ] || bad=1 # it did not build, or crashed
counted $good $bad 0
