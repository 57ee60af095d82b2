#!/bin/sh
# Brings, checks, unpacks and builds what the extension links: musl, BearSSL, jsmn, trust anchors.
#
# usage: vendor/vendor.sh TARGET...      x86_64 | arm64 | asan | fuzz (glibc, sanitizers; for tests)
#
# Sources come from the distribution's packages by way of apt, or from files laid by hand into
# vendor/cache/ (or the folder that VENDOR_CACHE names); either way vendor/pins has the last word.
# What is up to date is left alone, so a second call is quick and needs no network. Below build/:
#   vendor/download, vendor/src    files as brought, and unpacked
#   TARGET/sysroot                 include/ and lib/ to build against
#   gen/trust_anchors.c            the five root certificates as a constant table
set -eu
unset CDPATH
export LC_ALL=C
cd "$(dirname "$0")/.." # relative paths from here on, so blanks in the tree's own path do no harm

cache=${VENDOR_CACHE:-vendor/cache}
work=build/vendor
downloads=$work/download
jobs=$(nproc 2>/dev/null || echo 2)

die() {
    echo "vendor: $*" >&2
    exit 1
}

sum_of() {
    sha256sum <"$1" | cut -d' ' -f1
}

pin() { # KIND NAME -> the rest of its line
    sed -n "s/^$1 $2 //p" vendor/pins
}

# Step STAMP INPUTS...: true when the step must run. Its last act is `done_step`.
step() {
    stamp=$1
    shift
    key=$(printf '%s\n' "$@" | sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" != "$key" ]
}

done_step() {
    mkdir -p "${stamp%/*}"
    echo "$key" >"$stamp"
}

# --- bring -------------------------------------------------------------------------------------

# The distribution's sources as a private apt configuration with TYPES (deb, deb-src): the system's
# own lists usually lack deb-src, and changing them would need root. Nothing outside build/ is touched.
private_apt() {
    apt=$PWD/$work/apt
    rm -rf "$apt"
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
    eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    for list in "$main" "${parts%/}"/*.list "${parts%/}"/*.sources; do
        [ -f "$list" ] || continue
        case $list in
        *.sources) sed "s/^Types:.*/Types: $1/" "$list" >"$apt/parts/${list##*/}" ;;
        *)
            for type in $1; do
                sed -n "s/^[[:blank:]]*deb\([[:blank:]]\)/$type\1/p" "$list"
            done >"$apt/parts/${list##*/}"
            ;;
        esac
    done
    # A third party's repository without sources fails the update as a whole; what was got counts.
    apt_private update >"$apt/log" 2>&1 || true
}

apt_private() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/parts" \
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root "$@"
}

# By its plain name first: a later package revision still carries the same upstream file.
from_source_package() { # PACKAGE VERSION FILE
    [ -n "${apt_has_sources:-}" ] || private_apt deb-src
    apt_has_sources=1
    for wanted in "$1" "$1=$2"; do
        (cd "$downloads" && apt_private source --download-only "$wanted") >>"$apt/log" 2>&1 || true
        [ ! -f "$downloads/$3" ] || return 0
    done
    return 1
}

