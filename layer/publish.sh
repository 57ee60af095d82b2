#!/bin/sh
# The layer's zips as layer versions in regions of an account: README.md beside this, "Publishing", has examples.
set -eu
unset CDPATH

usage() {
    cat <<'END'
usage: layer/publish.sh [OPTION...] REGION...

Publishes the zips of layer/dist/ as layer versions, in each region the same, sets the SSM parameters by which
functions find them, and prints a table of the ARNs in Markdown; what it does is on standard error. A zip whose bytes
the newest version there has already is not published again. Nothing is ever deleted.

  --zip NAME           universal, x86_64 or arm64; several by several options (default: all three)
  --account ID         this account, too, may use the layers; several by several options
  --organization ID    so may all accounts of this organisation (o-…); several by several options
  --public             so may everybody
  --runtimes LIST      what the layers are listed under, as "python3.13 nodejs24.x" (default: nothing, which means all)
  --description TEXT   (default: version, CPUs, and the commit if this clone is unchanged)
  --layer-name NAME    of the universal layer; the others have -CPU behind it (default: kinesis-telemetry-api-extension)
  --prefix PREFIX      how the names of the parameters begin (default: /telemetry/kinesis)
  --no-parameters      sets none
  --overwrite          sets also those that a CloudFormation stack has made
  --dist FOLDER        where the zips and their SHA256SUMS are (default: layer/dist)
  --dry-run            says what would be done, and changes nothing
  --help               this text

Credentials are found as the AWS CLI finds them: AWS_PROFILE=… layer/publish.sh eu-central-1 us-east-1

Exit status: 0 when all is done; 1 when a region refused something, after the others were served; 2 when nothing was
begun, since an option is wrong.
END
}

say() {
    echo "publish.sh: $*" >&2
}

wrong() {
    say "$*; --help tells what there is"
    exit 2
}

tab=$(printf '\t') # between what the AWS CLI tells as text
top=$(cd "$(dirname "$0")/.." && pwd)
name=kinesis-telemetry-api-extension
layer_name=$name
prefix=/telemetry/kinesis
dist=$top/layer/dist
description=
runtimes=
zips=
permissions= # by the ids that their statements get
parameters=yes
overwrite=
dry=

# --- what was asked for ------------------------------------------------------------------------

matches() { # TEXT EXTENDED-EXPRESSION
    printf '%s\n' "$1" | grep -qxE -e "$2"
}

check() { # OPTION TEXT EXTENDED-EXPRESSION WHAT
    matches "$2" "$3" || wrong "$1: $4, not '$2'"
}

permission() { # ID OF THE STATEMENT
    permissions="$permissions $1"
}

option() { # NAME VALUE
    case $1 in
    --zip)
        check "$1" "$2" 'universal|x86_64|arm64' 'universal, x86_64 or arm64'
        zips="$zips $2"
        ;;
    --account)
        check "$1" "$2" '[0-9]{12}' 'the 12 digits of an account'
        permission "account-$2"
        ;;
    --organization)
        check "$1" "$2" 'o-[a-z0-9]{10,32}' 'as o-a1b2c3d4e5'
        permission "organization-$2"
        ;;
    --layer-name)
        check "$1" "$2" '[A-Za-z0-9_-]{1,120}' "1 to 120 letters, digits, '_' or '-'"
        layer_name=$2
        ;;
    --prefix)
        check "$1" "$2" '(/[A-Za-z0-9_.-]+)+' 'as /telemetry/kinesis'
        prefix=$2
        ;;
    --runtimes)
        check "$1" "$2" '[a-z0-9. ]+' 'names of runtimes with spaces between'
        runtimes=$2
        ;;
    --description)
        check "$1" "$2" '.{1,256}' '1 to 256 characters'
        description=$2
        ;;
    --dist) dist=$2 ;;
    *) wrong "no such option: $1" ;;
    esac
}

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        usage
        exit
        ;;
    --public) permission public ;;
    --no-parameters) parameters= ;;
    --overwrite) overwrite=yes ;;
    --dry-run) dry=yes ;;
    --*=*) option "${1%%=*}" "${1#*=}" ;;
    -*)
        [ $# -ge 2 ] || wrong "$1: what?"
        option "$1" "$2"
        shift
        ;;
    *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || wrong 'no region'
for region; do
    check 'a region' "$region" '[a-z]+(-[a-z]+)+-[0-9]+' 'as eu-central-1'
done
: "${zips:=universal x86_64 arm64}"

# --- the zips ----------------------------------------------------------------------------------

suffix() { # ZIP
    [ "$1" = universal ] || printf %s "-$1"
}

cpus() { # ZIP
    [ "$1" = universal ] && echo x86_64 arm64 || echo "$1"
}

parameter_of() { # ZIP
    [ "$1" = universal ] && echo "$prefix/extension/arn" || echo "$prefix/extension/$1/arn"
}

sum() { # FILE
    if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -c 1-64
}

# As Lambda tells it.
base64_sum() { # FILE
    sum "$1" | awk '{
        for (i = 1; i < 64; i += 2)
            printf "\\%03o", 16 * (index(d, substr($0, i, 1)) - 1) + index(d, substr($0, i + 1, 1)) - 1
        print ""
    }' d=0123456789abcdef - | {
        read -r octal
        # shellcheck disable=SC2059 # it is made of escapes
        printf "$octal"
    } | base64
}

