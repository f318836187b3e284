#!/bin/sh
# House rules that a pattern can hold: each finding is printed with its place, any finding fails.
# Usage: ci/check-rules.sh [FILE...]   (all sources when no file is named)
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
    set -- $(find base fakeca fakedns fakemx fakests engine harness -name '*.[ch]' -o -name '*.def' | sort)
fi
exec awk '
function complain(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    bad = 1
}
# The width as an editor shows it: bytes that continue a UTF-8 character take no column.
function width(line) {
    gsub(/[\200-\277]/, "", line)
    return length(line)
}
function guard_of(file) {
    file = toupper(file)
    gsub(/[^A-Z0-9]/, "_", file)
    return file
}
FNR == 1 {
    if ($0 !~ /SPDX-License-Identifier: BSD-2-Clause/) complain("the first line names the licence (SPDX)")
    guarded = FILENAME !~ /\.h$/
}
!guarded && /^#ifndef / {
    guarded = 1
    if ($2 != guard_of(FILENAME)) complain("the include guard is called " guard_of(FILENAME))
}
/\t/ { complain("a tab") }
/[ \r]$/ { complain("blanks at the end of the line") }
width($0) > 120 && FILENAME !~ /\.def$/ { complain("longer than 120 columns") }
# What a string says may be a word of a format.
function without_strings(line) {
    gsub(/"([^"\\]|\\.)*"/, "", line)
    return line
}
without_strings($0) ~ /(TODO|FIXME|XXX)/ && !/XXXXXX/ { complain("a plan is no comment: do it or leave it") }
/(^|[^a-zA-Z0-9_])(gets|strcpy|strcat|sprintf|vsprintf|strtok|alloca|atoi|atol|mktemp|tmpnam)[ ]*\(/ {
    complain("a function that this project does without")
}
/^[ \t]*assert\(.*(\+\+|--)/ { complain("an assert with an effect") }
END { exit bad }
' "$@"
