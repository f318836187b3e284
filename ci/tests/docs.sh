# SPDX-License-Identifier: BSD-2-Clause
# What is generated in docs/ is as the program would write it now, no MUST or MUST NOT of a sender or reporter is open, and
# every posture has a scenario; no test is left out of ci/check; a decision's number is one decision's.
. ci/lib.sh
good=0 bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ci/write-docs build/bin/mtalab "$dir" || exit 1
for file in docs/scenario-reference.md docs/faults.md docs/catalogue.md scenarios/scenario.schema.json; do
    if cmp -s "$dir/$file" "$file"; then good=$((good + 1)); else
        bad=$((bad + 1)); printf 'FAILED %s is stale; `make docs` writes it anew\n' "$file"
    fi
done
for who in sender reporter; do
    for level in MUST 'MUST NOT'; do
        # 4: nothing to show
        build/bin/mtalab clauses --open --who $who --level "$level" >"$dir/open" 2>&1 && status=0 || status=$?
        if [ $status = 4 ]; then good=$((good + 1)); else
            bad=$((bad + 1)); printf 'FAILED %s, %s:\n' $who "$level"; cat "$dir/open"
        fi
    done
done
if ci/check-postures.sh; then good=$((good + 1)); else bad=$((bad + 1)); echo FAILED postures; fi
twice=$(grep -oE '^\| [0-9]+ \|' docs/decisions.md | sort | uniq -d)
if [ -z "$twice" ]; then good=$((good + 1)); else bad=$((bad + 1)); echo "FAILED docs/decisions.md has twice: $twice"; fi
for test in ci/tests/*.sh; do
    name=$(basename "$test" .sh)
    sed -n '/set -- /,/[^\\]$/p' ci/check | grep -qw -- "$name" || { bad=$((bad + 1)); echo "FAILED ci/check does not run $test"; }
done
counted $good $bad 0