from_binary_package() { # PACKAGE VERSION FILE
    private_apt deb
    apt_has_sources=
    for wanted in "$1" "$1=$2"; do
        rm -f "$apt"/*.deb
        (cd "$apt" && apt_private download "$wanted") >>"$apt/log" 2>&1 || continue
        dpkg-deb -x "$apt"/*.deb "$apt/files"
        found=$(find "$apt/files" -name "$3" | head -n 1)
        [ -n "$found" ] && cp "$found" "$downloads/$3" && return 0
    done
    return 1
}

# Leaves the pinned file in $downloads, checked, or stops.
bring() { # KIND PACKAGE
    kind=$1
    package=$2
    # shellcheck disable=SC2046 # three words on purpose
    set -- $(pin "$kind" "$package")
    version=$1 file=$2 want=$3
    mkdir -p "$downloads"
    if [ -f "$cache/$file" ]; then
        check "$cache/$file" "$want"
        cmp -s "$cache/$file" "$downloads/$file" || cp "$cache/$file" "$downloads/$file"
    elif [ ! -f "$downloads/$file" ]; then
        echo "vendor: fetching $file (package $package)"
        installed=/usr/include/$file
        if [ "$kind" = binary ] && [ -f "$installed" ] && [ "$(sum_of "$installed")" = "$want" ]; then
            cp "$installed" "$downloads/$file"
        else
            command -v apt-get >/dev/null && "from_${kind}_package" "$package" "$version" "$file" || die \
                "cannot get $file from package $package $version here. Put a copy of it into $cache/" \
                "(SHA-256 $want) and run this again.${apt:+ What apt said: $work/apt/log}"
        fi
    fi
    check "$downloads/$file" "$want"
}

check() { # FILE SHA-256
    found=$(sum_of "$1")
    [ "$found" = "$2" ] || die "wrong checksum of $1
  expected $2
  found    $found
Remove the file, or see vendor/pins if the version was changed on purpose."
}

# --- unpack and build --------------------------------------------------------------------------

unpack() { # PACKAGE
    bring source "$1"
    step "$work/$1.unpacked" "$want" || return 0
    rm -rf "${work:?}/src/$1"
    mkdir -p "$work/src/$1"
    tar -xf "$downloads/$file" -C "$work/src/$1" --strip-components=1
    done_step
}

setting() { # VARIABLE as toolchain.mk decides it for $target
    printf 'TOP := ..\ninclude toolchain.mk\nshow:\n\t@echo $(%s)\n' "$1" |
        make -s -C vendor -f - show ARCH="$target"
}

# For size throughout: what is hot in memory and strings is assembly anyway. PIE objects, so that
# one libc.a and rcrt1.o make a static-pie; sections, so that the linker can drop what is unused.
build_musl() {
    sysroot=build/$target/sysroot
    obj=build/$target/obj/musl
    rm -rf "$obj" "$sysroot"
    mkdir -p "$obj" "$sysroot"
    (
        cd "$obj"
        case $target in arm64) cpu=aarch64 ;; *) cpu=$target ;; esac
        ../../../vendor/src/musl/configure --target="$cpu-linux-musl" --prefix=/ --disable-shared \
            --enable-optimize=size CC="$cc" AR="${cc%gcc}ar" RANLIB="${cc%gcc}ranlib" \
            CFLAGS='-fPIE -ffunction-sections -fdata-sections'
        make -j"$jobs"
        make install-headers install-libs DESTDIR=../../sysroot
    ) >"$obj.log" 2>&1 || die "building musl failed; see $obj.log"
}

build_bearssl() { # TARGET [lib|tool]
    make -s -j"$jobs" -C vendor -f libs.mk ARCH="$1" "${2:-lib}" >"$work/bearssl-$1.log" 2>&1 ||
        die "building BearSSL failed; see $work/bearssl-$1.log"
}

build_target() {
    cc=$(setting CC)
    command -v "$cc" >/dev/null || die "no compiler $cc for $target"
    step "build/$target/vendor.built" "$recipe" "$("$cc" --version)" || return 0
    echo "vendor: building for $target"
    rm -rf "build/$target/obj/bearssl" "build/$target/sysroot"
    mkdir -p "build/$target/sysroot/include"
    case $target in
    asan | fuzz | host) ;;
    *) build_musl ;;
    esac
    cp "$downloads/jsmn.h" "$work"/src/bearssl/inc/*.h "build/$target/sysroot/include/"
    build_bearssl "$target"
    done_step
}

# --- trust anchors -----------------------------------------------------------------------------

certificate() { # NAME -> path
    for path in "$cache/$1.crt" "/usr/share/ca-certificates/mozilla/$1.crt" "/etc/ssl/certs/$1.pem"; do
        [ ! -f "$path" ] || break
    done
    [ -f "$path" ] || die "no certificate $1 (package ca-certificates); put it as $cache/$1.crt"
    echo "$path"
}

# Prints the PEM of NAME when its DER has the pinned fingerprint.
checked_certificate() { # NAME SHA-256
    path=$(certificate "$1") || exit 1
    sed -n '/^-----BEGIN CERT/,/^-----END CERT/p' "$path" >"$work/anchor.pem"
    grep -v -e '^-----' "$work/anchor.pem" | base64 -d >"$work/anchor.der" || die "$path is no PEM file"
    found=$(sum_of "$work/anchor.der")
    [ "$found" = "$2" ] || die "wrong fingerprint of certificate $path
  expected $2
  found    $found"
    cat "$work/anchor.pem"
}

build_anchors() {
    step build/gen/anchors.built "$recipe" || return 0
    mkdir -p build/gen
    build_bearssl host tool
    grep '^anchor ' vendor/pins >"$work/anchors"
    : >"$work/anchors.pem"
    while read -r _ name fingerprint _; do
        checked_certificate "$name" "$fingerprint" >>"$work/anchors.pem"
    done <"$work/anchors"
    {
        printf '/* Generated by vendor/vendor.sh: %s. */\n#include "io/trust_anchors.h"\n' \
            "$(cut -d' ' -f2 "$work/anchors" | paste -sd, - | sed 's/,/, /g')"
        # brssl's table is static and counted by a macro; ours is declared in the header.
        build/host/brssl ta -q "$work/anchors.pem" | sed \
            -e 's/^static const br_x509_trust_anchor TAs\[[0-9]*\]/const br_x509_trust_anchor trust_anchors[]/' \
            -e 's/^#define TAs_NUM *\([0-9]*\)/const size_t trust_anchors_len = \1;/'
    } >build/gen/trust_anchors.c.new
    grep -q "^const size_t trust_anchors_len = $(wc -l <"$work/anchors");" build/gen/trust_anchors.c.new ||
        die "brssl did not make a table of all trust anchors"
    mv build/gen/trust_anchors.c.new build/gen/trust_anchors.c
    done_step
}

# --- main --------------------------------------------------------------------------------------

[ $# -gt 0 ] || die "usage: vendor/vendor.sh x86_64|arm64|asan|fuzz ..."
for target; do
    case $target in x86_64 | arm64 | asan | fuzz) ;; *) die "unknown target $target" ;; esac
done

# Whatever shapes the result; a change of any of it builds all again.
recipe=$(cat vendor/pins vendor/vendor.sh vendor/libs.mk vendor/relro.c vendor/toolchain.mk)

unpack bearssl
unpack musl
bring binary libjsmn-dev
rm -rf "$work/apt" # package lists of the private configuration, tens of megabytes
build_anchors
for target; do
    build_target
done