check_sums() {
    for zip in $zips; do
        file=$name$(suffix "$zip").zip
        [ -f "$dist/$file" ] || {
            say "$dist/$file is missing: ./build.sh layer makes it"
            exit 2
        }
        grep -qsx "$(sum "$dist/$file")  $file" "$dist/SHA256SUMS" || {
            say "$dist/$file is not what $dist/SHA256SUMS says: nothing was published"
            exit 2
        }
    done
}

# The bill of materials beside the zips knows it.
version_of_zips() {
    found=$(sed -n "s|.*\"pkg:generic/$name@\([^\"]*\)\".*|\1|p" "$dist/$name.cdx.json" 2>/dev/null | head -n 1)
    echo "${found:-$(cat "$top/src/VERSION")}"
}

git_says() { # WORDS
    git --no-optional-locks -C "$top" "$@" 2>/dev/null
}

# Of this clone, if the zips are its own, and it has no changes.
commit() {
    [ "$dist" = "$top/layer/dist" ] && [ -z "$(git_says rev-parse --show-prefix || echo none)" ] &&
        [ -z "$(git_says status --porcelain -unormal -- build.sh layer src vendor)" ] &&
        echo ", commit $(git_says rev-parse --short=12 HEAD)"
}

describe() { # ZIP
    echo "${description:-Kinesis telemetry extension $version_here for $(cpus "$1" | sed 's/ / and /')$commit_here}"
}

# --- one region --------------------------------------------------------------------------------

# A call to AWS, whose answer is in $reply, or what was wrong in $error.
ask() { # SERVICE OPERATION [OPTION...]
    if reply=$(aws --region "$region" --output text "$@" 2>"$work/error"); then
        return 0
    fi
    error=$(tr '\n' ' ' <"$work/error")
    return 1
}

refused() {
    say "$region: $error"
    return 1
}

# Sets $newest, 0 where there is none, and $arn, if it has these bytes.
find_newest() { # ZIP
    arn=
    ask lambda list-layer-versions --layer-name "$layer" --query 'LayerVersions[].Version' || refused || return
    newest=$(echo "$reply" | tr '\t' '\n' | grep -x '[0-9]*' | sort -n | tail -n 1)
    [ -n "$newest" ] || {
        newest=0
        return 0
    }
    read_version "$newest" || return
    [ "$reply" != "$digest" ] || arn=$found
}

# Sets $found, its ARN, and $reply, the digest of its bytes.
read_version() { # NUMBER
    ask lambda get-layer-version --layer-name "$layer" --version-number "$1" \
        --query '[LayerVersionArn, Content.CodeSha256]' || refused || return
    found=${reply%%"$tab"*}
    reply=${reply##*"$tab"}
}

# Sets $arn.
publish() { # ZIP
    # shellcheck disable=SC2046,SC2086 # lists of words
    set -- --layer-name "$layer" --zip-file "fileb://$dist/$name$(suffix "$1").zip" --description "$(describe "$1")" \
        --license-info MIT --compatible-architectures $(cpus "$1") ${runtimes:+--compatible-runtimes $runtimes}
    ask lambda publish-layer-version "$@" --query Version || refused || return
    newest=$reply
    policy=
    read_version "$newest" || return
    [ "$reply" = "$digest" ] || {
        error="$found has other bytes than the file: $reply, not $digest"
        refused
        return
    }
    arn=$found
    say "$region: published $arn"
}

# What may use the version already.
read_policy() {
    ask lambda get-layer-version-policy --layer-name "$layer" --version-number "$newest" --query Policy || {
        reply=
        case $error in *'(ResourceNotFoundException)'*) ;; *) refused || return ;; esac
    }
    policy=$reply
}

