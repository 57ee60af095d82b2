#!/bin/sh
# What a new machine sees: for each release a root folder with git and nothing else (mmdebstrap's minbase),
# in it a clone of HEAD, `./build.sh` as a user who may not install, then it and `./build.sh demo` as root.
# Called by build.sh, needs root. What is left: build/bare/RELEASE.log, and the counts for build.sh.
#
# usage: tests/build/bare.sh [RELEASE...]      bookworm trixie
#
# This machine's way to packages goes along: its mirror and apt's settings about it, npm's registry, proxies
# and certificates. Mounts are in a namespace that ends with its processes, however these end.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
top=$PWD
counts=build/test/bare
logs=build/bare
home='/root/a clone'
[ $# -gt 0 ] || set -- bookworm trixie

for reason in "root:[ $(id -u) -eq 0 ]" 'a mount namespace of its own:unshare --mount --pid --fork true'; do
    if ! sh -c "${reason#*:}" 2>/dev/null; then
        echo "bare: skipped, it needs ${reason%%:*}"
        mkdir -p "${counts%/*}"
        echo "0 0 $#" >"$counts"
        exit 0
    fi
done

work=$(mktemp -d)
running=
stop() {
    status=$?
    trap - EXIT INT TERM HUP
    [ -z "$running" ] || kill "$running" 2>/dev/null || true
    wait
    rm -rf --one-file-system "$work"
    exit $status
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# In the background, so that a signal is heeded at once.
run() {
    "$@" &
    running=$!
    status=0
    wait "$running" || status=$?
    running=
    return $status
}

# The system's sources for RELEASE, and how this machine's apt gets at them.
apt_sources() { # RELEASE
    main='' parts=''
    eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    for list in "$main" "${parts%/}"/*.list "${parts%/}"/*.sources; do
        if [ -f "$list" ]; then
            awk -v type=deb -v suite="$1" -f vendor/apt_sources.awk "$list" >"$work/apt/${list##*/}"
        fi
    done
    find "$work/apt" -size 0 -delete
    apt-config dump | grep -E '^Acquire::(https?|ftp|Check-|Retries|ForceIPv)[^ ]* ".+";$' >"$work/apt.conf" || true
    grep -q '^Acquire::https::CAInfo ' "$work/apt.conf" || echo "Acquire::https::CAInfo \"$bundle\";" >>"$work/apt.conf"
}

# npm's settings by their files, and those that the environment has; the names of npm_config_* are free.
settings() {
    for file in userconfig:/root/.npmrc globalconfig:/usr/etc/npmrc; do
        path=$(npm config get "${file%%:*}" 2>/dev/null || true)
        if [ -f "$path" ]; then
            mkdir -p "$1$(dirname "${file#*:}")"
            grep -v -e '^cafile' -e '^nodedir' -e '^prefix' "$path" >"$1${file#*:}" || true
        fi
    done
    env | grep -iE '^(npm_config_[a-z_]*|https?_proxy|no_proxy|all_proxy)=' | grep -v '^npm_config_cafile=' || true
    echo "npm_config_globalconfig=/usr/etc/npmrc"
    echo "npm_config_cafile=$bundle"
    echo "NODE_EXTRA_CA_CERTS=$bundle"
}

certificates=$(npm config get cafile 2>/dev/null || true)
[ -f "$certificates" ] || certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
bundle=/usr/local/share/bare-certificates.pem

# Makes the root folder of RELEASE.
make_root() { # RELEASE
    rm -rf "$work/apt"
    mkdir "$work/apt"
    apt_sources "$1"
    run mmdebstrap --quiet --variant=minbase --include=git --aptopt="$work/apt.conf" "$1" "$root" "$work"/apt/*
    mkdir -p "$root/usr/local/share"
    cp "$work/apt.conf" "$root/etc/apt/apt.conf.d/99machine"
    [ ! -d /etc/apt/auth.conf.d ] || cp -r /etc/apt/auth.conf.d "$root/etc/apt/"
    [ ! -f "$certificates" ] || cp "$certificates" "$root$bundle"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    settings "$root" >"$work/environment"
    cp "$work/clone.bundle" "$root/root/"
}

# In the root folder, with nothing of the caller's environment but what leads to packages.
inside() { # COMMAND...
    # shellcheck disable=SC2016 # expanded inside
    set -- unshare --mount --pid --fork --kill-child sh -c '
        mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -t sysfs sysfs "$0/sys" &&
        exec chroot "$0" "$@"' "$root" "$@"
    while read -r setting; do
        set -- "$setting" "$@"
    done <"$work/environment"
    run env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb "$@" </dev/null
}

# Runs build.sh in the clone, and says how long it took and how it ended.
timed() { # COMMAND...
    began=$(date +%s)
    status=0
    # shellcheck disable=SC2016 # expanded inside
    inside sh -c 'cd "$0" && exec ./build.sh "$@"' "$home" "$@" >>"$log" 2>&1 || status=$?
    echo "bare: $release: ./build.sh $*: status $status after $(($(date +%s) - began)) s"
    return $status
}

# As a user without sudo: one line with one command, and nothing is begun.
refused() {
    said=$(inside setpriv --reuid=65534 --regid=65534 --clear-groups "$home/build.sh" demo 2>&1) && return 1
    echo "$said" >>"$log"
    [ "$(echo "$said" | wc -l)" -eq 1 ] && echo "$said" | grep -q 'run as root: apt-get update && apt-get install '
}

differs() {
    grep -q 'differ from the published' "$log"
}

try() { # RELEASE
    release=$1
    root=$work/$release
    log=$top/$logs/$release.log
    : >"$log"
    make_root "$release" >>"$log" 2>&1 || return 1
    inside git clone --quiet /root/clone.bundle "$home" >>"$log" 2>&1 || return 1
    inside chmod 755 /root
    refused || { echo "bare: $release: what is missing is not said in one line" && return 1; }
    timed build || return 1
    timed demo || return 1
    if [ "$release" = "$(sed -n 's/^release //p' vendor/reference)" ]; then
        ! differs || { echo "bare: $release: not by the reference's compilers" && return 1; }
    else
        differs || { echo "bare: $release: nothing is said about other bytes" && return 1; }
    fi
    (cd "$root$home" && sha256sum build/*/kinesis-telemetry-api-extension) | sed "s/^/bare: $release: /"
}

mkdir -p "$logs" "${counts%/*}"
git -c safe.directory='*' bundle create --quiet "$work/clone.bundle" HEAD
passed=0
for release; do
    if try "$release"; then
        passed=$((passed + 1))
    else
        echo "bare: $release: failed, see $logs/$release.log; its end:"
        tail -n 5 "$logs/$release.log"
    fi
    rm -rf --one-file-system "${work:?}/$release"
done
echo "$passed $(($# - passed)) 0" >"$counts"
[ "$passed" -eq $# ]
