#!/bin/sh
# The one door: ./build.sh help says what is behind it.
set -eu
unset CDPATH

usage() {
    cat <<'END'
usage: ./build.sh [COMMAND]

  build                 the extension for both CPUs: build/<cpu>/kinesis-telemetry-api-extension (default)
  layer                 the Lambda layers: layer/dist/*.zip, for both CPUs and for each, and their SHA-256 sums
  test                  everything: unit tests, a short run of each fuzz target, end-to-end tests,
                        some of these with the arm64 binary too
  test unit [MODULE…]   only the unit tests, or those of the modules named
  test fuzz [TARGET…]   only the fuzz targets, or those named, for 20 seconds each
  test e2e [FILE…]      only the end-to-end tests, or those in the files named
  test arm64 [FILE…]    the same with the arm64 binary, and unit tests of what is its own; elsewhere
                         than on arm64 in an emulator
  test bench            only the tests of the benchmarks' own counting
  test cdk              only the tests of cdk/, with cfn-lint and a deployment to moto, a local AWS
  test build            only the tests of this script: what is missing is said, where sources come from
  test bare [RELEASE…]  what a new machine sees: build and demo in a root folder that has Debian 12
                        (bookworm), then 13 (trixie), and git, and nothing else; not part of `test`, needs root
  fuzz [SECONDS] [TARGET…]
                        the fuzz targets, or those named, for 60 or so many seconds each, from where
                        the last run ended; what breaks one is left in build/fuzz/findings/TARGET
  demo [BOOTSTRAP]      a function's logs on their way into a local Kinesis, counted at the far end
  faults [NAME…]        the fault matrix: what becomes of 10,000 events under each fault, or those named;
                        --list tells the names, --markdown prints the table for tests/README.md,
                        black-hole how long invocations are held while nothing is ever answered
  local-servers [NAME…] 10,000 lines by default settings to moto, kinesalite and other local servers that
                        speak Kinesis' protocol, or to those named
  endurance [CASE…]     a million events while Kinesis is down; 100,000 invocations; POSTs that break off;
                        a platform that drops what falls due during a POST; how fast it ends
  bench [CASE…]         cold start, memory, CPU, rate, bytes sent and more, against the same extension in
                        Node, Go and Rust; all, or the cases named: cold memory cpu rate wire hold
                        shutdown size growth micro. BENCH_SUBJECTS="ours go" measures these alone.
                        Table, build/bench/results.json and .svg; status 1 when a limit is not kept
  clean [all]           removes build/ except the sources brought; with `all` these and node_modules too
  container COMMAND…    any of these in Debian 12, by docker or podman, as you and with this clone alone
  help                  this text
  --version [--verbose] the version; the system and the compilers that the published files are made by, and
                        those here

Debian 12 and 13 have all it takes: missing packages are installed when this runs as root or sudo asks for no
password. On any other system `container` works. The published files are those that Debian 12 makes.

  ARCH=arm64            build for that CPU alone (x86_64, arm64)
  VENDOR_CACHE=FOLDER   where to look for source archives laid there by hand (default: vendor/cache)
END
}

here=$PWD
cd "$(dirname "$0")"
top=$PWD

name=kinesis-telemetry-api-extension
native=$(uname -m | sed -e 's/^aarch64$/arm64/' -e 's/^amd64$/x86_64/')
arch=${ARCH:-$native}
cpus=${ARCH:-x86_64 arm64}
jobs=$(nproc 2>/dev/null || echo 2)
fuzz_seconds=20 # as one part of the tests
case ${VENDOR_CACHE:=vendor/cache} in
/* | vendor/cache) ;;
*) VENDOR_CACHE=$here/$VENDOR_CACHE ;;
esac
export VENDOR_CACHE
PATH=$top/build/node/bin:$PATH # see newer_node

# Two calls at the same time take turns in building.
locked() {
    mkdir -p build
    flock build/.lock "$@"
}

say() {
    echo "build.sh: $*" >&2
}

# --- what the system must offer ----------------------------------------------------------------

# Debian packages that a command lacks; all that it needs when `nothing_here` is set.
packages=
nothing_here=

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
    if [ "${system%% *}" != supported ]; then
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
        exit 1
    elif [ "$(id -u)" -eq 0 ]; then
        :
    elif ! command -v sudo >/dev/null; then
        say "missing packages; please run as root: apt-get update && $*"
        exit 1
    elif ! sudo -n true 2>/dev/null; then
        say "missing packages; please run: sudo apt-get update && sudo $*"
        exit 1
    else
        sudo="sudo -n"
    fi
    say "installing $packages"
    # Some unrelated list may fail to update; whether the packages can be had is what counts.
    $sudo apt-get -q update >&2 || true
    if ! $sudo env DEBIAN_FRONTEND=noninteractive "$@" >&2; then
        say "could not install; please run: ${sudo:+sudo }$*"
        exit 1
    fi
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

need_node() {
    need node:nodejs npm:npm
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

need_bench() {
    need_compilers "$native"
    need /usr/include/openssl/ssl.h:libssl-dev openssl:openssl
    need_node
}

need_for_test() { # PART
    case $1 in
    unit) need /usr/include/cmocka.h:libcmocka-dev ;;
    fuzz)
        need /usr/include/cmocka.h:libcmocka-dev
        need_clang
        ;;
    e2e)
        need_layer
        need unzip:unzip busybox:busybox qemu-aarch64-static:qemu-user-static
        need_modules
        need_python
        ;;
    arm64)
        need_compilers arm64
        need_modules
        [ "$native" = arm64 ] || need qemu-aarch64-static:qemu-user-static
        ;;
    bench) need_bench ;;
    cdk)
        need_layer
        need_modules
        need_python
        ;;
    build)
        need_node
        need shellcheck:shellcheck
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
    test)
        need_compilers "$native"
        for one in $(parts_of "${2:-}"); do
            need_for_test "$one"
        done
        ;;
    fuzz) need_for_command test fuzz ;;
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

# A distribution whose own Node is too old for the AWS SDK still has npm, which can bring one.
newer_node() {
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

# What tests need of PyPI. A venv serves the Python that made it.
python_modules() { # FOLDER REQUIREMENTS
    made_of=$(python3 --version && cat "$2")
    if [ "$(cat "$1/.made-of" 2>/dev/null)" != "$made_of" ]; then
        python3 -m venv --clear "$1"
        "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2" >&2
        echo "$made_of" >"$1/.made-of"
    fi
}

# kinesalite and kinesis-local are of npm.
local_server_modules() {
    modules
    python_modules build/local-servers tests/e2e/support/local_servers.txt
}

# AWS's own emulator of Lambda is a Go program. Where it cannot be had, the tests that run in it are skipped.
build_rie() {
    rm -rf build/rie
    mkdir -p build/rie
    if ! command -v go >/dev/null; then
        say "no Go: the tests in AWS's emulator will be skipped"
    elif ! (cd tests/e2e/rie && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$top/build/rie/" tool) \
        >build/rie/log 2>&1; then
        say "AWS's emulator cannot be built (build/rie/log): the tests in it will be skipped"
    fi
}

# --- commands ----------------------------------------------------------------------------------

build() {
    locked vendor/vendor.sh "$arch"
    locked make -s -j"$jobs" -C src ARCH="$arch"
    say "build/$arch/$name, $(wc -c <"build/$arch/$name") bytes"
    made_by=$(tail -n 1 "build/$arch/toolchain")
    [ "$made_by" = "$(published_by "$arch")" ] || say "these bytes differ from the published ones, which are made on" \
        "Debian 12 by $(published_by "$arch"); here it was $made_by"
}

published_by() { # CPU
    sed -n "s/^toolchain $1 //p" vendor/reference
}

build_all() {
    for arch in $cpus; do
        build
    done
}

# The parts of `test` leave "passed failed skipped" in a file; one that ends without (it did not
# compile, say) counts as one failure.
run_part() { # PART [ARGUMENTS]
    counts=$top/build/test/$1
    test=test_$1
    shift
    rm -f "$counts"
    mkdir -p "${counts%/*}"
    "$test" "$@" || true
    [ -s "$counts" ] || echo "0 1 0" >"$counts"
}

test_unit() { # [MODULE...]
    rm -f build/asan/unit/counts
    locked make -s -k -j"$jobs" -C tests/unit ${1:+TESTS="$*"} || return 1
    make -s -C tests/unit ${1:+TESTS="$*"} check || true
    cp build/asan/unit/counts "$counts"
}

# The rows of the unit tests are what fuzzing begins with.
test_fuzz() { # [TARGET...]
    locked vendor/vendor.sh fuzz || return 1
    locked make -s -k -j"$jobs" -C tests/fuzz ${1:+TARGETS="$*"} || return 1
    # shellcheck disable=SC2046 # a list of words
    [ $# -gt 0 ] || set -- $(make -s -C tests/fuzz names)
    rm -rf build/fuzz/counts
    printf '%s\n' "$@" | xargs -n 1 -P "$jobs" tests/fuzz/run.sh "$fuzz_seconds" || true
    (cd build/fuzz/counts && cat "$@") | awk -v targets=$# '{ p += $1 } END { print p + 0, targets - p, 0 }' >"$counts"
}

# FILE as the caller sees it, or as "delivery" for tests/e2e/delivery.test.mjs.
test_e2e() { # [FILE...]
    if [ $# -eq 0 ]; then
        set -- tests/platform/*.test.mjs tests/e2e/*.test.mjs
    fi
    for file; do
        shift
        for path in "$here/$file" "$file" "tests/e2e/$file.test.mjs" "tests/platform/$file.test.mjs"; do
            [ ! -f "$path" ] || break
        done
        set -- "$@" "$path"
    done
    node_tests "$@"
}

node_tests() { # [OPTION...] FILE...
    status=0
    node --test --test-concurrency=1 \
        --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=tap --test-reporter-destination="$counts.tap" "$@" || status=1
    awk -v status=$status '$1 == "#" && NF == 3 { n[$2] = $3 }
        END {
            failed = n["fail"] + n["cancelled"]
            print n["pass"] + 0, failed ? failed : status, n["skipped"] + n["todo"]
        }' "$counts.tap" >"$counts"
}

# What starts the arm64 binary: itself, or a script that has qemu do so under the name that was called.
arm64_binary() {
    if [ "$native" = arm64 ]; then
        echo "build/arm64/$name"
        return
    fi
    launcher=build/arm64/qemu/$name
    mkdir -p "${launcher%/*}"
    cat >"$launcher" <<END
#!/bin/sh
exec '$(command -v qemu-aarch64-static)' -0 "\$0" '$top/build/arm64/$name' "\$@"
END
    chmod +x "$launcher"
    echo "$launcher"
}

# Unit tests of what the program has of its own for this CPU, with the very objects that ship.
test_arm64_unit() {
    emulator=
    [ "$native" = arm64 ] || emulator=$(command -v qemu-aarch64-static)
    set -- -C tests/unit ARCH=arm64 TESTS="json_scan sha256 tls" RUN="$emulator"
    rm -f build/arm64/unit/counts
    if locked make -s -k -j"$jobs" "$@"; then
        make -s "$@" check || true
    fi
}

# The unit tests above, and the end-to-end tests named. Without names: each that starts the binary it
# is given. As one part of all, without those that last for minutes and are about code that is the same on
# any CPU.
test_arm64() { # [FILE...]
    if [ $# -eq 0 ]; then
        for file in tests/e2e/*.test.mjs; do
            case ${file##*/} in
            binary.* | front.* | launcher.* | layer.* | local_servers.* | rie.* | runtimes.*) ;;
            broken_posts.* | drops.* | ends.* | fault_matrix.* | lambda_ways.* | shutdown_flush.*)
                [ "$part" = all ] || set -- "$@" "$file"
                ;;
            *) set -- "$@" "$file" ;;
            esac
        done
    fi
    EXTENSION_BINARY=$(arm64_binary)
    export EXTENSION_BINARY
    test_arm64_unit
    test_e2e "$@"
    { cat build/arm64/unit/counts || echo "0 1 0"; } >>"$counts"
}

