# SPDX-License-Identifier: BSD-2-Clause
# What the scripts in ci/ share. Sourced with the checkout's root as working directory.

say() { printf '%s\n' "== $*"; }
die() { printf '%s\n' "$0: $*" >&2; exit 2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else die "this needs root, and there is no sudo: $*"; fi
}

missing_packages() {   # the packages of these groups that are not installed
    for group in "$@"; do
        sed -n "s/^$group //p" ci/packages.txt
    done | while read -r package; do
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
    done
}

# Installs what is missing, without questions. No service is started or left enabled by it.
install_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 || die "not a Debian or Ubuntu machine; install the like of: $missing"
    say "installing: $missing"
    before=$(enabled_services)
    guard=/usr/sbin/policy-rc.d
    made_guard=no
    if [ ! -e $guard ]; then
        made_guard=yes
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee $guard >/dev/null
        as_root chmod 755 $guard
    fi
    case " $missing " in *" postfix "*)
        command -v debconf-set-selections >/dev/null 2>&1 &&
            echo 'postfix postfix/main_mailer_type select No configuration' | as_root debconf-set-selections ;;
    esac
    as_root apt-get update -q >/dev/null
    # shellcheck disable=SC2086
    log=$(mktemp)
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1 ||
        { tail -20 "$log" >&2; die "apt-get could not install: $missing"; }
    rm -f "$log"
    if [ $made_guard = yes ]; then
        as_root rm -f $guard
        trap - EXIT INT TERM
    fi
    disable_new_services "$before"
}

services='nginx unbound postfix nsd'
enabled_services() {
    command -v systemctl >/dev/null 2>&1 || return 0
    for service in $services; do
        if systemctl is-enabled --quiet "$service" 2>/dev/null; then printf '%s ' "$service"; fi
    done
}
disable_new_services() {   # those that were not enabled before
    for service in $(enabled_services); do
        case " $1 " in *" $service "*) ;; *) as_root systemctl disable --quiet "$service" 2>/dev/null || true ;; esac
    done
}

# Ubuntu 24.04 lets a program make user namespaces only if a profile says so: one profile for mtalab, announced.
allow_namespaces() {
    [ "$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null)" = 1 ] || return 0
    [ "$(id -u)" != 0 ] || return 0
    profile=/etc/apparmor.d/mtalab
    wanted=$(build/bin/mtalab doctor --apparmor-profile)
    [ "$(cat $profile 2>/dev/null)" = "$wanted" ] && return 0
    say "AppArmor forbids namespaces to ordinary users here; installing one profile, $profile:"
    printf '%s\n' "$wanted" | as_root tee $profile
    as_root apparmor_parser -r $profile
}

jobs=$(nproc 2>/dev/null || echo 2)

# counted PASSED FAILED SKIPPED: how a script in ci/tests/ ends.
counted() { printf '%s passed, %s failed, %s skipped\n' "$1" "$2" "$3"; [ "$2" = 0 ]; }
