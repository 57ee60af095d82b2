#!/bin/sh
# What a new machine sees: for each release a root folder with git and nothing else (mmdebstrap's minbase),
# in it a clone of HEAD, `./build.sh demo` as a user who may not install, then as root what the front page says under
# "Try it", as printed there, and `./build.sh` for both CPUs. What the demo prints is compared with what the page shows.
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

one_file_system=1
work=$(mktemp -d)
. vendor/run.sh
. vendor/apt_settings.sh

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
    apt_settings "$1" "$bundle"
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

# The lines between the fences below a marker of the front page.
snippet() { # NAME
    awk -v marker="<!-- snippet: $1 -->" '
        $0 == marker { found = 1; next }
        found && /^```/ { if (inside) exit; inside = 1; next }
        inside { print }' "$root$home/README.md"
}

# A line of the shell as printed, in the clone.
timed() { # LINE
    began=$(date +%s)
    status=0
    # shellcheck disable=SC2016 # expanded inside
    inside sh -c 'cd "$0" && eval "$1"' "$home" "$1" >"$log.last" 2>&1 || status=$?
    cat "$log.last" >>"$log"
    echo "bare: $release: $1: status $status after $(($(date +%s) - began)) s"
    return $status
}

# As a reader of the front page does, with an eye on the clock.
page() {
    cloned=$(date +%s)
    inside git clone --quiet /root/clone.bundle "$home" >>"$log" 2>&1 || return 1
    snippet try-it >"$work/page"
    [ -s "$work/page" ] || { echo "bare: the front page has nothing to try" && return 1; }
    while read -r line <&3; do
        line=$(echo "$line" | sed 's/ *#.*//')
        timed "$line" || return 1
        case $line in
        *' demo')
            echo "bare: $release: from clone to table $(($(date +%s) - cloned)) s"
            as_shown || { echo "bare: $release: the demo prints other lines than the front page shows" && return 1; }
            ;;
        esac
    done 3<"$work/page"
}

# What the page shows before the line where it leaves out the rest, and as many of the demo's, differ in names only.
as_shown() {
    snippet demo-output | sed '/…/,$d' | shape >"$work/shown"
    sed -n '/^function /,$p' "$log.last" | shape | head -n "$(wc -l <"$work/shown")" >"$work/printed"
    [ -s "$work/shown" ] && diff "$work/shown" "$work/printed" >>"$log"
}

shape() {
    sed -E -e 's/id=[0-9a-f-]+/id=ID/' -e 's/shardId-[0-9]+/shardId-N/' -e 's/key [0-9a-f]+/key KEY/'
}

# As a user without sudo: one line with one command, and nothing is begun.
refused() {
    said=$(inside setpriv --reuid=65534 --regid=65534 --clear-groups /root/refused/build.sh demo 2>&1) && return 1
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
    inside chmod 755 /root
    inside git clone --quiet /root/clone.bundle /root/refused >>"$log" 2>&1 || return 1
    refused || { echo "bare: $release: what is missing is not said in one line" && return 1; }
    page || return 1
    timed ./build.sh || return 1
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
    rm -rf --one-file-system "${work:?}/$release" "$logs/$release.log.last"
done
echo "$passed $(($# - passed)) 0" >"$counts"
[ "$passed" -eq $# ]