test_bench() {
    node_tests tests/bench/*.test.mjs
}

# The real layers are deployed. All but that runs with the oldest aws-cdk-lib too.
test_cdk() (
    cd cdk
    npm run --silent typecheck || return 1
    node_tests --import tsx test/*.test.ts test/newest/*.test.ts test/deploy/*.test.ts
    newest=$(cat "$counts")
    export NODE_OPTIONS="--require \"$PWD/test/support/oldest.cjs\""
    node_tests --import tsx test/*.test.ts
    echo "$newest" >>"$counts"
)

# No binary is started, nothing compiled.
test_build() {
    node_tests tests/build/*.test.mjs
}

test_bare() { # [RELEASE...]
    tests/build/bare.sh "$@"
}

build_for() { # PART
    arch=$native
    case $1 in
    unit) locked vendor/vendor.sh asan ;;
    e2e)
        local_server_modules
        build_rie
        layer
        arch=$native
        locked vendor/vendor.sh asan
        locked make -s -j"$jobs" -C src ARCH=asan
        ;;
    arm64)
        modules
        arch=arm64
        build
        ;;
    bench)
        newer_node
        build_bench host
        ;;
    cdk)
        newer_node
        python_modules build/python cdk/test/deploy/requirements.txt
        install_modules cdk
        layer
        ;;
    build)
        newer_node
        locked vendor/vendor.sh sources
        ;;
    esac
}

parts_of() { # [PART]
    case ${1:-all} in
    all) echo unit fuzz e2e arm64 bench cdk build ;;
    unit | fuzz | e2e | arm64 | bench | cdk | build | bare) echo "$1" ;;
    *) return 1 ;;
    esac
}

run_tests() { # [PART [ARGUMENTS]]
    part=${1:-all}
    [ $# -eq 0 ] || shift
    parts=$(parts_of "$part")
    rm -rf build/test
    for one in $parts; do
        build_for "$one"
        run_part "$one" "$@"
    done
    # shellcheck disable=SC2086 # a list of words
    (cd build/test && cat $parts || echo "0 1 0") | awk '{ p += $1; f += $2; s += $3 }
        END { printf "%d passed, %d failed%s\n", p, f, s ? ", " s " skipped" : ""; exit f > 0 }'
}

fuzz() { # [SECONDS] [TARGET...]
    fuzz_seconds=60
    case ${1:-} in
    '' | *[!0-9]*) ;;
    *)
        fuzz_seconds=$1
        shift
        ;;
    esac
    run_tests fuzz "$@"
}

demo() {
    build
    modules
    cd "$here" # so that a path given means what it says
    exec node "$top/tests/e2e/demo.mjs" "$@"
}

layer() {
    cpus="x86_64 arm64"
    build_all
    locked python3 -B layer/pack.py x86_64 arm64
}

faults() {
    arch=$native
    build
    modules
    exec node tests/e2e/fault_matrix.mjs "$@"
}

local_servers() {
    arch=$native
    build
    local_server_modules
    exec node tests/e2e/local_servers.mjs "$@"
}

endurance() {
    arch=$native
    build
    modules
    exec node tests/e2e/endurance.mjs "$@"
}

build_bench() { # TARGET
    locked make -s -j"$jobs" -C tests/bench ARCH="$native" "$1"
}

# The universal layer takes both CPUs' binaries; only these cases look at it.
measures_layer() { # [CASE...]
    case " ${*:-cold} " in
    *" cold "* | *" size "*) ;;
    *) return 1 ;;
    esac
}

bench() { # [CASE...]
    arch=$native
    newer_node
    if measures_layer "$@"; then
        layer
        rm -rf "build/$native/bench/opt"
        mkdir -p "build/$native/bench"
        unzip -q "layer/dist/$name.zip" -d "build/$native/bench/opt"
    else
        build
    fi
    build_bench all
    exec node tests/bench/bench.mjs "$@"
}

# Sources that were brought stay: they are checked before each use, and may be hard to get again.
clean() {
    case ${1:-} in
    all) rm -rf build layer/dist tests/node_modules cdk/node_modules cdk/cdk.out cdk/dist ;;
    '')
        rm -rf layer/dist
        [ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name vendor -exec rm -rf {} +
        [ ! -d build/vendor ] || find build/vendor -mindepth 1 -maxdepth 1 ! -name download -exec rm -rf {} +
        ;;
    *) wrong_usage ;;
    esac
}

version() { # [--verbose]
    case ${1:-} in
    '' | --verbose) echo "$name $(cat src/VERSION)" ;;
    *) wrong_usage ;;
    esac
    [ $# -gt 0 ] || return 0
    system=$(sed -n 's/^system //p' vendor/reference)
    echo "published files are made on $system ($(sed -n 's/^release //p' vendor/reference))"
    for cpu in x86_64 arm64; do
        echo "  $cpu: $(published_by "$cpu")"
    done
    system=$(this_system)
    echo "this is ${system#* } on $native"
    for cpu in x86_64 arm64; do
        echo "  $cpu: $(vendor/vendor.sh toolchain "$cpu" 2>/dev/null || echo no compiler)"
    done
}

wrong_usage() {
    usage >&2
    exit 2
}

# The packages are what the same command needs there, which begins with nothing.
container() { # [COMMAND [ARGUMENTS]]
    [ $# -gt 0 ] || set -- build
    [ "$1" != container ] || wrong_usage
    check_command "$@"
    nothing_here=yes
    need_for_command "$@"
    exec vendor/container.sh "$here" "$packages" "$@"
}

check_command() { # COMMAND [ARGUMENTS]
    case $1 in
    build | layer | fuzz | demo | faults | endurance | local-servers | bench | clean | help | -h | --help | --version) ;;
    container) [ "${2:-}" != container ] || wrong_usage ;;
    test) parts_of "${2:-}" >/dev/null || wrong_usage ;;
    *) wrong_usage ;;
    esac
}

[ $# -gt 0 ] || set -- build
check_command "$@"
command=$1
case $arch in
x86_64 | arm64) ;;
*)
    say "ARCH is x86_64 or arm64, not $arch"
    exit 2
    ;;
esac
case $command in
container | clean | help | -h | --help | --version) ;;
*)
    unset ARCH # each make is told its own
    prepare "$@"
    ;;
esac
shift
case $command in
build) build_all ;;
test) run_tests "$@" ;;
fuzz) fuzz "$@" ;;
demo) demo "$@" ;;
layer) layer ;;
faults) faults "$@" ;;
endurance) endurance "$@" ;;
local-servers) local_servers "$@" ;;
bench) bench "$@" ;;
clean) clean "$@" ;;
container) container "$@" ;;
--version) version "$@" ;;
help | -h | --help) usage ;;
esac
