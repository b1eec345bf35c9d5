#!/bin/sh
# Mutated inputs for the readers of everything from outside, for as long as is asked: fuzz.sh [--seconds N] [TARGET…]
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
use_node
exec node --conditions=source test/fuzz/fuzz.ts "$@"
