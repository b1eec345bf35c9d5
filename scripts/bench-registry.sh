#!/bin/sh
# The registry under load, beside docker-registry: npm run bench:registry [-- --rounds 3] [-- --seconds 4] [-- --only 'blob GET'].
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --for interop
if ! [ -x /usr/bin/wrk ]; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk >/dev/null || { echo "bench: the Debian package wrk is needed" >&2; exit 1; }
fi
. scripts/node.sh
use_node
exec node --conditions=source --disable-warning=ExperimentalWarning bench/registry.ts "$@"
