#!/usr/bin/env bash
# Runs the tests in two turns: side by side those that may share the machine, then alone those that
# measure time. Its last line names what was skipped.
#
# tests/run.sh [MARKS]    MARKS narrows both turns, such as "not slow".
set -u
cd "$(dirname "$0")/.."
narrowed=${1:+ and ($1)}
export SKIPS=${SKIPS:-build/skipped.txt}
nothing_collected=5

mkdir -p "$(dirname "$SKIPS")"
rm -f "$SKIPS"
.venv/bin/python -m pytest -n "${JOBS:-2}" --dist loadfile -m "not serial$narrowed"
together=$?
.venv/bin/python -m pytest -m "serial$narrowed"
alone=$?
[ "$alone" -eq "$nothing_collected" ] && alone=0

if [ -s "$SKIPS" ]; then
  reasons=$(sort "$SKIPS" | uniq -c | sed -E 's/^ *([0-9]+) (.*)/\2 (\1)/' | paste -s -d ';' | sed 's/;/; /g')
  echo "SKIPPED ON THIS MACHINE: $reasons"
else
  echo "Nothing was skipped on this machine."
fi
[ "$together" -ne 0 ] && exit "$together"
exit "$alone"
