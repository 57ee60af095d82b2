#!/bin/sh
# usage: compare.sh FOLDER OTHER
# Compares what two builds made, file by file and byte by byte, and prints a line for each: the same, differs (with both
# sums), or only in one of them. Status 0 if all are the same, 1 if not, 2 if a folder is missing or has no files.
set -eu
LC_ALL=C
export LC_ALL

for folder in "$1" "$2"; do
    if [ -z "$(find "$folder" -type f 2>/dev/null | head -n 1)" ]; then
        echo "compare.sh: no files in $folder" >&2
        exit 2
    fi
done

files() {
    { (cd "$1" && find . -type f) && (cd "$2" && find . -type f); } | sed 's,^\./,,' | sort -u
}

sum() {
    sha256sum <"$1" | cut -d ' ' -f 1
}

faults=0
list=$(files "$1" "$2")
while IFS= read -r file; do
    if [ ! -f "$1/$file" ]; then
        echo "only in $2: $file"
    elif [ ! -f "$2/$file" ]; then
        echo "only in $1: $file"
    elif cmp -s "$1/$file" "$2/$file"; then
        echo "the same: $file $(sum "$1/$file")"
        continue
    else
        echo "differs: $file $(sum "$1/$file") $(sum "$2/$file")"
    fi
    faults=$((faults + 1))
done <<END
$list
END
[ "$faults" -eq 0 ]
