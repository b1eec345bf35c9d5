#!/bin/sh
# Fast feedback, two minutes on two cores: types, lint, layering, unit tests but those that take seconds (*.slow.test.ts).
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
node_modules/.bin/tsc -p tsconfig.json
node_modules/.bin/biome check --error-on-warnings src test bench examples scripts
export NODE_COMPILE_CACHE="$PWD/node_modules/.cache/compiled"
# shellcheck disable=SC2046
node --conditions=source --disable-warning=ExperimentalWarning --test --test-timeout=120000 --test-concurrency="$(nproc)" test/*.test.ts \
  $(find src -name '*.test.ts' ! -name '*.slow.test.ts')
