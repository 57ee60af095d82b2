#!/bin/sh
# Builds the zips and the image again, from a commit of this clone and in the reference system, and compares files
# with them: is what somebody gave me what these sources make? Called by build.sh.
#
# usage: layer/verify.sh FOLDER PACKAGES [--commit COMMIT] [--in here|container|chroot] FILE...
#
# FOLDER is the caller's, PACKAGES what the reference system needs for it. The status is 0 when all files are the same,
# 1 when one differs, 2 for wrong usage, 3 where it cannot be told: there is no way into the reference system here, a
# source cannot be brought, the build failed.
#
# What is built lies in a folder of its own, build/verify.*, with what the commit has and nothing else: what is changed
# here and not committed does no harm. Sources that were brought before are taken over if their sums are right.
# In a container or chroot all of this runs once more, inside (`--in here`), on copies of the files.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."
top=$PWD
here=$1
packages=$2
shift 2
commit=HEAD
place=

say() {
    echo "verify: $*" >&2
}

wrong() {
    say "$*"
    exit 2
}

cannot_tell() {
    say "cannot tell: $*"
    exit 3
}

while [ $# -gt 0 ]; do
    case $1 in
    --commit | --in)
        [ $# -gt 1 ] || wrong "$1 needs a word"
        if [ "$1" = --in ]; then place=$2; else commit=$2; fi
        shift 2
        ;;
    --)
        shift
        break
        ;;
    -*) wrong "$1 is unknown" ;;
    *) break ;;
    esac
