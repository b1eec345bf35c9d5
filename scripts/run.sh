#!/bin/sh
# Runs a tool of node_modules/.bin with the project's own Node: run.sh TOOL ARG...
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
tool=$1
shift
exec "node_modules/.bin/$tool" "$@"
