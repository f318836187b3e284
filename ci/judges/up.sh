# SPDX-License-Identifier: BSD-2-Clause
# Puts a world up for a judge. Usage: up.sh SCRIPT WORLD; leaves WORLD/judged with a line "ok" or "FAILED ..." a question.
title=$(cat "$2/title")
build/bin/mtalab up "$title" --mta none -- sh "$1" "$2" >"$2/judged" 2>&1 ||
    echo "FAILED $title: could not be judged by $1" >>"$2/judged"
