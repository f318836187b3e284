# SPDX-License-Identifier: BSD-2-Clause
# What the programs of a sender have spent, in this process namespace. PATTERN is a part of where they lie. Sourced.

each_of() { # PATTERN FILE: that file of /proc for each of its processes
    for process in /proc/[0-9]*; do
        case "$(readlink "$process/exe" 2>/dev/null)" in *"$1"*) cat "$process/$2" 2>/dev/null || true ;; esac
    done
}

# Milliseconds of CPU, those of children that have ended included.
spent_ms() { # PATTERN
    each_of "$1" stat | sed 's/.*) //' | awk -v hz="$(getconf CLK_TCK)" '{ sum += $12 + $13 + $14 + $15 } END { printf "%d\n", sum * 1000 / hz }'
}

memory_kib() { # PATTERN: what is shared counts once
    each_of "$1" smaps_rollup | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}

most_resident_kib() { # PATTERN
    each_of "$1" status | awk '/^VmHWM:/ { sum += $2 } END { print sum + 0 }'
}
