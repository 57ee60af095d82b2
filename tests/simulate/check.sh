#!/bin/sh
# usage: check.sh SHIPPED CHECKED COUNTS [SECONDS]
# What of the simulator is a part of the tests: the seeds that are kept, as the code ships and with its checks
# and the sanitizers; new seeds in both, which must give the same orders; and new ones for some seconds.
# Writes "passed failed skipped" into the file COUNTS.
set -u
shipped=$1 checked=$2 counts=$3 seconds=${4:-5}
seeds=$(dirname "$0")/seeds.txt
out=$counts.out
seed=$(date +%s)000000
passed=0 failed=0

# Runs a program; tells what it says if it fails.
try() { # PROGRAM [ARGUMENT...]
    if "$@" >"$out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "== $*"
        cat "$out"
    fi
}

mkdir -p "${counts%/*}"
try "$shipped" --seeds "$seeds"
try "$checked" --seeds "$seeds"
try "$checked" --hash "$seed" 500
of_checked=$(cat "$out")
try "$shipped" --hash "$seed" 500
try [ "$(cat "$out")" = "$of_checked" ]
try "$shipped" "$seconds" "$seed"
grep lives "$out"
rm -f "$out"
echo "$passed $failed 0" >"$counts"
echo "simulated lives: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
