# SPDX-License-Identifier: BSD-2-Clause
# The unit tests once more under AddressSanitizer and UBSan, and a part of the suite, shuffled, with sanitized programs on
# both sides. 5: no divisor of the six modes.
. ci/lib.sh
log=$(mktemp)
UNITS_MODE=asan sh ci/tests/units.sh >"$log"
units=$(tail -1 "$log" | cut -d' ' -f1) broken=$(tail -1 "$log" | cut -d' ' -f3)
make -s -j"$jobs" MODE=asan WERROR=1 all || exit 1
results=$(mktemp)
build-asan/bin/mtalab run --shuffle 3 --shard 1/5 --json "$results" || ok=no
good=$(grep -c '"verdict":"\(PASS\|INFO\|UNSUPPORTED\)"' "$results")
all=$(grep -c '"verdict":' "$results")
[ "$broken" = 0 ] || cat "$log"
rm -f "$results" "$log"
counted $((units + good)) $((broken + all - good)) 0 && [ "${ok:-yes}" = yes ]
