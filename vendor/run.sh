# shellcheck shell=sh disable=SC2154 # work: the caller's
# Sourced by scripts that make a folder and wait for others: `work`, set before, is removed however the script ends, and
# a signal ends at once what `run` has begun. With one_file_system=1 nothing is removed that is mounted in the folder.

running=
stop() {
    status=$?
    trap - EXIT INT TERM HUP
    [ -z "$running" ] || kill "$running" 2>/dev/null || true
    wait
    rm -rf ${one_file_system:+--one-file-system} "$work"
    exit $status
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# In the background, since a shell heeds a signal only when what is before it has ended.
run() { # COMMAND...
    "$@" &
    running=$!
    status=0
    wait "$running" || status=$?
    running=
    return $status
}
