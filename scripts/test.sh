#!/bin/sh
# Everything: set-up, types, lint, layering, unit tests with coverage of src, end-to-end tests.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --for test
. scripts/node.sh
use_node
node_modules/.bin/tsc -p tsconfig.json
node_modules/.bin/biome check --error-on-warnings src test bench scripts
node --conditions=source --disable-warning=ExperimentalWarning --test --test-timeout=300000 \
  --experimental-test-coverage --test-coverage-include='src/**' --test-coverage-exclude='src/**/*.test.ts' \
  test/architecture.test.ts test/reference-pages.test.ts "src/**/*.test.ts" "test/e2e/**/*.test.ts"