done
case $place in '' | here | container | chroot) ;; *) wrong "--in is here, container or chroot, not $place" ;; esac
[ $# -gt 0 ] || wrong "which file?"
for file; do # as the caller sees them, from here on by their whole paths
    shift
    case $file in /*) ;; *) file=$here/$file ;; esac
    [ -r "$file" ] || wrong "$file cannot be read"
    set -- "$@" "$file"
done

mkdir -p build
work=$(mktemp -d "$top/build/verify.XXXXXX")
. vendor/run.sh

# --- the reference system ----------------------------------------------------------------------

reference() { # KEY
    sed -n "s/^$1 //p" vendor/reference
}

# ID, VERSION_ID and CPU of this machine, as in vendor/reference.
system() {
    (
        ID=linux VERSION_ID=
        # shellcheck disable=SC1091 # the system's
        [ ! -r /etc/os-release ] || . /etc/os-release
        echo "$ID ${VERSION_ID:--} $(uname -m | sed 's/^aarch64$/arm64/')"
    )
}

packer() {
    dpkg-query -W -f '${Version}' advancecomp 2>/dev/null || echo unknown
}

# Each that this system has in another version than the reference: what, then which.
other_tools() {
    [ "$(system)" = "$(reference system)" ] || echo "system: $(system)"
    for cpu in x86_64 arm64; do
        tools=$(vendor/vendor.sh toolchain "$cpu" 2>/dev/null) || tools=none
        [ "$tools" = "$(reference "toolchain $cpu")" ] || echo "compiler and linker for $cpu: $tools"
    done
    [ "$(packer)" = "$(reference 'package advancecomp')" ] || echo "advancecomp: $(packer)"
}

container_answers() {
    for engine in docker podman; do
        ! command -v "$engine" >/dev/null || ! "$engine" info >/dev/null 2>&1 || return 0
    done
    return 1
}

chroot_answers() {
    [ "$(id -u)" -eq 0 ] && command -v mmdebstrap >/dev/null && unshare --mount --pid --fork true 2>/dev/null
}

pick_place() {
    others=$(other_tools)
    if [ -z "$others" ]; then
        place=here
    elif container_answers; then
        place=container
    elif chroot_answers; then
        place=chroot
    else
        cannot_tell "the reference system is $(reference system), with other tools than here:
$others
To get into it takes docker or podman, or to be root with mmdebstrap. With --in here these tools are used."
    fi
}

# --- elsewhere ---------------------------------------------------------------------------------

# What others see of this machine is this clone; so copies go into it.
copy_files() {
    for file in "$@"; do
        number=$((${number:-0} + 1))
        mkdir -p "$work/$number"
        cp -R "$file" "$work/$number/"
    done
}

# A failure of docker's own has a status above 124, or the one that is asked for here.
in_container() {
    status=0
    run env CANNOT=3 DOCKER_DEFAULT_PLATFORM=linux/amd64 ./build.sh container verify --in here --commit "$commit" "$@" ||
        status=$?
    [ $status -lt 124 ] || status=3
    exit $status
}

in_chroot() {
    [ -z "$(vendor/vendor.sh missing)" ] || vendor/vendor.sh sources >&2 || cannot_tell "sources are missing"
    status=0
    run vendor/chroot.sh "$packages" verify --in here --commit "$commit" "$@" || status=$?
    [ $status -lt 124 ] || status=3
    exit $status
}

# --- here --------------------------------------------------------------------------------------

# Whoever runs this may not be who owns the clone.
ours() {
    git --no-optional-locks -c safe.directory='*' -C "$top" "$@"
}

# The commit, without those before it, and without anything of the caller's git.
make_clone() {
    # Not by set -e, which means nothing where this is called.
    git init --quiet --template= "$clone" &&
        ours rev-list --objects --no-walk "$commit" | ours pack-objects --quiet --stdout |
        git -C "$clone" index-pack --stdin >/dev/null &&
        echo "$commit" >"$clone/.git/shallow" &&
        git -C "$clone" -c advice.detachedHead=false -c core.autocrlf=false checkout --quiet "$commit"
}

# Brought sources whose sums the commit's pins have.
copy_sources() {
    mkdir -p "$clone/build/vendor/download"
    for file in "${VENDOR_CACHE:-vendor/cache}"/* build/vendor/download/*; do
        if [ -f "$file" ] && grep -q " $(sha256sum <"$file" | cut -d' ' -f1)\$" "$clone/vendor/pins"; then
            cp "$file" "$clone/build/vendor/download/"
        fi
    done
    for file in "${VENDOR_CACHE:-vendor/cache}"/*.crt build/vendor/download/*.crt; do # are looked at one by one
        [ ! -f "$file" ] || cp "$file" "$clone/build/vendor/download/"
    done
}

# With nothing of the caller's environment but the ways to packages: compilers, make and Python have variables of
# their own, and each would change what comes out.
rebuild() {
    cd "$clone"
    set -- PATH="$PATH" HOME="${HOME:-/}" LC_ALL=C
    for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY APT_CONFIG TMPDIR; do
        eval "[ -z \"\${$variable:-}\" ] || set -- \"\$@\" $variable=\"\$$variable\""
    done
    env -i "$@" ./build.sh layer && env -i "$@" ./build.sh image
}

verify_here() {
    clone=$work/clone
    called=$commit
    { [ -z "$(ours rev-parse --show-prefix 2>&1)" ] && commit=$(ours rev-parse --verify --quiet "$commit^{commit}") &&
        make_clone; } || cannot_tell "this is no clone of the repository, or $called is no commit of it"
    version=$(cat "$clone/src/VERSION" 2>/dev/null) || cannot_tell "$called has no src/VERSION"
    called="commit $(echo "$commit" | cut -c 1-12) (version $version)"
    [ -z "$(ours status --porcelain -unormal -- build.sh layer src vendor LICENSE)" ] ||
        say "what is changed here and not committed is not looked at"
    [ -z "${others:=$(other_tools)}" ] || say "not the reference system, $(reference system): $others"
    say "building $called in $(system)"
    copy_sources
    if ! run rebuild >"$work/log" 2>&1; then
        tail -n 20 "$work/log" >&2
        cannot_tell "$called could not be built"
    fi
    status=0
    run python3 -B layer/verify.py "$clone" "$called" "$(packer)" "$@" || status=$?
    exit $status
}

[ -n "$place" ] || pick_place
case $place in
here) verify_here "$@" ;;
*)
    # A worktree's repository lies elsewhere, as do objects that are another one's.
    { [ -d .git ] && [ ! -e .git/objects/info/alternates ]; } ||
        cannot_tell "a $place sees this folder alone, and it has no whole repository; a clone of it has"
    say "in the reference system, by a $place"
    copy_files "$@"
    set --
    for file in "$work"/[0-9]*/*; do
        set -- "$@" "$file"
    done
    "in_$place" "$@"
    ;;
esac
