#!/bin/sh
# usage: notes.sh VERSION [CHANGELOG]
# Prints what the changelog says of a version: the lines between its heading, `## VERSION` and perhaps a date, and the
# next heading of that kind. Status 1 if there is no such heading, or nothing below it.
set -eu
version=$1
changelog=${2:-$(dirname "$0")/../CHANGELOG.md}
awk -v version="$version" '
    /^## / { within = $2 == version; next }
    within && (said || NF) { lines = lines $0 "\n"; if (NF) { said = length(lines) } }
    END {
        if (!said) { exit 1 }
        printf "%s", substr(lines, 1, said)
    }' "$changelog" || {
    echo "notes.sh: $changelog says nothing of $version" >&2
    exit 1
}
