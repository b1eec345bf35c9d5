import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, isBaleError } from '#base'
import { removeTree } from '#host/file'
import { announce, type Machinery } from '../state/index.ts'
import { ALONE } from './alone.ts'
import { type ExecRecord, execExitPath, findExec, type SeenExec } from './exec-records.ts'

/** Where the end of an exec appears. */
export interface ExecPlace {
  bundle: string
  exitDirectory: string
  /** The exit code, written by the monitor. */
  written: string
  /** The exit code of one that nobody waits for. Whoever moves it here reports the end. */
  kept: string
  /** The file that says that nobody waits. */
  alone: string
}

export function execPlace(machinery: Machinery, record: ExecRecord, bundle: string): ExecPlace {
  const exitDirectory = join(bundle, 'x')
  const kept = execExitPath(machinery, record)
  return { bundle, exitDirectory, written: join(exitDirectory, record.containerId), kept, alone: join(bundle, 'alone') }
}

/** Keeps the exit code of an exec that has ended, instead of its monitor. False when it runs, or the monitor does it. */
export async function takeExit({ written, kept, bundle }: ExecPlace): Promise<boolean> {
  try {
    await rename(written, kept)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
  await removeTree(bundle)
  return true
}

/** The exit code, then the directory: what is left is the record. Last, the end is reported. */
const KEEP_EXIT = `${ALONE}
alone "$1" "$2" || exit 0; mv "$3" "$4" || exit; rm -rf "$5"; shift 5; [ $# = 0 ] || exec "$@"`

/** What the monitor runs at the end: nothing, unless the exec was left alone. This process is the one that waits. */
export function unattendedEnd({ selfCommand }: Machinery, record: ExecRecord, place: ExecPlace): string[] {
  const { alone, written, kept, bundle } = place
  const report = selfCommand.length
    ? [...selfCommand, 'container', 'cleanup', record.containerId, '--exec', record.id]
    : []
  return ['/bin/sh', '-c', KEEP_EXIT, 'sh', alone, `${process.pid}`, written, kept, bundle, ...report]
}

/** Reports the end of an exec that nobody waited for, once its exit code is kept. Does nothing when its container is gone. */
export async function announceExecEnd(machinery: Machinery, execId: string): Promise<void> {
  const ended = await execIfThere(machinery, execId)
  if (ended?.exitCode === undefined) return
  const container = await machinery.records.containers.find(ended.record.containerId)
  if (container) await announce(machinery, container, 'exec_die', { execID: execId, exitCode: `${ended.exitCode}` })
}

async function execIfThere(machinery: Machinery, execId: string): Promise<SeenExec | undefined> {
  try {
    return await findExec(machinery, execId)
  } catch (error) {
    if (isBaleError(error, 'EXEC_NOT_FOUND')) return undefined
    throw error
  }
}
