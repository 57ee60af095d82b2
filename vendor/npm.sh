#!/bin/sh
# Debian's npm in build/npm, not installed. Called by build.sh where there is none.
#
# npm's package, and those of JavaScript that it and they depend on, are brought by apt (from the lists that the system
# has, checked as ever) and unpacked side by side; build/npm/bin/npm starts it with node's search path set to these.
# Installing them would take a user who may, python3 and compilers' headers for what nothing here needs, and half a
# minute to several, since dpkg waits for the disk after each.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
folder=$PWD/build/npm
log=$PWD/build/npm.log

[ ! -x "$folder/bin/npm" ] || exit 0

# What npm depends on names some packages that only exist by what provides them; apt lists these as well.
names() {
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances npm | grep -xE 'npm|node-[a-z0-9.+-]+'
}

mkdir -p build
exec 3>&2 >"$log" 2>&1
why() {
    status=$?
    [ "$status" -eq 0 ] || tail -n 3 "$log" >&3
}
trap why EXIT

rm -rf "$folder" "$folder.new"
mkdir -p "$folder.new/packages" "$folder.new/bin"
wanted=$(names)
# shellcheck disable=SC2086 # a list of words
(cd "$folder.new/packages" && apt-get -q download $wanted)

# What others build with has the most files by far, and npm none of it.
cd "$folder.new"
for package in packages/*.deb; do
    case ${package##*/node-} in
    babel* | core-js* | lodash* | types-* | webassemblyjs*) continue ;;
    esac
    dpkg-deb --fsys-tarfile "$package" | tar -x --no-same-owner --wildcards './usr/share/nodejs/*'
done
rm -r packages

for program in npm npx; do
    cat >"bin/$program" <<'END'
#!/bin/sh
here=$(cd "$(dirname "$0")/.." && pwd)
NODE_PATH=$here/usr/share/nodejs exec node "$here/usr/share/nodejs/npm/bin/${0##*/}-cli.js" "$@"
END
    chmod +x "bin/$program"
done
mv "$folder.new" "$folder"
