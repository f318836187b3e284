# SPDX-License-Identifier: BSD-2-Clause
# The scenario suite with the bundled engine, in order; sanitizers.sh runs a part of it shuffled.
. ci/lib.sh
results=$(mktemp)
build/bin/mtalab run --json "$results" || ok=no
good=$(grep -c '"verdict":"\(PASS\|INFO\)"' "$results")
left=$(grep -c '"verdict":"UNSUPPORTED"' "$results")
all=$(grep -c '"verdict":' "$results")
rm -f "$results"
[ "$left" = 0 ] || echo "skipped: $left cases that the engine does not support"
counted "$good" $((all - good - left)) "$left" && [ "${ok:-yes}" = yes ]
