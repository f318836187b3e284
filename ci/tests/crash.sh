# SPDX-License-Identifier: BSD-2-Clause
# Kill -9 at random moments under load: CRASH_RUNS of them, or a handful. No accepted message is lost, and one is
# delivered twice only where the reply to its final dot was in flight. CRASH_SEED repeats a course of events, as far as
# the machine does.
. ci/lib.sh
export PYTHONDONTWRITEBYTECODE=1
# shellcheck disable=SC2086
if python3 ci/tests/crash.py "${CRASH_RUNS:-12}" ${CRASH_SEED:-}; then counted 1 0 0; else counted 0 1 0; fi
