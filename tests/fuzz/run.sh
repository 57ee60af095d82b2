#!/bin/sh
# usage: run.sh SECONDS TARGET
# Runs one fuzz target for so long, with 0 once over what it has, and prints one line about it. Exit status 1: there is a
# finding.
# Below build/fuzz:
#   corpus/TARGET     inputs that reach something new; kept, so that the next run goes on from there
#   findings/TARGET   inputs that broke something; tried first in the next run, until they break nothing
#   log/TARGET        what libFuzzer said
#   counts/TARGET     "passed failed" for build.sh
set -u
seconds=$1
target=$2
cd "$(dirname "$0")/../.." || exit 1
fuzz=build/fuzz
program=$fuzz/bin/fuzz_$target
corpus=$fuzz/corpus/$target
findings=$fuzz/findings/$target
log=$fuzz/log/$target
mkdir -p "$corpus" "$findings" "$fuzz/seeds/$target" "$fuzz/log" "$fuzz/counts"
# Names and lines in traces need llvm-symbolizer (package llvm); a FACT names its own.
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"

said() { # NAME of one of libFuzzer's final statistics
    sed -n "s/^stat::$1: *//p" "$log"
}

edges() {
    sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1
}

limit=-max_total_time=$seconds # where 0 would be without end
[ "$seconds" -gt 0 ] || limit=-runs=0

# The time is checked between inputs only, hence the second limit; -timeout is for each input.
# Nothing that is tested allocates, so leaks are not looked for, which not every machine allows.
timeout --foreground $((seconds + 60)) "$program" "$limit" -max_len=4096 -timeout=10 \
    -rss_limit_mb=1024 -detect_leaks=0 -print_final_stats=1 -artifact_prefix="$findings/" \
    "$corpus" "$fuzz/seeds/$target" "$findings" >"$log" 2>&1
status=$?
runs=$(said number_of_executed_units)
if [ $status -eq 0 ]; then
    echo "fuzz $target: $runs runs, $(said average_exec_per_sec)/s, $(edges) edges, no finding"
    find "$findings" -type f -exec mv {} "$corpus/" \;
    echo "1 0 0" >"$fuzz/counts/$target"
    exit 0
fi
found=$(sed -n 's/.*Test unit written to //p' "$log" | head -n 1)
# In one go, so that two targets' lines do not mix.
{
    echo "fuzz $target: FINDING after ${runs:-no} runs"
    grep -e ': not so: ' -e 'runtime error: ' -e '^SUMMARY: ' "$log" | sed 's/^/    /'
    if [ -n "$found" ]; then
        echo "    again: $program $found"
    else
        tail -n 5 "$log" | sed 's/^/    /'
        echo "    exit status $status, see $log"
    fi
} >"$log.line"
cat "$log.line"
rm -f "$log.line"
echo "0 1 0" >"$fuzz/counts/$target"
exit 1
