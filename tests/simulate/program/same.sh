#!/bin/sh
# usage: same.sh CPU SEED LIVES
# The same lives by other compilers and with other optimisation, which must not show in anything that is sent or
# printed. The C library and BearSSL stay as they ship.
set -u
cpu=$1 seed=$2 count=$3
build=../../../build
shipped=$("$build/$cpu/simulate/program/simulate" --hash "$seed" "$count") || {
    echo "$shipped"
    exit 1
}
failed=0

# Warnings are those of the compiler and the flags that the code is written for.
same() { # NAME COMPILER FLAGS
    make -s TARGET="$cpu" OUT="\$(TOP)/build/same/$1" SYSROOT="\$(TOP)/build/$cpu/sysroot" CC="$2" \
        CODE_FLAGS="$3 -fPIE -fno-strict-overflow" SANITIZE=-fno-omit-frame-pointer WARNINGS= one || exit 1
    hash=$("$build/same/$1/simulate/program/simulate" --hash "$seed" "$count")
    if [ "$hash" = "$shipped" ]; then
        echo "ok: $1: $count lives, $hash"
    else
        echo "NOT ok: $1: not $shipped:"
        echo "$hash" | tail -n 3
        failed=1
    fi
}

same gcc-O0 gcc -O0
same gcc-O3 gcc -O3
same clang-O2 clang -O2
exit $failed
