#!/bin/sh
# Brings, checks, unpacks and builds what the extension links: musl, BearSSL, jsmn, trust anchors.
#
# usage: vendor/vendor.sh TARGET...      x86_64 | arm64 | asan | fuzz (glibc, sanitizers; for tests)
#        vendor/vendor.sh sources        brings and checks, and builds nothing
#        vendor/vendor.sh archives       the same without the root certificates, which are of the system's own package
#        vendor/vendor.sh missing        prints which files are to be brought yet, without bringing any
#        vendor/vendor.sh toolchain CPU  prints what compiles for it here, as in vendor/reference
#
# Sources come from Debian's packages by way of apt, or from files laid by hand into vendor/cache/ (or
# the folder that VENDOR_CACHE names); either way vendor/pins has the last word. Apt asks the system's
# own mirror for the release that vendor/reference names, whatever release the system itself is.
# What is up to date is left alone, so a second call is quick and needs no network. Below build/:
#   vendor/download, vendor/src    files as brought, and unpacked
#   TARGET/sysroot                 include/ and lib/ to build against
#   TARGET/toolchain               what it was compiled with: system, CPU; compiler, linker
#   gen/trust_anchors.c            the five root certificates as a constant table
set -eu
unset CDPATH
export LC_ALL=C
cd "$(dirname "$0")/.." # relative paths from here on, so blanks in the tree's own path do no harm

cache=${VENDOR_CACHE:-vendor/cache}
work=build/vendor
downloads=$work/download
apt=$PWD/$work/apt
apt_log=$work/apt.log
release=$(sed -n 's/^release //p' vendor/reference)
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

# The distribution's package lists of TYPE (deb, deb-src) as a private apt configuration: the system's
# own usually lack deb-src, and changing them would need root. Nothing outside build/ is touched. SUITE
# takes the place of the system's release, see apt_sources.awk.
private_apt() { # TYPE [SUITE]
    [ "${apt_has:-}" != "$*" ] || return 0
    [ -n "${apt_has:-}" ] || : >"$apt_log"
    rm -rf "$apt"
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
    main='' parts=''
    eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    for list in "$main" "${parts%/}"/*.list "${parts%/}"/*.sources; do
        [ ! -f "$list" ] ||
            awk -v type="$1" -v suite="${2:-}" -f vendor/apt_sources.awk "$list" >"$apt/parts/${list##*/}"
    done
    # A third party's repository without sources fails the update as a whole; what was got counts.
    apt_private update >>"$apt_log" 2>&1 || true
    apt_has=$*
}

# As if nothing were installed and no release preferred: neither may be among these lists, and apt would
# want what it cannot have.
apt_private() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/parts" \
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root \
        -o Dir::State::status=/dev/null -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o APT::Default-Release= "$@"
}

# The reference release comes first, then what the system itself has: a derivative's own mirror. By its
# plain name first: a later package revision still carries the same upstream file.
from_source_package() { # PACKAGE VERSION FILE
    command -v apt-get >/dev/null || return 1
    for suite in "$release" ''; do
        private_apt deb-src "$suite"
        for wanted in "$1" "$1=$2"; do
            (cd "$downloads" && apt_private source --download-only "$wanted") >>"$apt_log" 2>&1 || true
            [ ! -f "$downloads/$3" ] || return 0
        done
    done
    return 1
}

