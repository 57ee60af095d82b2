# shellcheck shell=sh disable=SC2154 # work: the caller's
# What the apt of a new root folder needs to find packages as this machine's does. Sourced by scripts that make one.

# The system's sources, for RELEASE, in $work/apt; its settings about mirrors and proxies in $work/apt.conf.
apt_settings() { # RELEASE CERTIFICATES
    rm -rf "$work/apt"
    mkdir "$work/apt"
    main='' parts=''
    eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    for list in "$main" "${parts%/}"/*.list "${parts%/}"/*.sources; do
        if [ -f "$list" ]; then
            awk -v type=deb -v suite="$1" -f vendor/apt_sources.awk "$list" >"$work/apt/${list##*/}"
        fi
    done
    find "$work/apt" -size 0 -delete
    apt-config dump | grep -E '^Acquire::(https?|ftp|Check-|Retries|ForceIPv)[^ ]* ".+";$' >"$work/apt.conf" || true
    grep -q '^Acquire::https::CAInfo ' "$work/apt.conf" || echo "Acquire::https::CAInfo \"$2\";" >>"$work/apt.conf"
}
