#!/bin/sh
# Writes docs/errors.md, docs/cli.md, docs/registry-configuration.md, docs/registry/api.md and docs/api from the code.
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
exec node --conditions=source --disable-warning=ExperimentalWarning scripts/docs.ts
