#!/bin/sh
# The one door: ./build.sh help says what is behind it.
set -eu
unset CDPATH
# Of a caller who builds other things too: would change what compilers, make and tar do.
unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES CPATH C_INCLUDE_PATH LIBRARY_PATH COMPILER_PATH GCC_EXEC_PREFIX TAR_OPTIONS
unset LD_RUN_PATH LDEMULATION GNUTARGET # the linker's
# A hook's: another repository than the one that this lies in.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_PREFIX

usage() {
    cat <<'END'
usage: ./build.sh [COMMAND]

  build                 the extension for both CPUs: build/<cpu>/kinesis-telemetry-api-extension (default)
  layer                 the Lambda layers: layer/dist/*.zip, for both CPUs and for each, and their SHA-256 sums
  image                 an image for both CPUs to copy the extension from (COPY --from), for functions that are images:
                        build/image/, as a folder and an archive in OCI's format; needs no docker
  verify [--commit COMMIT] [--in PLACE] FILE…
                        whether a zip, binary or image is what HEAD, or COMMIT, makes: builds it again, in the
                        reference system, compares every byte, and names the parts that differ. Status 0: the same,
                        1: one differs, 3: this cannot be told here. PLACE is here, container (docker or podman)
                        or chroot (mmdebstrap, as root); without it the first that serves
  packages [LANGUAGE…]  the CDK construct as packages of js, python and go, or of those named, of which java needs Maven
                        and a JDK, dotnet its SDK: build/packages/; and cdk/API.md, its reference
  test                  what to run before each commit, in two minutes: unit tests, each fuzz corpus once,
                        simulated lives, a smoke test of the binary, what the CDK app synthesizes
  test all              everything, in half an hour: besides these a short run of each fuzz target, end-to-end
                        tests, some with the arm64 binary too, all tests of cdk/, of documents and of this
                        script, `tidy`
  test unit [MODULE…]   only the unit tests, or those of the modules named
  test corpora [TARGET…]
                        only the fuzz targets, or those named, once over what they begin with
  test fuzz [TARGET…]   only the fuzz targets, or those named, for 20 seconds each
  test e2e [FILE…]      only the end-to-end tests, or those in the files named
  test arm64 [FILE…]    the same with the arm64 binary, and the unit tests with its objects; elsewhere
                        than on arm64 in an emulator
  test simulate, smoke, templates
                        only that part of `test`
  test bench            only the tests of the benchmarks' own counting
  test cdk              only the tests of cdk/, with cfn-lint and a deployment to moto, a local AWS
  test docs             only the tests of documents: commands, tables, and what is shown of the program's output
  test sam              the SAM application of cdk/ with `sam`; not part of `test`, since that takes minutes to install
  test packages         the construct in Java and Go, with what Maven and Go's proxy have; not part of `test`
  test build            only the tests of this script: what is missing is said, where sources come from
  test bare [RELEASE…]  what a new machine sees: README.md's "Try it" in a root folder that has Debian 12
                        (bookworm), then 13 (trixie), and git, and nothing else; not part of `test`, needs root
  tidy [--fix]          formatters, linters, sizes, and whether all that comments and documents name exists; with
                        --fix what can be put right without thinking is
  commands              build/compile_commands.json, for editors
  fuzz [SECONDS] [TARGET…]
                        the fuzz targets, or those named, for 60 or so many seconds each, from where
                        the last run ended; what breaks one is left in build/fuzz/findings/TARGET
  simulate [SECONDS] [SEED]
                        lives of the delivery machine on all CPUs for 60 or so many seconds, each from a new seed, or
                        from this one on, then as long of the whole program; where one breaks a law, its seed and
                        what happened
  mutants [FILE…]       breaks the code that decides about delivery in one place at a time, or that in the files named,
                        and tells what neither unit tests nor lives notice; status 1 when that is more than a tenth,
                        or something that tests/mutants/survivors.txt does not explain
  demo [BOOTSTRAP]      a function's logs on their way into a local Kinesis, counted at the far end
  faults [NAME…]        the fault matrix: what becomes of 10,000 events under each fault, or those named;
                        --list tells the names, --markdown prints the table of tests/RESULTS.md,
                        black-hole how long invocations are held while nothing is ever answered
  local-servers [NAME…] 10,000 lines by default settings to moto, kinesalite and other local servers that
                        speak Kinesis' protocol, or to those named
  endurance [CASE…]     a million events while Kinesis is down; 100,000 invocations; POSTs that break off;
                        a platform that drops what falls due during a POST; how fast it ends
  bench [CASE…]         cold start, memory, CPU, rate, bytes sent and more, against the same extension in
                        Node, Go and Rust; all, or the cases named: cold memory cpu rate wire hold
                        shutdown size growth volume selection micro. BENCH_SUBJECTS="ours go" measures these alone.
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
case ${VENDOR_CACHE:=vendor/cache} in
/* | vendor/cache) ;;
*) VENDOR_CACHE=$here/$VENDOR_CACHE ;;
esac
export VENDOR_CACHE
PATH=$top/build/node/bin:$PATH:$top/build/npm/bin # see newer_node, bring_npm

# Two calls at the same time take turns in building.
locked() {
    mkdir -p build
    flock build/.lock "$@"
}

say() {
    echo "build.sh: $*" >&2
}

. vendor/needs.sh
. tests/parts.sh

# --- commands ----------------------------------------------------------------------------------

build() {
    locked vendor/vendor.sh "$arch"
    locked make -s -j"$jobs" -C src TARGET="$arch"
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

# For editors (clangd looks into build/ by itself) and clang-tidy: how the checked build compiles, which needs no
# headers but this machine's and BearSSL's.
compile_commands() {
    locked vendor/vendor.sh asan
    tests/tidy/compile_commands.sh >build/compile_commands.json.new
    mv build/compile_commands.json.new build/compile_commands.json
}

tidy() { # [--fix]
    case ${1:-} in
    '') run_tests tidy ;;
    --fix)
        get_ready tidy
        exec tests/tidy/fix.sh
        ;;
    *) wrong_usage ;;
    esac
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

simulate() { # [SECONDS] [SEED]
    for number; do
        case $number in *[!0-9]* | '') wrong_usage ;; esac
    done
    [ $# -le 2 ] || wrong_usage
    arch=$native
    build_simulator
    "build/$native/simulate/simulate" "${1:-60}" ${2:+"$2"} || exit
    exec "build/$native/simulate/program/simulate" "${1:-60}" ${2:+"$2"}
}

# What the parser writes is built once, with all mutants in it.
mutants() { # [FILE...]
    python_modules build/mutants-python tests/mutants/requirements.txt
    locked vendor/vendor.sh asan
    locked make -s -j"$jobs" -C tests/mutants PYTHON="$top/build/mutants-python/bin/python"
    exec python3 -B tests/mutants/judge.py "$@"
}

# The network and the compilers work at the same time.
demo() {
    demo_modules &
    bringing=$!
    build
    wait "$bringing"
    hash -r # node may be another one now
    cd "$here" # so that a path given means what it says
    exec node "$top/tests/e2e/demo.mjs" "$@"
}

layer() {
    cpus="x86_64 arm64"
    build_all
    locked python3 -B layer/pack.py x86_64 arm64
}

image() {
    cpus="x86_64 arm64"
    build_all
    locked python3 -B layer/image.py x86_64 arm64
}

# The packages are for the reference system, which begins with nothing.
verify() { # [--commit COMMIT] [--in PLACE] FILE...
    [ $# -gt 0 ] || wrong_usage
    packages=
    nothing_here=yes
    need_for_command verify
    exec layer/verify.sh "$here" "$packages" "$@"
}

# The reference is of the comments in cdk/lib, and belongs to them in a commit.
packages() { # [LANGUAGE...]
    [ $# -gt 0 ] || set -- js python go
    layer
    newer_node
    package_modules
    PYTHON="$top/build/packages-python/bin/python" node cdk/packages/make.mjs build/packages api "$@"
    if ! cmp -s build/packages/API.md cdk/API.md; then
        cp build/packages/API.md cdk/API.md
        say "cdk/API.md is another one now"
    fi
    for language; do
        [ ! -d "build/packages/$language" ] || say "build/packages/$language: $(ls "build/packages/$language")"
    done
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
    locked make -s -j"$jobs" -C tests/bench TARGET="$native" "$1"
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
    all) rm -rf build layer/dist tests/node_modules tests/tidy/node_modules cdk/node_modules cdk/packages/node_modules cdk/cdk.out cdk/dist ;;
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
    case "$*" in
    'verify --in here '*) ;;                     # called by layer/verify.sh, with copies
    'verify '*) shift && verify --in container "$@" ;; # a file may lie anywhere
    esac
    nothing_here=yes
    need_for_command "$@"
    exec vendor/container.sh "$here" "$packages" "$@"
}

check_command() { # COMMAND [ARGUMENTS]
    case $1 in
    build | layer | image | verify | tidy | commands | fuzz | simulate | mutants | demo | faults | endurance | local-servers | bench | clean) ;;
    beside | help | -h | --help | --version) ;;
    container) [ "${2:-}" != container ] || wrong_usage ;;
    packages)
        shift
        for language; do
            case $language in js | python | java | dotnet | go) ;; *) wrong_usage ;; esac
        done
        ;;
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
container | beside | clean | help | -h | --help | --version) ;;
*)
    unset ARCH # each make is told its own
    [ "$command" != verify ] || export CANNOT=3 # 1 means that a file differs
    prepare "$@"
    ;;
esac
shift
case $command in
build) build_all ;;
test) run_tests "$@" ;;
beside) run_beside "$@" ;; # by run_tests
tidy) tidy "$@" ;;
commands) compile_commands ;;
fuzz) fuzz "$@" ;;
simulate) simulate "$@" ;;
mutants) mutants "$@" ;;
demo) demo "$@" ;;
layer) layer ;;
image) image ;;
verify) verify "$@" ;;
packages) packages "$@" ;;
faults) faults "$@" ;;
endurance) endurance "$@" ;;
local-servers) local_servers "$@" ;;
bench) bench "$@" ;;
clean) clean "$@" ;;
container) container "$@" ;;
--version) version "$@" ;;
help | -h | --help) usage ;;
esac
