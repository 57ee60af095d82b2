#!/bin/sh
# Builds the rivals: extensions that do what ours does, with the AWS SDKs of Node.js, Go and Rust.
# stdout: NAME<TAB>PATH of each, PATH being what is started as the extension. stderr: what was skipped, and why.
#
# Once a rival has been built, a call costs what its tools need to see that nothing changed.
# RIVALS="node go" builds these alone.
set -eu
unset CDPATH

cd "$(dirname "$0")"
out=$(cd ../../.. && pwd)/build/bench/rivals
work=$out/work # sources' copies, packages, object files

node_rival() {
    mkdir -p "$work/node"
    rm -f "$work"/node/*.js
    cp node/package.json node/package-lock.json node/.npmrc node/*.js "$work/node/"
    cd "$work/node"
    if ! cmp -s package-lock.json node_modules/.installed-lock; then
        npm ci --no-audit --no-fund
        cp package-lock.json node_modules/.installed-lock
    fi
    # The ES modules of the SDK, so that what is not used is left out; the real node, since one that picks a
    # version first would be measured along.
    node_modules/.bin/esbuild extension.js --bundle --minify --platform=node --target=node20 --format=cjs \
        --main-fields=module,main --banner:js="#!$(node -p process.execPath)" --outfile="$1"
}

go_rival() {
    cd go
    CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$1" .
}

rust_rival() {
    cd rust
    CARGO_TARGET_DIR=$work/rust cargo build --release
    cp "$work/rust/release/kinesis-telemetry-rival-rust" "$1"
}

# A rival that cannot be had is no failure: what can be had is measured.
rival() { # NAME TOOL...
    name=$1
    shift
    for tool; do
        if ! command -v "$tool" >/dev/null; then
            echo "rivals: $name skipped: no $tool" >&2
            return
        fi
    done
    mkdir -p "$out"
    program=$out/kinesis-telemetry-$name
    log=$out/$name.log
    # Not as the condition of the if: there the shell would ignore -e. The new one takes the old one's place
    # only when it is whole.
    set +e
    (set -e && "${name}_rival" "$program.new") >"$log" 2>&1
    status=$?
    set -e
    if [ $status -eq 0 ]; then
        chmod +x "$program.new"
        mv "$program.new" "$program"
        printf '%s\t%s\n' "$name" "$program"
    else
        echo "rivals: $name skipped: the build failed, see $log" >&2
    fi
}

for one in ${RIVALS:-node go rust}; do
    case $one in
    node) rival node node npm ;;
    go) rival go go ;;
    rust) rival rust cargo ;;
    *) echo "rivals: $one is none" >&2 && exit 2 ;;
    esac
done
