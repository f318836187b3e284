# SPDX-License-Identifier: BSD-2-Clause
# Every fuzz target over its seeds and for a few seconds more.
. ci/lib.sh
command -v clang >/dev/null 2>&1 || { echo "skipped: fuzz (no clang)"; counted 0 0 1; exit; }
targets=$(ls base/*_fuzz.c fakedns/*_fuzz.c fakemx/*_fuzz.c fakests/*_fuzz.c engine/*_fuzz.c harness/*_fuzz.c 2>/dev/null | wc -l)
make -s -j"$jobs" fuzz FUZZ_SECONDS="${FUZZ_SECONDS:-2}" && counted "$targets" 0 0
