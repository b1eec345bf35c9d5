#!/bin/sh
# The registry under load: npm run bench:registry, bench:registry-streams or bench:registry-replicas [-- --rounds 3 …].
set -eu
bench=$1
shift
cd "$(dirname "$0")/.."
sh scripts/setup.sh --for interop
if ! [ -x /usr/bin/wrk ]; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk >/dev/null || { echo "bench: the Debian package wrk is needed" >&2; exit 1; }
fi
. scripts/node.sh
use_node
exec node --conditions=source --disable-warning=ExperimentalWarning "bench/$bench" "$@"
