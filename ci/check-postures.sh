#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# ci/check-postures.sh: every posture of scenarios/postures.txt has a scenario that names it among its tags, or a reason why
# not; and a tag that looks like a posture is one.
set -eu
mtalab=${1:-build/bin/mtalab}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
awk '
    /^#/ || NF == 0 { next }
    $1 == "-" { print $2 >left_out; next }
    split($2, range, "-") == 2 { for (i = range[1]; i <= range[2]; i++) print $1 i; next }
    { print $1 $2 }' left_out="$dir/left-out" scenarios/postures.txt | sort >"$dir/rows"
touch "$dir/left-out"
letters=$(sed 's/[0-9].*//' "$dir/rows" | sort -u | tr -d '\n')
"$mtalab" list --json | grep -o '"tags": *\[[^]]*\]' | grep -o '"[^"]*"' | tr -d '"' | grep -E "^[$letters][0-9]+[a-z]?\$" |
    sort -u >"$dir/tags"
status=0
told() { while read -r row; do echo "$row $1"; done; }
comm -23 "$dir/rows" "$dir/tags" | grep -vxFf "$dir/left-out" | told 'has no scenario' >"$dir/wrong" || true
comm -13 "$dir/rows" "$dir/tags" | told 'is a tag, and no posture' >>"$dir/wrong"
grep -xFf "$dir/left-out" "$dir/tags" | told 'is left out, and has a scenario' >>"$dir/wrong" || true
if [ -s "$dir/wrong" ]; then
    sed 's/^/posture /' "$dir/wrong"
    status=1
fi
exit $status
