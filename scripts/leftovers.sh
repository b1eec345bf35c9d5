#!/bin/sh
# leftovers.sh DIRECTORY: fails, and names them, when files, mounts (network namespaces are mounts, too) or processes of
# a run of tests in DIRECTORY are left. What a container's end started may take a moment: it has ten seconds. What Node
# compiled of the program is kept there on purpose.
set -eu
directory=$1
left() {
  find "$directory" -mindepth 1 -maxdepth 3 ! -path "$directory/bale-compile-cache-*" | sed 's/^/file /'
  awk -v below="$directory/" 'index($5, below) == 1 { print "mount " $5 }' /proc/self/mountinfo
  for process in /proc/[0-9]*; do
    [ "${process#/proc/}" = $$ ] && continue
    # Command line and working directory; a process that has just ended has neither.
    if words=$(tr '\0' ' ' <"$process/cmdline") && cwd=$(readlink "$process/cwd"); then
      case "$words $cwd" in *"$directory/"*) echo "process ${process#/proc/} $words" ;; esac
    fi 2>/dev/null
  done
  for bridge in /run/bale-bridges/*.json; do
    [ -e "$bridge" ] && grep -qsF "$directory/" "$bridge" && echo "bridge $bridge"
  done
  return 0
}
for try in 1 2 3 4 5 6 7 8 9 10; do
  found=$(left)
  [ -z "$found" ] && exit 0
  sleep 1
done
echo "the tests have left behind:" >&2
echo "$found" >&2
find "$directory" -mindepth 1 -maxdepth 3 ! -path "$directory/bale-compile-cache-*" -printf '%p made %BT, changed %CT\n' >&2
for place in "$directory"/*; do
  grep -sF "$place " "${BALE_TEST_PLACES:-/dev/null}" >&2 || true
done
exit 1
