#!/bin/sh
# Sets up what is missing, then plays the whole story of an image in the terminal: see quickstart.ts.
set -eu
cd "$(dirname "$0")/.."
[ "$(uname -s)" = Linux ] || { echo "quickstart: bale runs on Linux (this is $(uname -s))" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "quickstart: the story mounts layers and starts containers, which needs root; run: sudo npm run quickstart" >&2; exit 1; }
sh scripts/setup.sh --for quickstart
. scripts/node.sh
use_node
exec node --conditions=source --disable-warning=ExperimentalWarning scripts/quickstart.ts "$@"
