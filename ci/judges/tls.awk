# SPDX-License-Identifier: BSD-2-Clause
# Which claims about TLS are worth a question: those that no world before made of a host with the same certificate at the
# same address. How far its names can be trusted matters where there are TLSA records, for posttls-finger.
function ask(about, host, context) {
    if ((about, host) in claim && !unreadable && !asked[claim[about, host], place[host], context]++)
        print claim[about, host] >questions
}
function finish(    host) {
    for (host in place) {
        ask("tls", host)
        ask("pkix", host, claim["tls", host])
        ask("dane", host, claim["pkix", host] names[host] way trust[host])
        ask("https", host, claim["pkix", host])
        ask("revocation", host)
    }
    if (questions != "") close(questions)
    split("", claim); split("", place); split("", names); split("", trust)
    way = ""; unreadable = 0
}
FILENAME ~ /fakedns.yaml$/ {
    if (FNR == 1) finish()
    questions = substr(FILENAME, 1, length(FILENAME) - length("fakedns.yaml")) "questions"
    if (/ TLSA \\# 3 /) unreadable = 1 # Postfix falls over a TLSA record without data
    next
}
$2 == "MX" { way = way $0 }
$2 == "A" { trust[$1] = trust[$1] $0 }
$2 == "TLSA" { host = $1; sub(/^_25._tcp./, "", host); trust[host] = trust[host] $0 }
$2 == "address" { place[$1] = $0 }
$2 == "reference" { names[$1] = names[$1] $0 }
$2 ~ /^(tls|pkix|dane|https|revocation)$/ { claim[$2, $1] = $0 }
END { finish() }
