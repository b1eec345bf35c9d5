#!/bin/sh
# Takes over a newer default profile: sh scripts/update-seccomp-profile.sh FILE COMMIT
# FILE is seccomp/default.json of https://github.com/moby/profiles, COMMIT the one it is of. Says what changes; refuses a
# file whose rules let more through than they say.
set -eu
file=$(realpath "${1:?FILE is missing}")
commit=${2:?COMMIT is missing}
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
exec node --conditions=source --disable-warning=ExperimentalWarning scripts/update-seccomp-profile.ts "$file" "$commit"
