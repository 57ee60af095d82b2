#!/bin/sh
# Puts right what can be put right without thinking: the layout of C, what eslint can, and what
# markdownlint can.
set -eu
cd "$(dirname "$0")/../.."
. tests/tidy/sources.sh
c_sources | xargs clang-format -i
eslint_ --fix
markdownlint_ --fix
