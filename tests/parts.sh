# shellcheck shell=sh disable=SC2034,SC2154 # variables of build.sh
# The parts of `./build.sh test`: what each needs, how it runs, how the sums come about. Sourced by build.sh,
# whose variables and functions it uses.

fuzz_seconds=20 # for each target, as one part of the tests

parts_of() { # [PART]
    case ${1:-quick} in
    quick) echo unit corpora simulate smoke templates ;;
    all) echo unit simulate e2e arm64 bench cdk docs build tidy fuzz ;;
    unit | corpora | fuzz | simulate | smoke | e2e | arm64 | bench | templates | cdk | sam | packages | docs | build | tidy | bare)
        echo "$1"
        ;;
    *) return 1 ;;
    esac
}

# What waits for nobody runs beside the other parts, with the time of the CPUs that they leave.
runs_beside() { # PART
    case $1 in
    templates | cdk | docs | build | tidy | fuzz) ;;
    *) return 1 ;;
    esac
}

# --- what the parts need -----------------------------------------------------------------------

# By npm, PyPI and Go.
bring_for() { # PART
    case $1 in unit | corpora | fuzz | simulate | bare) return 0 ;; esac
    newer_node
    case $1 in
    smoke | arm64) install_modules tests ;;
    e2e)
        local_server_modules
        build_go_tool tests/e2e/rie "AWS's emulator"
        build_go_tool tests/e2e/registry "a container registry"
        build_readers
        ;;
    templates) install_modules cdk ;;
    cdk)
        package_modules
        python_modules build/python cdk/test/deploy/requirements.txt
        python_modules build/construct-python cdk/test/packages/requirements.txt
        ;;
    sam)
        install_modules cdk
        python_modules build/python cdk/test/deploy/requirements.txt
        python_modules build/sam-python cdk/test/sam/requirements.txt
        ;;
    docs)
        install_modules tests
        install_modules cdk # whose commands tell their options
        python_modules build/python cdk/test/deploy/requirements.txt
        ;;
    packages) package_modules ;;
    tidy)
        install_modules tests/tidy
        build_go_tool tests/tidy/actionlint "a linter of workflows"
        install_modules cdk # whose types eslint asks for
        ;;
    esac
}

build_for() { # PART
    arch=$native
    case $1 in
    unit) locked vendor/vendor.sh asan ;;
    simulate) build_simulator ;;
    corpora | fuzz) locked vendor/vendor.sh asan fuzz ;;
    smoke) build ;;
    e2e)
        layer
        image
        locked vendor/vendor.sh asan
        locked make -s -j"$jobs" -C src TARGET=asan
        ;;
    arm64)
        arch=arm64
        build
        ;;
    bench) build_bench host ;;
    cdk | sam | docs | packages) layer ;;
    build)
        layer
        image
        locked vendor/vendor.sh sources
        ;;
    tidy) compile_commands ;;
    esac
}

# The network and the compilers work at the same time.
get_ready() { # PART...
    (for one; do bring_for "$one"; done) &
    bringing=$!
    for one; do
        build_for "$one"
    done
    arch=$native
    wait "$bringing"
    hash -r # node may be another one now
}

# --- running them ------------------------------------------------------------------------------

# A part leaves "passed failed skipped" in a file; one that ends without (it did not compile, say) counts as
# one failure.
run_part() { # PART [ARGUMENTS]
    one=$1
    counts=$top/build/test/$one
    began=$(date +%s)
    test=test_$one
    shift
    "$test" "$@" || true
    [ -s "$counts" ] || echo "0 1 0" >"$counts"
    say "test $one: $(sums <"$counts") in $(($(date +%s) - began)) s"
}

sums() {
    awk '{ p += $1; f += $2; s += $3 }
        END { printf "%d passed, %d failed%s\n", p, f, s ? ", " s " skipped" : ""; exit f > 0 }'
}

run_tests() { # [PART [ARGUMENTS]]
    part=${1:-quick}
    [ $# -eq 0 ] || shift
    parts=$(parts_of "$part")
    rm -rf build/test
    mkdir -p build/test
    # shellcheck disable=SC2086 # a list of words
    get_ready $parts
    case $part in
    quick | all)
        # shellcheck disable=SC2086
        run_side_by_side $parts
        ;;
    *) run_part "$part" "$@" ;;
    esac
    # shellcheck disable=SC2086
    (cd build/test && cat $parts) | sums
}

# What runs beside is a session of its own, so that all of it can be ended.
run_side_by_side() { # PART...
    beside=''
    for one; do
        shift
        if runs_beside "$one"; then beside="$beside $one"; else set -- "$@" "$one"; fi
    done
    say "in the meantime:$beside (build/test/beside.log)"
    # shellcheck disable=SC2086 # a list of words
    setsid "$top/build.sh" beside "$part" $beside >build/test/beside.log 2>&1 &
    lane=$!
    trap 'kill -- "-$lane" 2>/dev/null || true' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    for one; do
        run_part "$one"
    done
    wait "$lane" || true
    trap - EXIT INT TERM HUP
    cat build/test/beside.log
    for one in $beside; do
        [ -s "build/test/$one" ] || echo "0 1 0" >"build/test/$one" # it was ended from outside
    done
}

