# Rewrites one file of apt's sources, one-line (*.list) or deb822 (*.sources), for a private apt:
#
#   awk -v type=deb-src -v suite=bookworm -f vendor/apt_sources.awk FILE
#
# Addresses and options (Signed-By and the like) stay. TYPE takes the place of the types. With a SUITE it
# takes the place of the release that an entry is about, with the component main; what is no release
# (bookworm-security, trixie-updates, a third party's flat folder) is left out. Without, suites stay.

function release(name) {
    return name !~ /[-\/]/
}

# True when one of the words is `wanted`; "release": the name of one.
function has(words, wanted,    word, n, i) {
    n = split(words, word)
    for (i = 1; i <= n; i++)
        if (word[i] == wanted || (wanted == "release" && release(word[i])))
            return 1
    return 0
}

function one_line(    head, rest, word) {
    if (!match($0, /^[ \t]*deb[ \t]+([[][^]]*[]][ \t]+)?/))
        return
    head = substr($0, 1, RLENGTH)
    rest = substr($0, RLENGTH + 1)
    sub(/^[ \t]*deb/, type, head)
    sub(/#.*/, "", rest)
    split(rest, word)
    if (suite == "")
        print head rest
    else if (release(word[2]) && has(rest, "main"))
        print head word[1], suite, "main"
}

function end_of_stanza() {
    if (has(value["types"], "deb") && tolower(value["enabled"]) !~ /no|false|off|0/) {
        if (suite == "")
            print "Types: " type "\nSuites:" value["suites"] \
                (value["components"] ~ /[^ ]/ ? "\nComponents:" value["components"] : "") others "\n"
        else if (has(value["suites"], "release") && has(value["components"], "main"))
            print "Types: " type "\nSuites: " suite "\nComponents: main" others "\n"
    }
    split("", value)
    others = ""
}

BEGIN { deb822 = ARGV[1] ~ /\.sources$/ }
/^#/ { next }
!deb822 { one_line(); next }
/^[ \t]*$/ { end_of_stanza(); next }
/^[^ \t]/ { field = tolower(substr($0, 1, index($0, ":") - 1)) }
field !~ /^(types|suites|components|enabled)$/ { others = others "\n" $0; next }
{
    sub(/^[^ \t][^:]*:/, "")
    sub(/^[ \t]+/, "")
    value[field] = value[field] " " $0
}
END { if (deb822) end_of_stanza() }
