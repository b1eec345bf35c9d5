#!/bin/sh
# Fast feedback, under a minute: types, lint, layering, unit tests.
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
node_modules/.bin/tsc -p tsconfig.json
node_modules/.bin/biome check --error-on-warnings src test bench scripts
node --conditions=source --disable-warning=ExperimentalWarning --test --test-timeout=120000 test/architecture.test.ts test/reference-pages.test.ts "src/**/*.test.ts"