# The other side of it. Nothing of the quick parts minds to wait a moment; end-to-end tests may.
run_beside() { # quick | all, PART...
    part=$1
    shift
    jobs=1
    [ "$part" = quick ] || chrt --idle --pid 0 $$ 2>/dev/null || renice -n 19 -p $$ >/dev/null 2>&1 || true
    for one; do
        run_part "$one"
    done
}

# --- the parts ---------------------------------------------------------------------------------

test_unit() { # [MODULE...]
    rm -f build/asan/unit/counts
    locked make -s -k -j"$jobs" -C tests/unit ${1:+TESTS="$*"} || return 1
    make -s -C tests/unit ${1:+TESTS="$*"} check || true
    cp build/asan/unit/counts "$counts"
}

# The rows of the unit tests are what fuzzing begins with.
test_fuzz() { # [TARGET...]
    locked make -s -k -j"$jobs" -C tests/fuzz ${1:+TARGETS="$*"} || return 1
    # shellcheck disable=SC2046 # a list of words
    [ $# -gt 0 ] || set -- $(make -s -C tests/fuzz names)
    rm -rf build/fuzz/counts
    printf '%s\n' "$@" | xargs -n 1 -P "$jobs" tests/fuzz/run.sh "$fuzz_seconds" || true
    (cd build/fuzz/counts && cat "$@") | awk -v targets=$# '{ p += $1 } END { print p + 0, targets - p, 0 }' >"$counts"
}

# What is kept and the rows of the unit tests, once.
test_corpora() { # [TARGET...]
    fuzz_seconds=0
    test_fuzz "$@"
}

# As the code ships, and with checks and sanitizers.
build_simulator() {
    locked vendor/vendor.sh asan
    build
    locked make -s -j"$jobs" -C tests/simulate
}

test_simulate() {
    make -s -C tests/simulate check || true
    cp build/simulate/counts "$counts"
}

test_smoke() {
    node_tests tests/e2e/smoke.test.mjs
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
    node --test --test-concurrency="${concurrency:-1}" \
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
#!/bin/sh
exec '$(command -v qemu-aarch64-static)' -0 "\$0" '$top/build/arm64/$name' "\$@"
END
    chmod +x "$launcher"
    echo "$launcher"
}

# The unit tests with the very objects that ship for this CPU.
test_arm64_unit() {
    emulator=
    [ "$native" = arm64 ] || emulator=$(command -v qemu-aarch64-static)
    set -- -C tests/unit TARGET=arm64 RUN="$emulator"
    rm -f build/arm64/unit/counts
    if locked make -s -k -j"$jobs" "$@"; then
        make -s "$@" check || true
    fi
}

# The unit tests above, and the end-to-end tests named. Without names: each that starts the binary it is given, or, as
# one part of all, those that show that its pieces are put together: what a module does on this CPU the unit tests tell.
test_arm64() { # [FILE...]
    if [ $# -gt 0 ]; then
        :
    elif [ "$part" = all ]; then
        set -- smoke tls delivery
    else
        for file in tests/e2e/*.test.mjs; do
            case ${file##*/} in
            binary.* | front.* | image.* | launcher.* | layer.* | local_servers.* | operating.* | rie.* | runtimes.*) ;;
            *) set -- "$@" "$file" ;;
            esac
        done
    fi
    EXTENSION_BINARY=$(arm64_binary)
    export EXTENSION_BINARY
    test_arm64_unit
    test_e2e "$@"
    unset EXTENSION_BINARY
    { cat build/arm64/unit/counts || echo "0 1 0"; } >>"$counts"
}

test_bench() {
    node_tests tests/bench/*.test.mjs
}

# What is synthesized with the newest aws-cdk-lib; not what starts npm, the compiler or the CDK's command.
test_templates() (
    cd cdk || return 1
    for file in test/*.test.ts; do
        case ${file##*/} in app.* | readme.*) ;; *) set -- "$@" "$file" ;; esac
    done
    node_tests --import tsx "$@"
)

# The real layers are deployed. All but that runs with the oldest aws-cdk-lib too.
test_cdk() (
    cd cdk || return 1
    npm run --silent typecheck || return 1
    node_tests --import tsx test/*.test.ts test/newest/*.test.ts test/deploy/*.test.ts test/packages/*.test.ts
    newest=$(cat "$counts")
    export NODE_OPTIONS="--require \"$PWD/test/support/oldest.cjs\""
    node_tests --import tsx test/*.test.ts
    echo "$newest" >>"$counts"
)

# What is beside the CDK's app, with AWS's command line for SAM.
test_sam() (
    cd cdk || return 1
    node_tests --import tsx test/sam/*.test.ts
)

test_packages() (
    cd cdk || return 1
    node_tests --import tsx test/packages/more/*.test.ts
)

# What documents show and promise.
test_docs() {
    node_tests tests/docs/*.test.mjs
}

# No binary is started; what is compiled is compiled once more, elsewhere.
test_build() {
    node_tests tests/build/*.test.mjs
}

test_tidy() {
    tests/tidy/tidy.sh "$jobs" "$counts"
}

test_bare() { # [RELEASE...]
    tests/build/bare.sh "$@"
}
