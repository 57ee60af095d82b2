#!/bin/sh
# usage: test.sh FOLDER...
# The tests of the simulated system in the builds of these folders: the program lives in it, and the same lives give the
# same bytes in each build; and what its calls do is what those of Linux do, whatever is left to chance.
set -u
lives=
failed=0

fail() {
    echo "NOT ok: $*"
    failed=1
}

for folder; do
    "$folder/test_kernel" >"$folder/test.out" 2>&1 || fail "$folder/test_kernel: $(cat "$folder/test.out")"
    [ -z "$lives" ] || [ "$(cat "$folder/test.out")" = "$lives" ] || fail "$folder: other lives: $(cat "$folder/test.out")"
    lives=$(cat "$folder/test.out")
    "$folder/test_system" >"$folder/test.out" 2>&1 || fail "$folder/test_system: $(cat "$folder/test.out")"
    "$folder/fidelity_linux" >"$folder/linux.out" 2>&1 || fail "$folder/fidelity_linux: $(cat "$folder/linux.out")"
    for seed in 1 2 3 4 5 6 7 8 9 10; do
        "$folder/fidelity" $seed >"$folder/test.out" 2>&1 || fail "$folder/fidelity $seed"
        diff "$folder/linux.out" "$folder/test.out" || fail "$folder/fidelity $seed: not as on Linux"
    done
    rm -f "$folder/test.out" "$folder/linux.out"
done
echo "$lives"
exit $failed
