# Sourced by the other scripts, from the project's root: puts a Node of version 24 or newer first in PATH.
node_is_new_enough() {
  "$1" -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' 2>/dev/null
}
use_node() {
  for found in "$PWD/node_modules/node/bin" "$PWD/.node/node_modules/node/bin"; do
    if [ -x "$found/node" ]; then PATH=$found:$PATH; export PATH; return 0; fi
  done
  node_is_new_enough node || { echo "Node 24 or newer is missing: run npm run setup" >&2; exit 1; }
}
