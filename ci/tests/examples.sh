#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The configurations in docs/examples/ are sound, and each is what its scenario in scenarios/examples/ tries.
set -u
cd "$(dirname "$0")/../.."
passed=0 failed=0
fail() { echo "$1"; failed=$((failed + 1)); }
connectors() { sed -n '/^connectors:/,/^[a-z]/p' "$1" | grep '^  - '; }

for file in docs/examples/*.yaml; do
    name=$(basename "$file" .yaml)
    if ! build/bin/mtalab-engine config --config "$file" >/dev/null; then
        fail "$file is not sound"
    elif [ "$(connectors "$file")" != "$(connectors "scenarios/examples/$name.yaml")" ]; then
        fail "$file and scenarios/examples/$name.yaml have different connectors"
    else
        passed=$((passed + 1))
    fi
done
printf '%s passed, %s failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
