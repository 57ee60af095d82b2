#!/bin/sh
# Prints a compilation database (compile_commands.json): what the makefiles would call for the checked builds of
# the program and of what is linked with it. Called by build.sh after vendor/vendor.sh has made the asan sysroot.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."

rules=$(
    make -nBw -C src TARGET=asan
    for folder in unit fuzz simulate; do
        [ ! -f "tests/$folder/Makefile" ] || make -nBw -C "tests/$folder" TARGET=asan
    done
    make -nBw -C tests/bench host
)

printf '%s\n' "$rules" | awk '
    function quoted(text) {
        gsub(/[\\"]/, "\\\\&", text)
        return "\"" text "\""
    }
    /: Entering directory / {
        folder[++depth] = substr($0, index($0, "\047") + 1)
        sub(/\047$/, "", folder[depth])
    }
    /: Leaving directory / { depth-- }
    # A call may compile several files and link them: each file gets a call that does neither.
    function alone(file,    call, i) {
        call = $1
        for (i = 2; i <= NF; i++)
            if ($i == file || $i !~ /\.[ca]$|^-[lL]|^-MM?[DP]$/)
                call = call " " $i
        return call ($0 ~ / -c / ? "" : " -c")
    }
    $1 ~ /gcc$/ {
        for (i = 2; i <= NF; i++)
            if ($i ~ /\.c$/ && !seen[folder[depth], $i]++)
                printf "%s\n  {\"directory\": %s, \"file\": %s, \"command\": %s}", n++ ? "," : "[",
                    quoted(folder[depth]), quoted($i), quoted(alone($i))
    }
    END { print n ? "\n]" : "[]" }'
