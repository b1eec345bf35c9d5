import { join } from 'node:path'
import { databasePath } from '#store'
import type { Container } from '../model/index.ts'
import { type Machinery, pathsOf } from '../state/index.ts'
import { ALONE, leaveFileAlone } from './alone.ts'

/** Milliseconds that an unused network stays up for the next container. */
export const LINGER_MILLISECONDS = 2000

/** How long the monitor waits for whoever started the container to clean up: tenths of a second. */
const PATIENCE = 100

/**
 * $3 runtime's state, $4 container's directory, $5 bundle, $6 database, $7 the file of the last end, $8 what is added to the
 * clean-up after the pause; then the clean-up.
 * What is left when the starter has done its part is to take down idle networks, which is done once for all containers
 * that end within the pause. Anything else is for the clean-up, at once.
 */
const AFTER_STARTER = `${ALONE}
n=0
until alone "$1" "$2" || [ $n -ge ${PATIENCE} ]; do sleep 0.1; n=$((n+1)); done
state=$3 directory=$4 bundle=$5 database=$6 last=$7 added=$8
shift 8
[ ! -e "$state" ] || exec "$@"
echo $$ > "$last" || exec "$@"
sleep ${LINGER_MILLISECONDS / 1000}
read -r newest < "$last" && [ -e "$database" ] && [ "$newest" != $$ ] || exec "$@" "$added"
[ -e "$directory" ] || rm -rf "$bundle"`

/**
 * What the monitor runs when its container has ended. With `attended` this process reads the container's output, waits for
 * its end and cleans up: a second bale beside it would take the processor from it, and do the same.
 */
export function endCommand(machinery: Machinery, { id, document }: Container, attended: boolean): string[] | undefined {
  const { selfCommand, store } = machinery
  if (selfCommand.length === 0) return undefined
  const cleanup = [...selfCommand, 'container', 'cleanup', id]
  const { restart } = document.host
  if (!attended || (restart && restart.name !== 'no')) return cleanup
  const { bundle, directory, alone } = pathsOf(machinery, id)
  const state = join(store.run, 'runtime', id)
  const places = [state, directory, bundle, databasePath(store.root), join(store.run, 'last-end'), '--at-once']
  return ['/bin/sh', '-c', AFTER_STARTER, 'sh', alone, `${process.pid}`, ...places, ...cleanup]
}

/** Whoever started an attended container waits for it no more: from now on the end is up to its monitor. */
export function leaveContainerAlone(machinery: Machinery, id: string): Promise<void> {
  return leaveFileAlone(pathsOf(machinery, id).alone)
}