# The lists that the system has already may do, where what they lead to is what is pinned.
from_system_lists() { # PACKAGE FILE
    rm -rf "$work/deb"
    mkdir -p "$work/deb"
    (cd "$work/deb" && apt-get -q download "$1") >>"$apt_log" 2>&1 || return 1
    dpkg-deb -x "$work/deb"/*.deb "$work/deb/files"
    found=$(find "$work/deb/files" -name "$2" | head -n 1)
    [ -n "$found" ] && [ "$(sum_of "$found")" = "$want" ] && cp "$found" "$downloads/$2"
}

from_binary_package() { # PACKAGE VERSION|'' FILE
    command -v apt-get >/dev/null || return 1
    if [ -n "$2" ] && from_system_lists "$1" "$3"; then
        return 0
    fi
    for suite in "$release" ''; do
        private_apt deb "$suite"
        for wanted in "$1" ${2:+"$1=$2"}; do
            rm -rf "$apt/files" "$apt"/*.deb
            (cd "$apt" && apt_private download "$wanted") >>"$apt_log" 2>&1 || continue
            dpkg-deb -x "$apt"/*.deb "$apt/files"
            found=$(find "$apt/files" -name "$3" | head -n 1)
            [ -n "$found" ] && cp "$found" "$downloads/$3" && return 0
        done
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
        if installed "$kind" "$file" "$want"; then
            cp "/usr/include/$file" "$downloads/$file"
        else
            echo "vendor: fetching $file (package $package)"
            "from_${kind}_package" "$package" "$version" "$file" || cannot_bring
        fi
    fi
    check "$downloads/$file" "$want"
}

# True when the system has the file of a binary package already.
installed() { # KIND FILE SHA-256
    [ "$1" = binary ] && [ -f "/usr/include/$2" ] && [ "$(sum_of "/usr/include/$2")" = "$3" ]
}

cannot_bring() {
    die "cannot get these files here; put them into $cache/ and run this again.
$(missing)${apt_has:+
What apt said: $apt_log}"
}

# Each file that is neither laid into the cache, nor brought, nor on the system: name, sum, where it is from.
missing() {
    while read -r kind package version file want; do
        case $kind in
        source) from="Debian's source package $package $version" ;;
        binary) from="Debian's package $package $version, usr/include/" ;;
        anchor)
            file=$package.crt
            want="$version of its DER form"
            from="Debian's package ca-certificates, usr/share/ca-certificates/mozilla/"
            ;;
        *) continue ;;
        esac
        if [ "$kind" = anchor ]; then
            ! certificate "$package" "$version" >/dev/null || continue
        elif [ -f "$cache/$file" ] || [ -f "$downloads/$file" ] || installed "$kind" "$file" "$want"; then
            continue
        fi
        printf '  %s, SHA-256 %s\n      from %s\n' "$file" "$want" "$from"
    done <vendor/pins
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
    # shellcheck disable=SC2016 # make expands it
    printf 'TOP := ..\ninclude toolchain.mk\nshow:\n\t@echo $(%s)\n' "$1" |
        make -s -C vendor -f - show TARGET="$target"
}

# For size throughout: what is hot in memory and strings is assembly anyway. PIE objects, so that
# one libc.a and rcrt1.o make a static-pie; sections, so that the linker can drop what is unused.
build_musl() {
    sysroot=build/$target/sysroot
    obj=build/$target/obj/musl
    rm -rf "$obj" "$sysroot"
    mkdir -p "$obj" "$sysroot"
    # shellcheck disable=SC2016 # make expands it
    only='AOBJS=$(filter '$(sed -n 's/^musl //p' vendor/members | xargs printf '%%/%s.lo ')',$(LOBJS))'
    (
        cd "$obj"
        case $target in arm64) cpu=aarch64 ;; *) cpu=$target ;; esac
        ../../../vendor/src/musl/configure --target="$cpu-linux-musl" --prefix=/ --disable-shared \
            --enable-optimize=size CC="$cc" AR="${cc%gcc}ar" RANLIB="${cc%gcc}ranlib" \
            CFLAGS='-fPIE -ffunction-sections -fdata-sections'
        make -j"$jobs" "$only"
        make install-headers install-libs DESTDIR=../../sysroot INSTALL=install "$only"
    ) >"$obj.log" 2>&1 || die "building musl failed; see $obj.log"
}

build_bearssl() { # TARGET [lib|tool]
    make -s -j"$jobs" -C vendor -f libs.mk TARGET="$1" "${2:-lib}" >"$work/bearssl-$1.log" 2>&1 ||
        die "building BearSSL failed; see $work/bearssl-$1.log"
}

# The names and versions of compiler and linker: with the sources they decide every byte.
toolchain() {
    ld=$("$cc" -print-prog-name=ld)
    echo "$("$cc" --version | head -n 1), $("$ld" --version | head -n 1)"
}

# ID, VERSION_ID and CPU of this machine, as in vendor/reference.
this_system() {
    (
        ID=linux VERSION_ID=
        # shellcheck disable=SC1091 # the system's
        [ ! -r /etc/os-release ] || . /etc/os-release
        echo "$ID ${VERSION_ID:--} $(uname -m | sed 's/^aarch64$/arm64/')"
    )
}

build_target() {
    cc=$(setting CC)
    command -v "$cc" >/dev/null || die "no compiler $cc for $target"
    made_by=$(this_system && toolchain)
    step "build/$target/vendor.built" "$recipe" "$made_by" || return 0
    echo "vendor: building for $target"
    rm -rf "build/$target/obj/bearssl" "build/$target/sysroot"
    mkdir -p "build/$target/sysroot/include"
    case $target in
    asan | fuzz | host) ;;
    *) build_musl ;;
    esac
    cp "$downloads/jsmn.h" "$work"/src/bearssl/inc/*.h "build/$target/sysroot/include/"
    build_bearssl "$target"
    echo "$made_by" >"build/$target/toolchain"
    done_step
}

# --- trust anchors -----------------------------------------------------------------------------

# The file that holds the certificate: the first whose fingerprint is the pinned one. A copy laid into the
# cache has to be right, like all that is laid there.
certificate() { # NAME SHA-256 -> path
    for path in "$cache/$1.crt" "$downloads/$1.crt" "/usr/share/ca-certificates/mozilla/$1.crt" \
        "/etc/ssl/certs/$1.pem"; do
        [ -f "$path" ] || continue
        found=$(pem_of "$path" | grep -v -e '^-----' | base64 -d 2>/dev/null | sha256sum | cut -d' ' -f1)
        [ "$found" != "$2" ] || break
        [ "$path" != "$cache/$1.crt" ] || die "wrong fingerprint of certificate $path
  expected $2
  found    $found"
        path=
    done
    [ -f "$path" ] && echo "$path"
}

pem_of() {
    sed -n '/^-----BEGIN CERT/,/^-----END CERT/p' "$1"
}

# Leaves the certificates in $work/anchors.pem. A release may have dropped a root that still signs: the
# reference release's package has them all.
bring_anchors() {
    mkdir -p "$downloads"
    grep '^anchor ' vendor/pins >"$work/anchors"
    : >"$work/anchors.pem"
    while read -r _ name fingerprint _; do
        if ! path=$(certificate "$name" "$fingerprint"); then
            [ ! -f "$cache/$name.crt" ] || exit 1 # which has been said
            echo "vendor: fetching $name.crt (package ca-certificates)"
            from_binary_package ca-certificates '' "$name.crt" || cannot_bring
            path=$(certificate "$name" "$fingerprint") || cannot_bring
        fi
        pem_of "$path" >>"$work/anchors.pem"
    done <"$work/anchors"
}

build_anchors() {
    step build/gen/anchors.built "$recipe" || return 0
    mkdir -p build/gen
    bring_anchors
    build_bearssl host tool
    {
        printf '/* Generated by vendor/vendor.sh: %s. */\n#include "io/trust_anchors.h"\n' \
            "$(cut -d' ' -f2 "$work/anchors" | paste -sd, - | sed 's/,/, /g')"
        # The table is static and counted by a macro; ours is declared in the header.
        build/host/anchors -q "$work/anchors.pem" | sed \
            -e 's/^static const br_x509_trust_anchor TAs\[[0-9]*\]/const br_x509_trust_anchor trust_anchors[]/' \
            -e 's/^#define TAs_NUM *\([0-9]*\)/const size_t trust_anchors_len = \1;/'
    } >build/gen/trust_anchors.c.new
    grep -q "^const size_t trust_anchors_len = $(wc -l <"$work/anchors");" build/gen/trust_anchors.c.new ||
        die "BearSSL's tool did not make a table of all trust anchors"
    mv build/gen/trust_anchors.c.new build/gen/trust_anchors.c
    done_step
}

# --- main --------------------------------------------------------------------------------------

bring_sources() {
    bring source bearssl
    bring source musl
    bring binary libjsmn-dev
}

case ${1:-} in
'') die "usage: vendor/vendor.sh x86_64|arm64|asan|fuzz ... | sources | archives | missing | toolchain CPU" ;;
missing)
    missing
    exit
    ;;
toolchain)
    target=$2
    cc=$(setting CC)
    command -v "$cc" >/dev/null && toolchain
    exit
    ;;
sources | archives)
    bring_sources
    [ "$1" = archives ] || bring_anchors
    rm -rf "$apt"
    exit
    ;;
esac
for target; do
    case $target in x86_64 | arm64 | asan | fuzz) ;; *) die "unknown target $target" ;; esac
done

# Whatever shapes the result; a change of any of it builds all again.
recipe=$(cat vendor/pins vendor/vendor.sh vendor/libs.mk vendor/members vendor/anchors.c vendor/start.c \
    vendor/toolchain.mk)

unpack bearssl
unpack musl
bring binary libjsmn-dev
build_anchors
rm -rf "$apt" # package lists of the private configuration, tens of megabytes
for target; do
    build_target
done
