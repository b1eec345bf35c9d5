#!/bin/sh
# Side by side with podman, docker, skopeo + umoci and trivy, as far as they are installed: npm run bench [-- --only pull,run,trust]
# [-- --rounds 3] [-- --write] (writes the table into docs/performance.md).
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --for interop
if ! [ -x /usr/bin/time ]; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends time >/dev/null || { echo "bench: the Debian package time is needed" >&2; exit 1; }
fi
. scripts/node.sh
use_node
exec node --conditions=source --disable-warning=ExperimentalWarning bench/main.ts "$@"
