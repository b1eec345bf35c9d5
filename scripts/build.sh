#!/bin/sh
# Makes dist as the published package carries it: the bundle (see bundle.ts), and the declarations of the public rooms.
# With `--bundle` only the former, and only when a source is newer than it.
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
if ! [ -f dist/made-of-sources ] || [ -n "$(find src package.json scripts/bundle.ts -cnewer dist/made-of-sources -print -quit)" ]; then
  node --disable-warning=ExperimentalWarning scripts/bundle.ts
fi
[ "${1:-}" != --bundle ] || exit 0
node_modules/.bin/tsc -p tsconfig.build.json
# The data that the filter is made of is Docker's: its licence and source go with it.
mkdir -p dist/container/seccomp
cp src/container/seccomp/LICENSE-moby-profile src/container/seccomp/moby-default-profile.json src/container/seccomp/moby-default-profile.source.json dist/container/seccomp/