permit() {
    for one in $permissions; do
        case $policy in *"\"$one\""*) continue ;; esac
        case $one in
        account-*) set -- "${one#account-}" ;;
        organization-*) set -- '*' --organization-id "${one#organization-}" ;;
        public) set -- '*' ;;
        esac
        if [ -n "$dry" ]; then
            say "$region: would allow its use to $one"
            continue
        fi
        ask lambda add-layer-version-permission --layer-name "$layer" --version-number "$newest" --statement-id "$one" \
            --action lambda:GetLayerVersion --principal "$@" || refused || return
        say "$region: $arn: its use is allowed to $one"
    done
}

# Sets $told, the parameter's value, nothing if there is no such parameter. One of a CloudFormation stack is refused
# unless it is right as it is: the stack would not know, and set it back some day.
read_parameter() { # PARAMETER
    told=
    ask ssm get-parameter --name "$1" --query Parameter.Value || {
        case $error in *'(ParameterNotFound)'*) return 0 ;; *) refused || return ;; esac
    }
    told=$reply
    [ -z "$overwrite" ] && { [ -z "$arn" ] || [ "$told" != "$arn" ]; } || return 0
    find_owner "$1" || return
    [ -z "$owner" ] || {
        error="parameter $1 is of the CloudFormation stack $owner: --prefix, --no-parameters or --overwrite is needed"
        refused
    }
}

# By the tag that CloudFormation gives, or, since not all resources get it, by asking.
find_owner() { # PARAMETER
    ask ssm list-tags-for-resource --resource-type Parameter --resource-id "$1" \
        --query "TagList[?Key=='aws:cloudformation:stack-name'].Value" || refused || return
    owner=$reply
    [ -z "$owner" ] || return 0
    # An error where no stack has it, or who asks may not know.
    ask cloudformation describe-stack-resources --physical-resource-id "$1" \
        --query 'StackResources[].StackName' || reply=
    owner=$(echo "$reply" | tr '\t' '\n' | head -n 1)
}

tell() { # PARAMETER
    [ "$told" != "$arn" ] || return 0
    ask ssm put-parameter --name "$1" --value "$arn" --type String --overwrite \
        --description 'Kinesis telemetry extension: ARN of the layer version' || refused || return
    say "$region: $1 is $arn"
}

serve() { # ZIP
    layer=$layer_name$(suffix "$1")
    digest=$(base64_sum "$dist/$name$(suffix "$1").zip")
    policy=
    find_newest "$1" || return
    [ -z "$parameters" ] || read_parameter "$(parameter_of "$1")" || return
    if [ -n "$arn" ]; then
        say "$region: $arn has these bytes already"
        [ -z "$permissions" ] || read_policy || return
    elif [ -n "$dry" ]; then
        say "$region: would publish $layer, and its newest version is $newest"
    else
        publish "$1" || return
    fi
    echo "${arn:+\`$arn\`}" >"$work/$region.$1"
    permit || return
    [ -z "$parameters" ] || [ -n "$dry" ] || tell "$(parameter_of "$1")"
}

# What one zip is refused the others would be, too.
serve_region() {
    for zip in $zips; do
        serve "$zip" || return
    done
}

# --- all ---------------------------------------------------------------------------------------

table() { # REGION...
    printf '| Region |'
    for zip in $zips; do printf ' %s |' "$name$(suffix "$zip").zip"; done
    printf '\n|---|'
    for zip in $zips; do printf -- '---|'; done
    echo
    for region; do
        printf '| %s |' "$region"
        for zip in $zips; do
            cell=$(cat "$work/$region.$zip" 2>/dev/null || echo 'not published')
            printf ' %s |' "${cell:-would be new}"
        done
        echo
    done
}

command -v aws >/dev/null || {
    say 'the AWS CLI is missing: aws'
    exit 2
}
check_sums
version_here=$(version_of_zips)
commit_here=$(commit || true)
export AWS_PAGER='' # version 2 would show each answer in one

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'table "$@"; exit 130' INT
trap 'table "$@"; exit 143' TERM HUP

region=$1
ask sts get-caller-identity --query '[Account, Arn]' || {
    say "$error"
    exit 1
}
say "account ${reply%%"$tab"*}, as ${reply##*"$tab"}${dry:+; nothing will be changed}"

status=0
left=
for region; do
    serve_region || {
        status=1
        left="$left $region"
    }
done
table "$@"
[ -z "$left" ] || say "not all is done in$left: the same command goes on where it stopped"
exit $status
