#!/bin/sh
# Installs what bale needs and this machine lacks: Node 24 (from npm), the npm packages of the lockfile, Debian packages.
# Safe to run again: it asks first what is there and does nothing when nothing is missing.
# usage: setup.sh [--for quickstart|test|interop|nightly]
set -eu
cd "$(dirname "$0")/.."
purpose=test
[ "${1:-}" = --for ] && purpose=$2

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

[ "$(uname -s)" = Linux ] || fail "bale runs on Linux (this is $(uname -s)); use a Linux machine or a virtual machine with Debian 12."

# Optional, and only where Debian has it: without it gzip is the work of zlib.
case $(uname -m) in
  aarch64) isal=/usr/lib/aarch64-linux-gnu/libisal.so.2 ;;
  *) isal=/usr/lib/x86_64-linux-gnu/libisal.so.2 ;;
esac

# --- Debian packages: name of a file that proves the package, the package, what it is for
need="
/usr/bin/crun|crun|starts containers
/usr/sbin/runc|runc|starts containers where crun cannot
/usr/bin/conmon|conmon|watches containers when bale has gone
/usr/lib/podman/netavark|netavark|gives containers a network
/usr/lib/podman/aardvark-dns|aardvark-dns|resolves container names
/usr/sbin/iptables|iptables|used by netavark
/usr/bin/ip|iproute2|network namespaces
$isal|libisal2|inflates and deflates gzip in a fraction of the time (optional)
/usr/bin/xz|xz-utils|reads .tar.xz
/usr/bin/bzip2|bzip2|reads .tar.bz2
/usr/bin/curl|curl|asks the web server of the story for its page
/usr/bin/mmdebstrap|mmdebstrap|makes the Debian base image of the story
/bin/busybox|busybox-static|makes the small image of the tests
/usr/bin/gpgv|gpgv|verifies the indexes of Debian mirrors for scans
/usr/share/keyrings/debian-archive-keyring.gpg|debian-archive-keyring|the keys of those indexes
/usr/share/distro-info/debian.csv|distro-info-data|how long distributions have updates
"
[ "$purpose" = quickstart ] || need="$need
/usr/bin/skopeo|skopeo|the tests compare with it
/usr/bin/docker-registry|docker-registry|the tests push to it
/usr/bin/fsck.erofs|erofs-utils|the tests check layers with it
/usr/bin/crun|crun|the tests run containers with it too
/usr/sbin/mkfs.ext4|e2fsprogs|the tests keep a store on ext4
/usr/sbin/mkfs.xfs|xfsprogs|the tests keep a store on XFS
/usr/lib/postgresql/15/bin/initdb|postgresql-15|the tests keep what a registry knows in it
/usr/bin/ceph-mon|ceph-mon|the tests keep a registry's bytes in a bucket of Ceph
/usr/bin/ceph-osd|ceph-osd|the tests keep a registry's bytes in a bucket of Ceph
/usr/bin/radosgw|radosgw|the tests keep a registry's bytes in a bucket of Ceph
/usr/bin/ceph-authtool|ceph-common|the tests keep a registry's bytes in a bucket of Ceph
/usr/sbin/haproxy|haproxy|the tests put it before replicas of a registry
/usr/sbin/slapd|slapd|the tests have users of a registry in it
/usr/bin/ldapadd|ldap-utils|the tests fill slapd with it
/usr/bin/pebble|pebble|the tests have a registry obtain certificates from it
/usr/bin/chromium|chromium|the tests look at pages with it
/usr/sbin/nginx|nginx-light|the tests put it before replicas of a registry
/usr/bin/gpg|gnupg|the tests sign a Debian mirror of their own
/usr/bin/rpmbuild|rpm|the tests compare databases of packages with it
/usr/bin/db5.3_load|db5.3-util|the tests make old databases of rpm with it
/usr/share/perl5/Dpkg/Version.pm|libdpkg-perl|the tests compare versions with it
/usr/lib/python3/dist-packages/rpm/__init__.py|python3-rpm|the tests compare versions with it
/usr/lib/python3/dist-packages/packaging/__init__.py|python3-packaging|the tests compare versions with it
/usr/bin/ruby|ruby|the tests compare versions with it
/usr/share/php/Composer/Semver/Comparator.php|php-composer-semver|the tests compare versions with it
/usr/bin/php|php-cli|the tests compare versions with it
/usr/bin/objcopy|binutils|the tests make programs with it
/usr/bin/strace|strace|the tests slow a monitor down with it
"
[ "$purpose" = interop ] && need="$need
/usr/sbin/dockerd|docker.io|the interop tests compare with it
/usr/bin/podman|podman|the interop tests compare with it
/usr/bin/umoci|umoci|the interop tests compare with it
"
[ "$purpose" = nightly ] && need="$need
/usr/bin/patroni|patroni|the nightly tests fail over with it
/usr/lib/python3/dist-packages/etcd/__init__.py|python3-etcd|patroni asks etcd with it
/usr/bin/etcd|etcd-server|the nightly tests fail over with it
"
missing=
for line in $(echo "$need" | tr ' ' '~'); do
  line=$(echo "$line" | tr '~' ' ')
  file=${line%%|*}; rest=${line#*|}; package=${rest%%|*}
  [ -e "$file" ] && continue
  say "will install $package: ${rest#*|}"
  missing="$missing $package"
done
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 || fail "this is not Debian: please install these with your package manager:$missing"
  [ "$(id -u)" = 0 ] || fail "not root: run 'sudo apt-get install$missing' first, or run this as root."
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null || fail "apt-get could not install:$missing"
  }
fi

# --- Node 24 and the npm packages. npm ci empties node_modules, so the Node that runs it must live elsewhere.
. scripts/node.sh
if ! cmp -s package-lock.json node_modules/.bale-lock 2>/dev/null; then
  if ! node_is_new_enough node; then
    command -v npm >/dev/null 2>&1 || fail "npm was not found; install it with: apt-get install npm"
    if ! [ -x .node/node_modules/node/bin/node ]; then
      say "Node $(node --version 2>/dev/null || echo '(none)') is older than 24: fetching Node 24 from npm into .node/"
      npm install --silent --no-save --no-package-lock --prefix .node node@24 >/dev/null || fail "npm could not install node@24"
    fi
    PATH=$PWD/.node/node_modules/node/bin:$PATH
  fi
  say "installing the npm packages of package-lock.json (with Node $(node --version))"
  npm ci --silent --no-audit --no-fund >/dev/null || fail "npm ci failed; run it by hand to see why"
  cp package-lock.json node_modules/.bale-lock
fi

# --- The program is run as a bundle: its many small files take three times as long to load.
sh scripts/build.sh --bundle
