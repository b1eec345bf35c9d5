#!/bin/sh
# Everything: set-up, types, lint, layering, unit tests with coverage of src, end-to-end tests; those that write layers
# once more with extracted ones. The later parts run even after a test has failed.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --for test
. scripts/node.sh
use_node
node_modules/.bin/tsc -p tsconfig.json
node_modules/.bin/biome check --error-on-warnings src test bench examples scripts
# What was compiled for one file of tests is not compiled again for the next (a quarter of the time of unit tests).
export NODE_COMPILE_CACHE="$PWD/node_modules/.cache/compiled"
# A directory for this run alone, so that whatever a test leaves behind is seen at the end. Its name is short: paths of
# unix sockets have at most 107 bytes.
TMPDIR=$(mktemp -d /tmp/bt.XXXX)
chmod 1777 "$TMPDIR"
export TMPDIR
# Which test made a directory that is left behind.
export BALE_TEST_PLACES="$TMPDIR.places"
: >"$BALE_TEST_PLACES"
clean() {
  rm -f "$BALE_TEST_PLACES"
  # What an interrupted run left mounted goes first: through a bind mount, rm would empty a directory of this machine.
  below() { awk -v below="$TMPDIR/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo; }
  below | tac | while IFS= read -r mounted; do umount -l "$(printf '%b' "$mounted")" || true; done
  [ -n "$(below)" ] || rm -rf --one-file-system -- "$TMPDIR"
}
trap clean EXIT
# Node's own choice is one file fewer at a time than there are processors; most tests wait more than they compute.
at_a_time=$(($(nproc) * 2))
failed=0
node --import ./test/kit/when-stuck.ts --conditions=source --disable-warning=ExperimentalWarning --test --test-timeout=900000 --test-concurrency="$at_a_time" \
  --experimental-test-coverage --test-coverage-include='src/**' --test-coverage-exclude='src/**/*.test.ts' \
  test/*.test.ts "src/**/*.test.ts" "test/e2e/**/*.test.ts" || failed=1
e2e() { BALE_SNAPSHOTTER=extract node --import ./test/kit/when-stuck.ts --conditions=source --disable-warning=ExperimentalWarning --test --test-timeout=900000 --test-concurrency="$at_a_time" "$@"; }
echo "test: the same with layers extracted into directories"
# The verbs that are not in these files (diff, cp, export, prune …) are tested on both formats by stores.test.ts.
e2e test/e2e/archives.test.ts test/e2e/build.test.ts test/e2e/empty-store.test.ts test/e2e/damage-and-reboot.test.ts || failed=1
e2e --test-name-pattern='^kill -9' test/e2e/bad-input.test.ts test/e2e/faults.test.ts || failed=1
sh scripts/leftovers.sh "$TMPDIR" || failed=1
exit $failed
