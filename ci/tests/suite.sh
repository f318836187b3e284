# SPDX-License-Identifier: BSD-2-Clause
# The scenario suite with the bundled engine, in order, and a part of it shuffled: every case as expected both times.
. ci/lib.sh
results=$(mktemp)
build/bin/mtalab run --json "$results" || ok=no
build/bin/mtalab run --shuffle 7 --shard 1/5 || ok=no # 5: no divisor of the six modes
good=$(grep -c '"verdict":"\(PASS\|INFO\)"' "$results")
left=$(grep -c '"verdict":"UNSUPPORTED"' "$results")
all=$(grep -c '"verdict":' "$results")
rm -f "$results"
[ "$left" = 0 ] || echo "skipped: $left cases that the engine does not support"
counted "$good" $((all - good - left)) "$left" && [ "${ok:-yes}" = yes ]
