#!/bin/sh
# usage: coverage.sh [LIVES]
# Which branches of the code that decides about delivery are taken by its unit tests, by so many lives, and by both
# together. Called by the Makefile after vendor/vendor.sh has made the asan sysroot, whose headers are used.
set -eu
lives=${1:-20000}
cd "$(dirname "$0")/../.."
top=$PWD
modules="delivery delivery_events delivery_next delivery_reply suspect pace retry breaker queue queue_batch"
modules="$modules dead_letter_schedule intake intake_large aggregate"
out=build/coverage
flags="-std=c11 -D_GNU_SOURCE -Og -g --coverage -I$top/src -isystem $top/build/asan/sysroot/include"

rm -rf $out
mkdir -p $out/protocol $out/simulate
# shellcheck disable=SC2086 # a list of words
compile() { # FOLDER SOURCE...
    folder=$1
    shift
    (cd "$out/$folder" && printf '%s\n' "$@" | xargs -P "$(nproc)" -n 4 gcc $flags -c)
}

compile protocol "$top"/src/protocol/*.c
compile simulate "$top"/tests/simulate/*.c
ar rcs $out/libprotocol.a $out/protocol/*.o
gcc --coverage -o $out/lives $out/simulate/*.o $out/libprotocol.a
tests=
for module in $modules; do
    [ -f "tests/unit/test_$module.c" ] || continue
    # shellcheck disable=SC2086
    gcc $flags -o "$out/test_$module" "tests/unit/test_$module.c" $out/libprotocol.a -lcmocka
    tests="$tests $out/test_$module"
done

# A line for each module: its name, and the share of its branches that was taken.
taken() {
    for module in $modules; do
        gcov -b -c -n -o $out/protocol "$module.c" | awk -v module="$module" -v file="/protocol/$module.c'" '
            index($0, "File ") == 1 { this = index($0, file) > 0 }
            this && /^Taken at least once/ { split($0, part, /[:%]/); print module, part[2] }
            this && /^No branches/ { print module, 100 }'
    done
}

units() {
    for test in $tests; do
        "$test" >/dev/null 2>&1 || echo "$test fails" >&2
    done
}

units
taken >$out/by_units
$out/lives --hash 1 "$lives" >/dev/null
taken >$out/by_both
rm -f $out/protocol/*.gcda
$out/lives --hash 1 "$lives" >/dev/null
taken >$out/by_lives
echo "branches taken, of 100    unit tests   lives    both"
paste -d ' ' $out/by_units $out/by_lives $out/by_both |
    awk '{ printf "%-24s %10s %9s %7s\n", $1, $2, $4, $6; if ($6 < 95) low = 1 } END { exit low }'
