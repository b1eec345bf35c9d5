#!/bin/sh
# Compiles src to dist (JavaScript and declarations), as the published package carries it.
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
rm -rf dist
node_modules/.bin/tsc -p tsconfig.build.json
