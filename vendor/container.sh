#!/bin/sh
# Runs a command of build.sh in the reference system, by docker or podman. Called by build.sh.
#
# usage: vendor/container.sh FOLDER "PACKAGE..." COMMAND [ARGUMENTS]
#
# FOLDER is the caller's, the packages are what the command needs. They go into a small image of its own,
# together with the caller as a user: what is installed is kept for the next time, and what is built
# belongs to the caller. The clone is mounted under its own path, nothing else of the machine is but the
# folder that VENDOR_CACHE names.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
name=kinesis-telemetry-api-extension
here=$1
packages=$2
shift 2

die() {
    echo "build.sh: $*" >&2
    exit "${CANNOT:-1}" # another status for callers to whom 1 means something
}

# The first that answers; a client may be there without a service behind it.
pick_engine() {
    found=
    for engine in docker podman; do
        command -v "$engine" >/dev/null || continue
        found=$engine
        ! "$engine" info >/dev/null 2>&1 || return 0
    done
    [ -z "$found" ] && die "container needs docker or podman, and neither is here"
    die "container needs docker or podman; $found is here, but \`$found info\` fails"
}

# Prints the options by which the user in the container is the caller outside. Without root's help the
# engine maps user ids: podman is told to keep the caller's; to docker the caller is the container's root.
identity() {
    if "$engine" --version | grep -qi podman; then
        [ "$uid" -eq 0 ] || echo --userns=keep-id
    elif "$engine" info --format '{{.SecurityOptions}}' | grep -q rootless; then
        uid=0 gid=0
    fi
    echo "--user=$uid:$gid"
}

dockerfile() {
    image=$(sed -n 's/^image //p' "$top/vendor/reference")
    cat <<END
FROM $image
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages \\
 && rm -rf /var/lib/apt/lists/*
RUN id -un $uid >/dev/null 2>&1 || echo 'build:x:$uid:$gid::/home/build:/bin/sh' >>/etc/passwd; \\
    install -d -m 777 -o $uid -g $gid /home/build
ENV HOME=/home/build
END
}

uid=$(id -u)
gid=$(id -g)
pick_engine
case $top${VENDOR_CACHE:-} in
*[,\"]*) die "container cannot mount a folder with a comma or a quotation mark in its name" ;;
esac
tag=$name-build:$1
empty=$top/build/container # the context: nothing is copied into the image
mkdir -p "$empty"
dockerfile | "$engine" build -t "$tag" -f - "$empty" >&2 || die "$engine could not make the image $tag"

case $here/ in
"$top"/*) ;;
*) here=$top ;;
esac
# First to the last of the arguments: what the container runs, then what comes before it.
set -- "$tag" sh -c 'trap : INT TERM; "$@"' sh "$top/build.sh" "$@" # as a shell, the first process takes signals
for variable in ARCH VENDOR_CACHE BENCH_SUBJECTS EXTENSION_BINARY; do
    if eval "[ -n \"\${$variable:-}\" ]"; then
        set -- --env "$variable" "$@"
    fi
done
case ${VENDOR_CACHE:-vendor/cache} in
vendor/cache | "$top"/*) ;;
*) [ ! -d "$VENDOR_CACHE" ] ||
    set -- --mount "type=bind,source=$VENDOR_CACHE,target=$VENDOR_CACHE,readonly" "$@" ;;
esac
if [ -t 0 ] && [ -t 1 ]; then
    set -- --interactive --tty "$@"
fi
# Where SELinux guards files, it would keep the container from the clone.
# shellcheck disable=SC2046 # one or two words
exec "$engine" run --rm $(identity) --security-opt label=disable \
    --mount "type=bind,source=$top,target=$top" --workdir "$here" "$@"
