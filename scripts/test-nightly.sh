#!/bin/sh
# What takes minutes, with servers that `npm test` does without: PostgreSQL failing over by itself, under load.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --for nightly
. scripts/node.sh
use_node
sh scripts/build.sh --bundle
exec node --conditions=source --disable-warning=ExperimentalWarning --test --test-timeout=900000 test/nightly/*.test.ts
