# SPDX-License-Identifier: BSD-2-Clause
# What the scripts in ci/ share. Sourced with the checkout's root as working directory.

say() { printf '%s\n' "== $*"; }
die() { printf '%s\n' "$0: $*" >&2; exit 2; }

may_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1; }
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# ---- packages ----

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# Another mail server of this machine stays: Postfix would take its place.
other_mta() {
    dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' |
        sed -n 's/^installed \([^ ]*\) .*mail-transport-agent.*/\1/p' | grep -vx postfix
}

missing_packages() {   # the packages of these groups that are not installed
    for group in "$@"; do
        sed -n "s/^$group //p" ci/packages.txt
    done | while read -r package; do
        installed "$package" && continue
        [ "$package" = postfix ] && [ -n "$(other_mta)" ] && continue
        printf '%s ' "$package"
    done
}

# Installs what is missing, without questions. Nothing is removed, no service is started or left enabled by it.
install_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "neither Debian nor Ubuntu: the like of what ci/packages.txt lists has to be there"
        return 0
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    may_be_root || die "these packages are missing, and there is no sudo to install them: $missing"
    say "installing: $missing"
    starting_before=$(starting_services)
    keep_services_quiet
    case " $missing " in *" postfix "*)
        echo 'postfix postfix/main_mailer_type select No configuration' | as_root debconf-set-selections ;;
    esac
    apt update
    # shellcheck disable=SC2086
    apt install -y --no-remove --no-install-recommends $missing
    let_services_be
    leave_out_new_services "$starting_before"
}

apt() {
    log=$(mktemp)
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >"$log" 2>&1 </dev/null ||
        { tail -20 "$log" >&2; rm -f "$log"; die "apt-get $1 failed"; }
    rm -f "$log"
}

# ---- services: what comes with a package is neither started now nor at the next boot ----

guard=/usr/sbin/policy-rc.d
keep_services_quiet() {
    made_guard=no
    [ ! -e $guard ] || return 0
    made_guard=yes
    trap let_services_be EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' | as_root tee $guard >/dev/null
    as_root chmod 755 $guard
}
let_services_be() {
    [ $made_guard = no ] || as_root rm -f $guard
    trap - EXIT INT TERM HUP
}

starting_services() {   # units of systemd and scripts of init that start at boot
    find /etc/systemd/system -mindepth 2 -maxdepth 2 -path '*.wants/*' -printf '%f\n' 2>/dev/null | sort -u
    find /etc/rc[2-5S].d -name 'S[0-9][0-9]*' -printf '%f\n' 2>/dev/null | cut -c4- | sort -u
}
leave_out_new_services() {   # those that did not start at boot before
    for service in $(starting_services | grep -vxF -e "$1"); do
        case $service in
            *.*) as_root env DPKG_MAINTSCRIPT_PACKAGE=mtalab deb-systemd-helper disable "$service" ;; # as a package would
            *) as_root update-rc.d "$service" disable ;;
        esac >/dev/null 2>&1 || say "could not keep $service from starting at boot"
    done
}

# ---- namespaces ----

# Ubuntu 24.04 lets a program make user namespaces only if a profile says so: one profile for mtalab, announced.
allow_namespaces() {
    [ "$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null)" = 1 ] || return 0
    [ "$(id -u)" != 0 ] || return 0
    profile=/etc/apparmor.d/mtalab
    wanted=$(build/bin/mtalab doctor --apparmor-profile "$PWD/build{,-asan}/{bin/mtalab,test/harness_test}")
    [ "$(cat $profile 2>/dev/null)" = "$wanted" ] && return 0
    may_be_root || die "AppArmor forbids namespaces to ordinary users here; see build/bin/mtalab doctor"
    say "AppArmor forbids namespaces to ordinary users here; installing one profile, $profile:"
    printf '%s\n' "$wanted" | as_root tee $profile
    as_root apparmor_parser -r $profile
}

jobs=$(nproc 2>/dev/null || echo 2)
# Where a case waits for others more than it computes: several for each processor.
waiting_jobs=$((jobs * 3))

# So many parts of ci/check at once; one where there are no namespaces, for the loopback has one port 25.
side_by_side() {
    build/bin/mtalab doctor | grep -q '^ok *namespaces' || { echo 1; return; }
    if [ "$jobs" -lt 4 ]; then echo 2; else echo 4; fi
}

# counted PASSED FAILED SKIPPED: how a script in ci/tests/ ends.
counted() { printf '%s passed, %s failed, %s skipped\n' "$1" "$2" "$3"; [ "$2" = 0 ]; }

# foreign_mta NAME [ARGUMENT...]: the scenarios with an MTA that is not ours, all cases counted.
foreign_mta() {
    results=$(mktemp)
    build/bin/mtalab run -j "$waiting_jobs" --mta "$@" --json "$results" || ok=no
    good=$(grep -c '"verdict":"\(PASS\|INFO\|WARN\|XFAIL\)"' "$results")
    left=$(grep -c '"verdict":"UNSUPPORTED"' "$results")
    all=$(grep -c '"verdict":' "$results")
    rm -f "$results"
    echo "skipped: $left cases of what $1 does not have"
    [ "$good" -gt 0 ] && counted "$good" $((all - good - left)) "$left" && [ "${ok:-yes}" = yes ]
}

# left_out WHAT WHY: in place of a test that cannot be run here.
left_out() { echo "skipped: $1 ($2)"; counted 0 0 1; }
