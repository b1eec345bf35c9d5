import { join } from 'node:path'
import { databasePath } from '#store'
import type { Container } from '../model/index.ts'
import { type Machinery, pathsOf } from '../state/index.ts'
import { ALONE, leaveFileAlone } from './alone.ts'

/** Milliseconds that an unused network stays up for the next container. */
export const LINGER_MILLISECONDS = 2000

/** How long the monitor waits for the starter to clean up, in tenths of a second. */
const PATIENCE = 100

/**
 * Arguments: $3 the container's directory, $4 its bundle, $5 the database, $6 the file that names the latest end, $7 the option
 * that the clean-up gets after the pause; then the clean-up command.
 * A starter that has said that it is done, and whose container's directory is gone, has left only idle networks to take down:
 * one clean-up does that for all containers that end within the pause. Otherwise the clean-up runs at once.
 */
const AFTER_STARTER = `${ALONE}
n=0
until alone "$1" "$2" || [ $n -ge ${PATIENCE} ]; do sleep 0.1; n=$((n+1)); done
finished=$1 directory=$3 bundle=$4 database=$5 last=$6 added=$7
shift 7
[ -e "$finished" ] && [ ! -e "$directory" ] || exec "$@"
echo $$ > "$last" || exec "$@"
sleep ${LINGER_MILLISECONDS / 1000}
read -r newest < "$last" && [ -e "$database" ] && [ "$newest" != $$ ] || exec "$@" "$added"
rm -rf "$bundle"`

/**
 * The command that the monitor runs when its container has ended. With `attended`, this process waits for the end and cleans up
 * by itself: a second bale would do the same work and compete for the processor.
 */
export function endCommand(machinery: Machinery, { id, document }: Container, attended: boolean): string[] | undefined {
  const { selfCommand, store } = machinery
  if (selfCommand.length === 0) return undefined
  const cleanup = [...selfCommand, 'container', 'cleanup', id]
  const { restart } = document.host
  if (!attended || (restart && restart.name !== 'no')) return cleanup
  const { bundle, directory, alone } = pathsOf(machinery, id)
  const places = [directory, bundle, databasePath(store.root), join(store.run, 'last-end'), '--at-once']
  return ['/bin/sh', '-c', AFTER_STARTER, 'sh', alone, `${process.pid}`, ...places, ...cleanup]
}

/** The process that started an attended container no longer waits for it: its monitor cleans up. */
export function leaveContainerAlone(machinery: Machinery, id: string): Promise<void> {
  return leaveFileAlone(pathsOf(machinery, id).alone)
}
