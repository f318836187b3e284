#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The same thing without mtalab, as an administrator would put it together by hand: NSD with signed zones (root, example,
# partner.example), unbound that validates from that root, one Postfix as MX host with a certificate, another as sender with
# `smtp_tls_security_level = dane`; one message, DANE-authenticated. Tuned: no start-up sleeps, everything in one go.
#
# Run as root inside namespaces of its own: unshare -n -m -p -f --mount-proc ci/bench/rival.sh
# Prints: seconds from nothing to the authenticated delivery, and the PSS of all its processes in KiB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d /tmp/rival.XXXXXX)
mount -t tmpfs tmpfs "$dir"
chmod 755 "$dir"
trap 'umount -l "$dir"; rmdir "$dir"' EXIT
now() { date +%s%N; }
began=$(now)
cd "$dir"
ip link set lo up
ip addr add 198.18.0.1/32 dev lo; ip addr add 198.18.0.2/32 dev lo; ip addr add 198.18.1.1/32 dev lo; ip addr add 100.64.0.2/32 dev lo

# ---- a certificate and its TLSA record
openssl ecparam -name prime256v1 -genkey -noout -out mx.key 2>/dev/null
openssl req -new -x509 -key mx.key -subj /CN=mx1.partner.example -days 2 -out mx.crt 2>/dev/null
digest=$(openssl pkey -in mx.key -pubout -outform DER 2>/dev/null | sha256sum | cut -d' ' -f1)

# ---- zones, leaf first, so that each parent has its child's DS
sign() { # zone, file, what stands in it
    key=$(ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom "$1" 2>/dev/null)
    printf '%s\n' "\$TTL 300" "@ IN SOA ns.$4 host.$4 1 3600 900 86400 300" "@ IN NS ns.$4" "$3" >"$2"
    ldns-signzone -o "$1" -f "$2.signed" "$2" "$key"
    cat "$key.ds"
}
ds_leaf=$(sign partner.example leaf "ns IN A 198.18.0.2
@ IN MX 10 mx1
mx1 IN A 198.18.1.1
_25._tcp.mx1 IN TLSA 3 1 1 $digest" partner.example.)
ds_tld=$(sign example tld "ns IN A 198.18.0.2
partner IN NS ns.partner
ns.partner IN A 198.18.0.2
$ds_leaf" example.)
sign . root "ns.root-servers.net. IN A 198.18.0.1
example. IN NS ns.example.
ns.example. IN A 198.18.0.2
$ds_tld" root-servers.net. >root.ds
cat >nsd.conf <<END
server:
    ip-address: 198.18.0.1
    ip-address: 198.18.0.2
    username: ""
    chroot: ""
    database: ""
    zonesdir: "$dir"
    pidfile: ""
    xfrdfile: ""
    zonelistfile: ""
    logfile: "$dir/nsd.log"
    server-count: 1
remote-control:
    control-enable: no
zone:
    name: .
    zonefile: root.signed
zone:
    name: example
    zonefile: tld.signed
zone:
    name: partner.example
    zonefile: leaf.signed
END
nsd -d -c nsd.conf 2>/dev/null &
printf '. 300 IN NS ns.root-servers.net.\nns.root-servers.net. 300 IN A 198.18.0.1\n' >hints
cat >unbound.conf <<END
server:
    username: ""
    chroot: ""
    pidfile: ""
    directory: "$dir"
    interface: 127.0.0.1
    do-daemonize: no
    use-syslog: no
    logfile: "$dir/unbound.log"
    root-hints: hints
    trust-anchor-file: root.ds
    do-not-query-localhost: no
    do-ip6: no
remote-control:
    control-enable: no
END
unbound -d -c unbound.conf &
printf 'nameserver 127.0.0.1\noptions trust-ad edns0\n' >resolv.conf
mount --bind resolv.conf "$(readlink -f /etc/resolv.conf)"

# ---- two Postfix instances
. "$here/postfix.sh"
instance mx 198.18.1.1 25 mx1.partner.example <<END
smtpd_tls_security_level = may
smtpd_tls_cert_file = $dir/mx.crt
smtpd_tls_key_file = $dir/mx.key
default_transport = discard:
relay_domains = partner.example
relay_transport = discard:
END
instance sender 100.64.0.2 2525 mail.sender.example <<END
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_host_lookup = dns
smtp_tls_loglevel = 1
END

# ---- NSD must answer before unbound asks, or unbound waits a second
until drill -Q @198.18.0.2 partner.example SOA 2>/dev/null | grep -q .; do :; done

# ---- one message in, and wait for the line that says it was delivered over a verified channel
mkfifo told
: >sender/log
tail -n +1 -F sender/log 2>/dev/null >told &
tail=$!
until smtp-source -f a@sender.example -t someone@partner.example 100.64.0.2:2525 2>/dev/null; do :; done
verified=no
while read -r line; do
    case "$line" in
        *"Verified TLS connection"*) verified=yes ;;
        *status=sent*) break ;;
        *status=deferred* | *status=bounced*) echo "rival: $line" >&2; exit 1 ;;
    esac
done <told
took=$(($(now) - began))
[ $verified = yes ] || { echo "rival: delivered, but not verified" >&2; exit 1; }
pss=$(cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum }')
kill $tail 2>/dev/null || true
printf '%s.%03d %s\n' $((took / 1000000000)) $((took / 1000000 % 1000)) "$pss"
