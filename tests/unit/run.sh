#!/bin/sh
# usage: run.sh COUNTS PROGRAM...
# Runs cmocka programs one after the other, adds up what they say, and writes "passed failed skipped"
# into the file COUNTS. A program that ends badly without naming a failed test counts as one failed.
# RUN in the environment: what starts programs for another CPU.
set -u
counts=$1
shift
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
export ASAN_OPTIONS="detect_leaks=1:${ASAN_OPTIONS:-}"
log=$counts.log
passed=0 failed=0 skipped=0

# Sum over the groups of a program: "[  PASSED  ] 12 test(s)."
tests() {
    awk -v word="$1" '$1 == "[" && $2 == word && $3 == "]" && $5 ~ /^test/ { n += $4 } END { print n + 0 }' "$log"
}

for program; do
    echo "== ${program##*/}"
    # shellcheck disable=SC2086 # a list of words, or none
    timeout 300 ${RUN:-} "$program" >"$log" 2>&1
    status=$?
    bad=$(tests FAILED)
    if [ $status -ne 0 ]; then
        cat "$log"
        echo "== ${program##*/}: exit status $status"
        [ "$bad" -gt 0 ] || bad=1
    else
        grep -e '^\[  PASSED' "$log"
    fi
    passed=$((passed + $(tests PASSED)))
    failed=$((failed + bad))
    skipped=$((skipped + $(tests SKIPPED)))
done
rm -f "$log"
echo "$passed $failed $skipped" >"$counts"
echo "unit tests: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
