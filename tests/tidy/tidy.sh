#!/bin/sh
# usage: tidy.sh JOBS COUNTS
# Runs every tool that looks at the sources, and writes "passed failed skipped" into the file COUNTS: a tool that finds
# something is one failure. Called by build.sh, which brings the tools and makes build/compile_commands.json.
set -u
jobs=$1
counts=$2
cd "$(dirname "$0")/../.." || exit 1
. tests/tidy/sources.sh

log=build/tidy.log
passed=0
failed=0
skipped=0

tool() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$log" 2>&1; then
        echo "tidy $name: nothing"
        passed=$((passed + 1))
    else
        cat "$log"
        echo "tidy $name: see above"
        failed=$((failed + 1))
    fi
}

format() {
    c_sources | xargs clang-format --dry-run -Werror
}

# How many warnings other people's headers would have given is told on standard error. One file at a time: clang-tidy 14
# takes a va_list of a second file for uninitialized.
analyse() {
    find src -name '*.c' | sort | xargs -n 1 -P "$jobs" clang-tidy --quiet -p build 2>/dev/null
}

scripts() {
    shell_sources | xargs shellcheck
}

tool clang-format format
tool clang-tidy analyse
tool shellcheck scripts
# With shellcheck for what steps run; made by build.sh where there is Go.
if [ -x build/actionlint/actionlint ]; then
    tool actionlint build/actionlint/actionlint -shellcheck shellcheck -pyflakes '' .github/workflows/*.yml
else
    echo 'tidy actionlint: skipped, it is not here'
    skipped=1
fi
tool eslint eslint_
tool markdownlint markdownlint_
tool 'checks of the checks' node --test tests/tidy/check.test.mjs tests/tidy/documents.test.mjs
for check in circles documents messages names sizes texts; do
    tool "$check" tests/tidy/check.mjs "$check"
done
rm -f "$log"
echo "$passed $failed $skipped" >"$counts"
[ "$failed" -eq 0 ]
