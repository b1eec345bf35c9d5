#!/bin/sh
# Makes or, with `remove`, takes away the npm-shrinkwrap.json of the published package.
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
exec node --conditions=source --disable-warning=ExperimentalWarning scripts/shrinkwrap.ts "$@"
