# SPDX-License-Identifier: BSD-2-Clause
# An engine of one's own inside `mtalab up`. Sourced.

# The head of its configuration, for this world: more lines may follow.
lab_engine_config() { # DIRECTORY [HOSTNAME [LISTEN]]
    cat <<END
hostname: ${2:-out.sender.example}
directory: '$1'
listen: '${3:-127.0.0.1:2525}'
ca-file: '$MTALAB_CA'
resolver: {root-hints: '$MTALAB_ROOT_HINTS', trust-anchor: '$MTALAB_ROOT_KEY', options-file: '$MTALAB_RESOLVER_OPTIONS'}
END
}

# Runs it in the background, $pid, and comes back when it takes mail; what it says goes to FILE.
lab_engine_run() { # MTALAB-ENGINE CONFIG FILE
    mkfifo "$3.ready"
    "$1" run "$2" --ready-fd 3 3>"$3.ready" >"$3" 2>&1 &
    pid=$!
    read -r _ <"$3.ready"
}
