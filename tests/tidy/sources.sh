# shellcheck shell=sh
# Which files a tool looks at, for tidy.sh and fix.sh, which source it. From the repository's root.

c_sources() {
    find src tests \( -name node_modules -o -name rivals \) -prune -o -name '*.[ch]' -print | sort
}

shell_sources() {
    echo build.sh
    echo .ci/run
    echo tests/platform/examples/shell/bootstrap
    find .github vendor layer tests cdk \( -name node_modules -o -name cdk.out -o -path vendor/cache \) -prune -o -name '*.sh' -print | sort
}

eslint_() { # [OPTION...]
    tests/tidy/node_modules/.bin/eslint -c tests/tidy/eslint.config.mjs "$@" tests cdk
}

# All documents but a reference that a tool writes.
markdownlint_() { # [OPTION...]
    tests/tidy/node_modules/.bin/markdownlint-cli2 --config tests/tidy/markdownlint-cli2.jsonc "$@" \
        '**/*.md' '#**/node_modules' '#build' '#vendor/cache' '#cdk/cdk.out' '#**/API.md'
}
