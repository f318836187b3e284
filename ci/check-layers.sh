#!/bin/sh
# Holds the picture of docs/architecture.md: an include that ci/layers.txt does not allow fails the build.
# Usage: ci/check-layers.sh [FILE...]   (all sources when no file is named)
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
    set -- $(find base fakeca fakedns fakemx fakests engine harness -name '*.[ch]' -o -name '*.def' | sort)
fi
exec awk '
function fits(text, prefixes,    list, n, i) {
    n = split(prefixes, list, " ")
    for (i = 1; i <= n; i++)
        if (index(text, list[i]) == 1)
            return 1
    return 0
}
function complain(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    bad = 1
}
# The rule of the longest folder that holds the file.
function folder_of(file,    folder, best) {
    best = ""
    for (folder in layer)
        if (index(file, folder "/") == 1 && length(folder) > length(best))
            best = folder
    return best
}
FILENAME == "ci/layers.txt" {
    rest = $0
    sub(/^[^ ]+ +[^ ]+ +/, "", rest)
    if ($1 == "layer") layer[$2] = rest
    if ($1 == "door") door[$2] = rest
    next
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    folder = folder_of(FILENAME)
    if (!fits(part[2], layer[folder]))
        complain(folder " may not include \"" part[2] "\"")
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    split($0, part, /[<>]/)
    for (header in door)
        if (index(part[2], header) == 1 && !fits(FILENAME, door[header]))
            complain("<" part[2] "> has another door: " door[header])
}
END { exit bad }
' ci/layers.txt "$@"
