# SPDX-License-Identifier: BSD-2-Clause
# The unit tests once more under AddressSanitizer and UBSan, and scenarios with sanitized programs on both sides.
. ci/lib.sh
UNITS_MODE=asan sh ci/tests/units.sh || exit 1
units=$?
make -s -j"$jobs" MODE=asan WERROR=1 all || exit 1
results=$(mktemp)
build-asan/bin/mtalab run dane starttls interplay mta-sts --scenarios scenarios --json "$results" || ok=no
good=$(grep -c '"verdict":"\(PASS\|INFO\|UNSUPPORTED\)"' "$results")
all=$(grep -c '"verdict":' "$results")
rm -f "$results"
[ "${ok:-yes}" = yes ] && [ $units = 0 ] && counted "$good" $((all - good)) 0
