#!/bin/sh
# usage: check.sh SHIPPED CHECKED COUNTS [SECONDS]
# What of the simulators is a part of the tests. SHIPPED and CHECKED are folders: of the code as it ships, and with its
# checks and the sanitizers. Of both kinds of lives: the seeds that are kept, in both; new seeds in both, which must
# give the same; and new ones for some seconds. Writes "passed failed skipped" into the file COUNTS.
set -u
shipped=$1 checked=$2 counts=$3 seconds=${4:-5}
here=$(dirname "$0")
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

kind() { # SIMULATOR SEEDS LIVES
    try "$shipped/$1" --seeds "$2"
    try "$checked/$1" --seeds "$2"
    try "$checked/$1" --hash "$seed" "$3"
    of_checked=$(cat "$out")
    try "$shipped/$1" --hash "$seed" "$3"
    try [ "$(cat "$out")" = "$of_checked" ]
    try "$shipped/$1" "$seconds" "$seed"
    grep lives "$out"
}

mkdir -p "${counts%/*}"
kind simulate "$here/seeds.txt" 500
kind program/simulate "$here/program/seeds.txt" 40
rm -f "$out"
echo "$passed $failed 0" >"$counts"
echo "simulated lives: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
