#!/bin/sh
# Compares bale with Debian's docker.io, podman, skopeo and umoci, command by command. Installs them first.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --for interop
. scripts/node.sh
use_node
exec node --conditions=source --disable-warning=ExperimentalWarning --test --test-concurrency=1 --test-timeout=900000 "test/interop/**/*.test.ts"
