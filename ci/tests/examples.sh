# SPDX-License-Identifier: BSD-2-Clause
# The configurations in docs/examples/ are sound, and each is what its scenario in scenarios/examples/ tries; scenarios in
# the guides pass, and the adapter for a beginning works.
. ci/lib.sh

good=0 bad=0
fail() { echo "FAILED $1"; bad=$((bad + 1)); }
connectors() { sed -n '/^connectors:/,/^[a-z]/p' "$1" | grep '^  - '; }

for file in docs/examples/*.yaml; do
    grep -q "^connectors:" "$file" || continue # what other programs read
    name=$(basename "$file" .yaml)
    if ! build/bin/mtalab-engine config --config "$file" >/dev/null; then
        fail "$file is not sound"
    elif [ "$(connectors "$file")" != "$(connectors "scenarios/examples/$name.yaml")" ]; then
        fail "$file and scenarios/examples/$name.yaml have different connectors"
    else
        good=$((good + 1))
    fi
done

# So are the scenarios that stand in the guides, each as the bundled engine sends.
dir=$(mktemp -d)
for guide in README.md docs/scenarios-guide.md; do
    awk -v to="$dir/$(basename "$guide" .md)-" '/^```/ { n += inside = $0 == "```yaml"; next } inside { print > (to n ".yaml") }' "$guide"
done
for scenario in "$dir"/*.yaml; do
    if build/bin/mtalab run "$scenario" >"$dir/log" 2>&1; then good=$((good + 1)); else fail "$(basename "$scenario" .yaml)"; cat "$dir/log"; fi
done
rm -rf "$dir"

# The adapter does what the guide says of it.
log=$(mktemp)
build/bin/mtalab run dane/matching-key starttls/offered-without-policy --mta docs/examples/mtalab-adapter-smtplib >"$log" 2>&1
if grep -q '^ *2 PASS' "$log" && grep -q '10 UNSUPPORTED' "$log"; then good=$((good + 1)); else fail "docs/examples/mtalab-adapter-smtplib"; cat "$log"; fi
rm -f "$log"
counted $good $bad 0
