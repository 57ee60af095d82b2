#!/bin/sh
# usage: check_version.sh [TAG]
# src/VERSION says the version. Prints each place that says another one: packages, the changelog's topmost version, names
# of images in documents, and the TAG that is being released, vVERSION. Status 1 if there is any.
set -eu
cd "$(dirname "$0")/../.."
name=kinesis-telemetry-api-extension
version=$(cat src/VERSION)
faults=0

same() { # WHERE VERSION
    if [ "$2" != "$version" ]; then
        echo "$1 says ${2:-nothing}, src/VERSION $version"
        faults=$((faults + 1))
    fi
}

if ! echo "$version" | grep -qxE '(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}'; then
    echo "src/VERSION says $version, which is not X.Y.Z"
    faults=1
fi
# A package's own version is the first that its file has, and in a lock file the second as well.
same cdk/package.json "$(awk -F '"' '$2 == "version" { print $4; exit }' cdk/package.json)"
same cdk/package-lock.json "$(awk -F '"' '$2 == "version" { print $4; exit }' cdk/package-lock.json)"
same 'cdk/package-lock.json, packages' "$(awk -F '"' '$2 == "version" && ++n == 2 { print $4; exit }' cdk/package-lock.json)"
same .github/CHANGELOG.md "$(awk '/^## [0-9]/ { print $2; exit }' .github/CHANGELOG.md)"
[ $# -eq 0 ] || same "the tag $1" "${1#v}"
[ $# -eq 0 ] || [ "${1#v}" != "$1" ] || same "the tag $1, which begins without v," ''

# IMAGE:X.Y.Z in what readers are told to type.
images() {
    grep -HoE "(NAME|…|$name):[0-9]+\.[0-9]+\.[0-9]+" README.md ./*/*.md .github/*.md | sort -u
}
while IFS=: read -r document image said; do
    [ -z "$image" ] || same "$document, in the name of the image $image," "$said"
done <<END
$(images)
END
[ "$faults" -eq 0 ]
