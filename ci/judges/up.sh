# SPDX-License-Identifier: BSD-2-Clause
# Puts a world up for a judge. Usage: up.sh SCRIPT WORLD/questions; leaves WORLD/judged, a line "ok" or "FAILED ..." each.
world=${2%/*}
title=$(cat "$world/title")
build/bin/mtalab up "$title" --mta none -- sh "$1" "$world" >"$world/judged" 2>&1 ||
    echo "FAILED $title: could not be judged by $1" >>"$world/judged"
