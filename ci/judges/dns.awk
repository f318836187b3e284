# SPDX-License-Identifier: BSD-2-Clause
# Which claims about DNS are worth a question: those that no world before made of the same name with the same records, while
# the states of all zones and the faults in those above the name were the same. Digests and the ids of policies are of no
# account. What stands below an $ORIGIN, or behind an alias, is not looked through: then everything counts. How many aliases in
# a row a resolver follows depends on what it has kept of them: nobody is asked for addresses in a world with more than eight.
function finish() {
    if (questions != "") close(questions)
}
# Of the zones that hold a name.
function faults_above(name,    zone, found) {
    for (zone in faults)
        if (zone == "." || substr("." name, length(name) - length(zone) + 1) == "." zone) found = found faults[zone]
    return found
}
FILENAME ~ /fakedns.yaml$/ {
    if (FNR == 1) {
        finish()
        questions = substr(FILENAME, 1, length(FILENAME) - length("fakedns.yaml")) "questions"
        states = all_faults = all_records = ""
        unreadable = islands = aliases = 0
        split("", records); split("", contents); split("", faults)
    }
    if (/ TLSA \\# 3 /) unreadable = 1 # BIND takes a TLSA record without data for a broken packet
    if (/\$ORIGIN/) islands = 1
    if (/ CNAME /) aliases++
    sub(/ TXT .*/, " TXT")
    if (match($0, / TLSA [0-9]+ [0-9]+ [0-9]+/)) $0 = substr($0, 1, RSTART + RLENGTH - 1)
    if (/^  "/) zone = $1
    if (/^  - / && split($0, part, "\"") && !/planted/) { faults[part[2]] = faults[part[2]] $0; all_faults = all_faults $0 }
    else if (/^      /) { records[$1] = records[$1] $0; contents[zone] = contents[zone] $0; all_records = all_records $0 }
    else if (!/addresses:|planted/) states = states $0
    next
}
$2 ~ /^(MX|A|AAAA|TLSA|TXT|zone)$/ && !unreadable {
    about = $2 == "zone" ? contents["\"" $1 "\":"] : records[$1 "."]
    if (aliases > 8 && $2 ~ /^(A|AAAA)$/) next
    if ($2 == "zone") key = about faults[$1]
    else if (islands) key = all_records all_faults
    else key = about (about ~ / [CD]NAME / ? all_faults : faults_above($1))
    if (asked[states, key, $0]++) next
    print >questions
}
END { finish() }
