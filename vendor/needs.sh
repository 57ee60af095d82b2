# shellcheck shell=sh disable=SC2154 # variables of build.sh
# What build.sh needs: Debian packages, and what npm, PyPI and Go have for the tests. Sourced by build.sh,
# whose variables and functions it uses.

# Debian packages that a command lacks; all that it needs when `nothing_here` is set.
packages=
nothing_here=
# Set when npm is not among them although it is missing.
npm_is_unpacked=

# need PROBE:PACKAGE...   a probe is a command, or a file when it begins with a slash
need() {
    for item; do
        probe=${item%%:*}
        if [ -z "$nothing_here" ]; then
            case $probe in
            /*) [ ! -e "$probe" ] ;;
            *) ! command -v "$probe" >/dev/null ;;
            esac || continue
        fi
        lacks "${item#*:}"
    done
}

lacks() { # PACKAGE
    case " $packages " in
    *" $1 "*) ;;
    *) packages="${packages:+$packages }$1" ;;
    esac
}

# All at once and before anything begins. Elsewhere than on Debian also the sources that apt cannot bring.
prepare() { # COMMAND [ARGUMENTS]
    need_for_command "$@"
    system=$(this_system)
    if [ "${system%% *}" != supported ] && [ "$1" != verify ]; then # which goes where it can
        say "supported are Debian 12 and 13, and this is ${system#* }"
        say "with docker or podman this works here: ./build.sh container $*"
        [ "${system%% *}" = similar ] || check_elsewhere
        say "going on without, with what is here"
    fi
    [ -z "$packages" ] || install_packages
}

# "supported NAME"; "similar NAME" where apt may bring the sources as well; or "other NAME".
this_system() {
    (
        ID='' ID_LIKE='' VERSION_ID='' PRETTY_NAME=$(uname -s)
        release=${OS_RELEASE:-/etc/os-release} # the variable is for tests
        # shellcheck disable=SC1090 # the system's
        [ ! -r "$release" ] || . "$release"
        case "$(uname -s) $ID $VERSION_ID $ID_LIKE " in
        "Linux debian 12 "* | "Linux debian 13 "*) kind=supported ;;
        *ubuntu*) kind=other ;;
        Linux*" debian "*) kind=similar ;;
        *) kind=other ;;
        esac
        echo "$kind $PRETTY_NAME"
    )
}

# Goes on where all is here, or where apt-get is for what is missing.
check_elsewhere() {
    files=$(vendor/vendor.sh missing)
    if [ "$(uname -s)" = Linux ] && [ -z "$files" ]; then
        [ -n "$packages" ] || return 0
        ! command -v apt-get >/dev/null || return 0
    fi
    {
        echo "Without these, on any Linux, it takes"
        [ -z "$files" ] || echo "* these files in $VENDOR_CACHE/:
$files"
        [ -z "$packages" ] || echo "* what Debian has in the packages: $packages"
    } >&2
    exit 1
}

install_packages() {
    # shellcheck disable=SC2086 # a list of words
    set -- apt-get install -y --no-install-recommends $packages
    sudo=
    if ! command -v apt-get >/dev/null; then
        say "missing, by the names of their Debian packages: $packages"
        exit "${CANNOT:-1}"
    elif [ "$(id -u)" -eq 0 ]; then
        :
    elif ! command -v sudo >/dev/null; then
        say "missing packages; please run as root: apt-get update && $*"
        exit "${CANNOT:-1}"
    elif ! sudo -n true 2>/dev/null; then
        say "missing packages; please run: sudo apt-get update && sudo $*"
        exit "${CANNOT:-1}"
    else
        sudo="sudo -n"
    fi
    say "installing $packages"
    # Some unrelated list may fail to update; whether the packages can be had is what counts.
    $sudo apt-get -q update >&2 || true
    bring_early &
    early=$!
    if ! $sudo env DEBIAN_FRONTEND=noninteractive "$@" >&2; then
        kill "$early" 2>/dev/null || true
        say "could not install; please run: ${sudo:+sudo }$*"
        exit "${CANNOT:-1}"
    fi
    wait "$early" || true
    hash -r
}

# While packages are installed, whatever else apt has: it takes no lock for that. What cannot be had yet, because a
# mirror asks for certificates that are to come, say, is brought when it is needed.
bring_early() {
    mkdir -p build
    {
        locked vendor/vendor.sh archives || true
        [ -z "$npm_is_unpacked" ] || locked vendor/npm.sh
    } >build/early.log 2>&1
}

# What belongs to every Debian is in the list too, for systems made smaller still.
need_compilers() { # CPU...
    need gcc:gcc make:make ar:binutils /usr/include/stdio.h:libc6-dev \
        /usr/share/ca-certificates/mozilla:ca-certificates xz:xz-utils gzip:gzip tar:tar \
        sed:sed awk:mawk cmp:diffutils find:findutils sha256sum:coreutils flock:util-linux
    for cpu; do
        [ "$cpu" != "$native" ] || continue
        cpu=$(echo "$cpu" | sed 's/arm64/aarch64/')
        need "$cpu-linux-gnu-gcc:gcc-$(echo "$cpu" | tr _ -)-linux-gnu"
    done
}

# The part of clang that libFuzzer and the sanitizers are in is a package that clang only recommends.
need_clang() {
    need clang:clang
    if [ -z "$nothing_here" ] && command -v clang >/dev/null; then
        version=$(clang -dumpversion)
        need "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-$(uname -m).a:libclang-rt-${version%%.*}-dev"
    else
        lacks libclang-rt-dev
    fi
}

# Debian's npm has 360 packages beneath it, and installing these would take most of the time that a new machine needs.
# apt brings what of them npm runs on without installing it, see npm.sh.
need_node() {
    need node:nodejs
    if [ -n "$nothing_here" ] || ! npm_can_be_unpacked; then
        need npm:npm
    elif ! command -v npm >/dev/null; then
        npm_is_unpacked=yes
    fi
}

# Where packages are missing, apt's lists will be there once these are.
npm_can_be_unpacked() {
    command -v apt-get >/dev/null && command -v apt-cache >/dev/null && command -v dpkg-deb >/dev/null &&
        { [ -n "$packages" ] || command -v npm >/dev/null || apt-cache show npm >/dev/null 2>&1; }
}

need_modules() {
    need_node
    need openssl:openssl curl:curl
}

# Debian's Python brings no venv unless asked for.
need_python() {
    need python3:python3
    if [ -n "$nothing_here" ] || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        lacks python3-venv
    fi
}

need_layer() {
    need_compilers x86_64 arm64
    need python3:python3 advzip:advancecomp
}

need_image() {
    need_compilers x86_64 arm64
    need python3:python3 git:git
}

# Here only where it is done here; a container or chroot has its own.
need_verify() { # verify [ARGUMENTS]
    case "${nothing_here:-$(this_system)} $* " in
    yes* | 'supported Debian GNU/Linux 12 '* | *' --in here '*)
        need_layer
        need_image
        ;;
    esac
}

need_packages() { # [LANGUAGE...]
    need_layer
    need_node
    need_python
    for language; do
        case $language in java) need mvn:maven javac:default-jdk-headless ;; esac
    done
}

need_bench() {
    need_compilers "$native"
    need /usr/include/openssl/ssl.h:libssl-dev openssl:openssl /usr/include/zlib.h:zlib1g-dev
    need_node
}

need_for_test() { # PART
    case $1 in
    unit) need /usr/include/cmocka.h:libcmocka-dev ;;
    fuzz | corpora)
        need /usr/include/cmocka.h:libcmocka-dev /usr/include/zlib.h:zlib1g-dev
        need_clang
        ;;
    e2e)
        need_layer
        need_image
        need unzip:unzip busybox:busybox qemu-aarch64-static:qemu-user-static
        need skopeo:skopeo umoci:umoci buildah:buildah /usr/lib/podman/netavark:netavark
        need_modules
        need_python
        ;;
    arm64)
        need_compilers arm64
        need_modules
        [ "$native" = arm64 ] || need qemu-aarch64-static:qemu-user-static
        ;;
    smoke) need_modules ;;
    templates) need_node ;;
    bench) need_bench ;;
    cdk | sam | docs)
        need_layer
        need_modules
        need_python
        ;;
    packages) need_packages java ;;
    build)
        need_layer
        need_image
        need_node
        ;;
    tidy)
        need_node
        need clang-format:clang-format clang-tidy:clang-tidy shellcheck:shellcheck
        ;;
    bare) need mmdebstrap:mmdebstrap unshare:util-linux git:git ;;
    esac
}

need_for_command() { # COMMAND [ARGUMENTS]
    case $1 in
    build)
        # shellcheck disable=SC2086 # a list of words
        need_compilers $cpus
        ;;
    layer) need_layer ;;
    image) need_image ;;
    verify) need_verify "$@" ;;
    packages)
        shift
        need_packages "$@"
        ;;
    test)
        need_compilers "$native"
        for one in $(parts_of "${2:-}"); do
            need_for_test "$one"
        done
        ;;
    fuzz | tidy) need_for_command test "$1" ;;
    simulate | commands) need_compilers "$native" ;;
    mutants)
        need_compilers "$native"
        need /usr/include/cmocka.h:libcmocka-dev
        need_python
        ;;
    bench)
        shift
        need_bench
        if measures_layer "$@"; then
            need_layer
            need unzip:unzip
        fi
        ;;
    demo | faults | endurance | local-servers)
        need_compilers "$arch"
        need_modules
        [ "$1" != local-servers ] || need_python
        ;;
    esac
}

node_is_new() {
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null
}

bring_npm() {
    if ! command -v npm >/dev/null; then
        say "unpacking Debian's npm into build/npm"
        if ! locked vendor/npm.sh; then
            packages=npm
            install_packages
        fi
        hash -r
    fi
}

# A distribution whose own Node is too old for the AWS SDK still has npm, which can bring one.
newer_node() {
    bring_npm
    if ! node_is_new; then
        case $native in x86_64) cpu=x64 ;; *) cpu=$native ;; esac
        say "Node $(node --version) is too old, fetching a newer one for the tests"
        mkdir -p build/node/bin
        npm install --loglevel=error --no-save --no-audit --no-fund --prefix build/node "node-linux-$cpu@24" >&2
        ln -sf "../node_modules/node-linux-$cpu/bin/node" build/node/bin/node
        hash -r
        node_is_new || exit 1
    fi
}

modules() {
    newer_node
    install_modules tests
}

install_modules() { # FOLDER
    if ! cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock"; then
        npm ci --no-audit --no-fund --prefix "$1" >&2
        cp "$1/package-lock.json" "$1/node_modules/.installed-lock"
    fi
}

# A third of the tests' modules, unless all are there.
demo_modules() {
    newer_node
    if ! cmp -s tests/package-lock.json tests/node_modules/.installed-for-demo; then
        cmp -s tests/package-lock.json tests/node_modules/.installed-lock && return
        npm ci --omit=dev --no-audit --no-fund --prefix tests >&2
        cp tests/package-lock.json tests/node_modules/.installed-for-demo
    fi
}

# What tests need of PyPI. A venv serves the Python that made it.
python_modules() { # FOLDER REQUIREMENTS
    made_of=$(python3 --version && cat "$2")
    if [ "$(cat "$1/.made-of" 2>/dev/null)" != "$made_of" ]; then
        python3 -m venv --clear "$1"
        "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2" >&2
        echo "$made_of" >"$1/.made-of"
    fi
}

# What makes the construct's packages, of npm and PyPI.
package_modules() {
    install_modules cdk
    install_modules cdk/packages
    python_modules build/packages-python cdk/packages/requirements.txt
}

# kinesalite and kinesis-local are of npm.
local_server_modules() {
    modules
    python_modules build/local-servers tests/e2e/support/local_servers.txt
}

# Programs in Go: AWS's own emulator of Lambda, a container registry, a linter. Where one cannot be had, what it is for is
# skipped.
build_go_tool() { # FOLDER WHAT
    tool=${1##*/}
    rm -rf "build/$tool"
    mkdir -p "build/$tool"
    if ! command -v go >/dev/null; then
        say "no Go: the tests with $2 will be skipped"
    elif ! (cd "$1" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$top/build/$tool/" tool) \
        >"build/$tool/log" 2>&1; then
        say "$2 cannot be built (build/$tool/log): the tests with it will be skipped"
    fi
}

# Published readers of CloudWatch Logs' messages. Those in Go and Rust are left out where these cannot be had.
build_readers() {
    python_modules build/readers-python tests/e2e/readers/requirements.txt
    mkdir -p build/readers
    (cd tests/e2e/readers/go && CGO_ENABLED=0 go build -trimpath -o "$top/build/readers/go" .) >build/readers/log 2>&1 ||
        say "the reader in Go cannot be built (build/readers/log), and is left out"
    cargo build --quiet --locked --release --manifest-path tests/e2e/readers/rust/Cargo.toml \
        --target-dir build/readers/rust >>build/readers/log 2>&1 ||
        say "the reader in Rust cannot be built (build/readers/log), and is left out"
}
