#!/bin/sh
# Times bale side by side with podman, docker, skopeo + umoci and trivy, as far as they are installed: npm run bench -- --help.
set -eu
cd "$(dirname "$0")/.."
. scripts/node.sh
case " $* " in
  # Nothing is measured, so nothing is installed.
  *" --help "* | *" --list "*) ;;
  *)
    sh scripts/setup.sh --for interop
    if ! [ -x /usr/bin/time ]; then
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends time >/dev/null || { echo "bench: the Debian package time is needed" >&2; exit 1; }
    fi
    ;;
esac
use_node
sh scripts/build.sh --bundle
exec node --conditions=source --disable-warning=ExperimentalWarning bench/main.ts "$@"
