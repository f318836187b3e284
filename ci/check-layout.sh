#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The layout of the sources is what clang-format 14 makes of them; other versions lay out macros otherwise.
# Usage: ci/check-layout.sh FILE...   (CLANG_FORMAT names the program)
set -eu
program=${CLANG_FORMAT:-clang-format}
for candidate in "$program" clang-format-14; do
    case $("$candidate" --version 2>/dev/null) in *' version 14.'*) exec "$candidate" --dry-run -Werror "$@" ;; esac
done
echo "skipped: the layout of the sources (clang-format 14 decides it, and is not here)"
