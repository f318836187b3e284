# SPDX-License-Identifier: BSD-2-Clause
# Layers, house rules and layout of the sources.
. ci/lib.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
make -s lint >"$log" 2>&1 || { cat "$log"; exit 1; }
cat "$log"
left=$(grep -c '^skipped: ' "$log") || true
counted $((3 - left)) 0 "$left"
