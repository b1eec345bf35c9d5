import { spawn } from 'node:child_process'
import { mkdir, readdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, isBaleError } from '#base'
import { isAlive } from '#host'
import { acquireLock } from '#host/file'
import type { Container } from '../model/index.ts'
import { type LogPlace, logLimits, reopenLog, rotateLog } from '../runtime/index.ts'
import { type Machinery, pathsOf } from '../state/index.ts'

/**
 * Keeps logs within their limit. The monitor can only truncate a log and lose its content, so
 * one small shell looks at the sizes of all logs of this store once a second, and calls bale for one that is too
 * large. It ends with the last container. A log that is watched is a link: <run>/logs/SIZE/CONTAINER.
 */
const SCRIPT = `#!/bin/sh
# Started by bale with its own command line. Ends when no log is left to look at.
cd "\${0%/*}" || exit 1
watched() { for log in [0-9]*/*; do [ -e "$log" ] && return 0; done; return 1; }
exec 9>>keeper.lock
while flock -w 5 9; do
  idle=0
  while [ -e keeper.lock ] && [ $idle -lt 5 ]; do
    if watched; then idle=0; else idle=$((idle + 1)); fi
    for size in [0-9]*; do
      find -L "$size" -type f -size "+\${size}c" 2>/dev/null | while read -r log; do
        "$@" container rotate-log "\${log##*/}" </dev/null >/dev/null 2>&1 9>&-
      done
    done
    sleep 1 9>&-
  done
  [ -e keeper.lock ] || exit 0
  # Whoever adds a log looks for the lock after that: one of us two sees the other.
  flock -u 9
  watched || exit 0
done
`

/** Starts watching the log of a container that was just started. */
export async function watchLog(machinery: Machinery, record: Container): Promise<void> {
  const { store, selfCommand, programs } = machinery
  const limits = logLimits(record.document.host.log)
  if (!limits || selfCommand.length === 0 || !programs.find('flock')) return
  const directory = join(store.run, 'logs')
  const sizes = join(directory, String(limits.maxSize))
  await mkdir(sizes, { recursive: true, mode: 0o700 })
  try {
    await symlink(pathsOf(machinery, record.id).log, join(sizes, record.id))
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
  try {
    // A shared lock, so that the file stays: its removal would mean to the keeper that the store is gone.
    await using _ = await acquireLock(join(directory, 'keeper.lock'), { timeoutMs: 0, shared: true })
  } catch (error) {
    if (isBaleError(error, 'LOCKED')) return
    throw error
  }
  const script = join(directory, 'keeper')
  await writeFile(`${script}.${process.pid}`, SCRIPT, { mode: 0o700 })
  await rename(`${script}.${process.pid}`, script)
  const env = { PATH: programs.searchPath }
  spawn('/bin/sh', [script, ...selfCommand], { detached: true, stdio: 'ignore', cwd: '/', env }).unref()
}

/** The log of an exited container is no longer watched; its excess is removed now. */
export async function unwatchLog(machinery: Machinery, record: Container): Promise<void> {
  const directory = join(machinery.store.run, 'logs')
  const limits = logLimits(record.document.host.log)
  if (!limits) return
  await rm(join(directory, String(limits.maxSize), record.id), { force: true })
  await rotateLog(logPlace(machinery, record.id), {
    limits,
    reopen: async () => undefined,
    isWritten: () => false,
  })
}

export function logPlace(machinery: Pick<Machinery, 'store'>, id: string): LogPlace {
  return { path: pathsOf(machinery, id).log, lock: join(machinery.store.run, 'locks', `log-${id}`) }
}

/** Brings the log of a running container back to its limit, when it is above. Called by the keeper. */
export async function rotateContainerLog(machinery: Machinery, id: string): Promise<void> {
  const record = await machinery.records.containers.find(id)
  const limits = record && logLimits(record.document.host.log)
  const monitor = record?.document.state.monitor
  if (!record || !limits || !monitor || !isAlive(monitor)) return forgetLink(machinery, id)
  await rotateLog(logPlace(machinery, id), {
    limits,
    reopen: () => reopenLog(pathsOf(machinery, id).bundle),
    isWritten: () => isAlive(monitor),
  })
}

/** A stopped container unseen must not keep the keeper awake. */
async function forgetLink({ store }: Machinery, id: string): Promise<void> {
  const directory = join(store.run, 'logs')
  for (const size of await readdir(directory))
    try {
      await unlink(join(directory, size, id))
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error
    }
}
