#!/bin/sh
# Compiles src to dist (JavaScript and declarations), as the published package carries it.
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
rm -rf dist
node_modules/.bin/tsc -p tsconfig.build.json
# The data that the filter is made of is Docker's: its licence and source go with it.
cp src/container/seccomp/LICENSE-moby-profile src/container/seccomp/moby-default-profile.source.json dist/container/seccomp/
