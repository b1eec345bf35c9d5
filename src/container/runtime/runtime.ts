import { existsSync } from 'node:fs'
import { unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, printable } from '#base'
import { noSuchContainer, notRunning } from '#docker'
import { cgroupLayout, type ProgramResult, runProgram } from '#host'
import { randomHex } from '#host/file'
import { type OciResources, withoutLifted } from '../spec/index.ts'
import { type RuntimeState, runtimeState, stderrReason } from './answers.ts'
import { liftLimits } from './lift-limits.ts'
import type { Programs } from './programs.ts'
import { runtimeFailure } from './runtime-failure.ts'
import { openStartFifo } from './start-fifo.ts'

/** runc or crun: what bale requires of a low-level runtime. Creating and exec go through the monitor, which calls `path`. */
export interface Runtime {
  readonly name: 'runc' | 'crun'
  readonly path: string
  /** What starts it to create a container: a program and its first arguments. */
  readonly creator: readonly [string, ...string[]]
  /** Arguments before the verb. */
  readonly globalArguments: readonly string[]
  /** True where the machine does not see what a container mounts below a shared bind. */
  readonly mountsApart: boolean
  start(id: string): Promise<void>
  /** `signal` is a number. Throws CONTAINER_NOT_RUNNING. */
  kill(id: string, signal: number): Promise<void>
  /** Deletes a stopped container, with `force` also a running one; a missing one is success. */
  delete(id: string, options?: { force?: boolean }): Promise<void>
  /** undefined: no such container. */
  state(id: string): Promise<RuntimeState | undefined>
  update(id: string, resources: OciResources): Promise<void>
}

interface RuntimeOptions {
  name?: string
  programs: Programs
  /** Directory for the runtime's state of this store's containers. */
  stateDirectory: string
}

/** The requested runtime; by default crun, or runc if only that is installed (docs/decisions/0020). */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { programs, stateDirectory } = options
  const name = options.name ?? defaultRuntime(programs)
  if (name !== 'runc' && name !== 'crun')
    throw new BaleError('INVALID_ARGUMENT', `unknown runtime: ${printable(name)}`, { hint: 'use runc or crun' })
  const program = programs.need(name)
  const apart = name === 'crun' && hidesUnified()
  const creator = apart ? crunApart(program, programs) : ([program] as const)
  return { ...cliRuntime(name, program, stateDirectory, programs.searchPath), creator, mountsApart: apart }
}

/** The runtime that holds the state of an unrecorded container; undefined when there is none. Both keep state in one directory. */
export function runtimeOfState(stateDirectory: string, id: string): 'runc' | 'crun' | undefined {
  const directory = join(stateDirectory, id)
  if (existsSync(join(directory, 'status'))) return 'crun'
  return existsSync(directory) ? 'runc' : undefined
}

/** crun is the safer and the faster one; on hybrid control groups it needs `unshare`. */
export function defaultRuntime(programs: Pick<Programs, 'find'>): 'runc' | 'crun' {
  return programs.find('crun') && (programs.find('unshare') || !hidesUnified()) ? 'crun' : 'runc'
}

function cliRuntime(
  name: 'runc' | 'crun',
  path: string,
  stateDirectory: string,
  searchPath: string,
): Omit<Runtime, 'creator' | 'mountsApart'> {
  // The directory is where it works, not a path: crun would make that again when the whole store was removed meanwhile.
  const call = async (args: string[]): Promise<ProgramResult> => {
    try {
      return await runProgram(path, ['--root', '.', ...args], {
        env: { PATH: searchPath },
        cwd: stateDirectory,
      })
    } catch (error) {
      if (existsSync(stateDirectory)) throw error
      return { code: 1, stdout: '', stderr: `${stateDirectory}: No such file or directory` }
    }
  }
  const isHeld = (id: string) => existsSync(join(stateDirectory, id))
  const mustSucceed = async (id: string, args: string[]) => {
    if (!isHeld(id)) throw noSuchContainer(id)
    const result = await call(args)
    if (result.code !== 0) throw failureOf(result.stderr, id, args[0]!)
  }
  return {
    name,
    path,
    globalArguments: ['--root', stateDirectory],
    async start(id) {
      if (await openStartFifo(name, join(stateDirectory, id))) return
      await mustSucceed(id, ['start', id])
    },
    kill: (id, signal) => mustSucceed(id, ['kill', id, String(signal)]),
    async delete(id, { force = false } = {}) {
      if (!isHeld(id)) return
      const result = await call(['delete', ...(force ? ['--force'] : []), id])
      if (result.code !== 0 && !MISSING.test(result.stderr)) throw failureOf(result.stderr, id, 'delete')
    },
    async state(id) {
      if (!isHeld(id)) return undefined
      const result = await call(['state', id])
      if (result.code === 0) return runtimeState(result.stdout, id)
      if (MISSING.test(result.stderr)) return undefined
      throw failureOf(result.stderr, id, 'state')
    },
    async update(id, resources) {
      // A file, not standard input: crun opens /dev/stdin by name, which fails for Node's pipes (they are sockets).
      const file = join(stateDirectory, '..', `update-${randomHex(6)}.json`)
      const known = name === 'crun' ? withoutLifted(resources) : resources
      await writeFile(file, JSON.stringify(known), { mode: 0o600 })
      try {
        await mustSucceed(id, ['update', '--resources', file, id])
      } finally {
        await unlink(file)
      }
      if (known === resources) return
      const state = await this.state(id)
      if (!state?.pid) throw notRunning(id)
      liftLimits(id, state.pid, resources)
    },
  }
}

const MISSING = /does not exist|No such file or directory|not found/i
// crun: "open pidfd: No such process" or "kill container: No such process".
const NOT_RUNNING = /not running|process already finished|No such process/i

function failureOf(stderr: string, id: string, verb: string): BaleError {
  const text = stderrReason(stderr)
  if (MISSING.test(text) && verb !== 'start') return noSuchContainer(id)
  if (NOT_RUNNING.test(text)) return notRunning(id)
  if (verb === 'start') return runtimeFailure(text, 'start')
  return new BaleError('RUNTIME_FAILED', `${verb} of container ${id.slice(0, 12)} failed: ${printable(text, 1000)}`)
}

/** crun makes no container on hybrid control groups, which it knows by this mount; all else works there. */
function hidesUnified(): boolean {
  const layout = cgroupLayout()
  return layout.version === 1 && layout.mounts.includes('/sys/fs/cgroup/unified')
}

/**
 * Starts crun in a mount namespace without the mount that it refuses; there it works as on version 1. What is mounted on the
 * machine later arrives in that namespace (slave), but not the other way round.
 */
function crunApart(crun: string, programs: Programs): [string, ...string[]] {
  const script = 'umount -l /sys/fs/cgroup/unified && exec "$0" --cgroup-manager cgroupfs "$@"'
  return [programs.need('unshare'), '-m', '--propagation', 'slave', '/bin/sh', '-c', script, crun]
}
