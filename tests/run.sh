#!/usr/bin/env bash
# Runs the tests in two turns: alone those that measure time, then side by side all the others.
# Its last line names what was skipped.
#
# tests/run.sh [MARKS]    MARKS narrows both turns, such as "not slow".
set -u
cd "$(dirname "$0")/.."
narrowed=${1:+ and ($1)}
export SKIPS=${SKIPS:-build/skipped.txt}
nothing_collected=5

mkdir -p "$(dirname "$SKIPS")"
rm -f "$SKIPS"
.venv/bin/python -m pytest -m "serial$narrowed"
alone=$?
[ "$alone" -eq "$nothing_collected" ] && alone=0
.venv/bin/python -m pytest -n "${JOBS:-2}" --dist loadfile -m "not serial$narrowed"
together=$?

if [ -s "$SKIPS" ]; then
  sort "$SKIPS" | uniq -c | awk '
    { times = $1; sub(/^ *[0-9]+ /, ""); line = line (NR > 1 ? "; " : "") $0 " (" times ")" }
    END { print "SKIPPED ON THIS MACHINE: " line }'
else
  echo "Nothing was skipped on this machine."
fi
[ "$alone" -ne 0 ] && exit "$alone"
exit "$together"
