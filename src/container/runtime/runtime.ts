import { constants } from 'node:fs'
import { chmod, type FileHandle, mkdir, open, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import { cgroupLayout, runProgram } from '#host'
import type { OciResources } from '../spec/oci-config.ts'
import type { Programs } from './programs.ts'
import { runtimeFailure } from './runtime-failure.ts'

export interface RuntimeState {
  status: 'creating' | 'created' | 'running' | 'paused' | 'stopped'
  /** Of the container's first process; 0 when stopped. */
  pid: number
}

/** runc or crun: what bale asks of a low-level runtime. Creating and exec go through the monitor, which calls `path`. */
export interface Runtime {
  readonly name: 'runc' | 'crun'
  /** What the monitor starts as the runtime. */
  readonly path: string
  /** Arguments before the verb. */
  readonly globalArguments: readonly string[]
  start(id: string): Promise<void>
  /** `signal` is a number. Throws CONTAINER_NOT_RUNNING. */
  kill(id: string, signal: number): Promise<void>
  /** Deletes a stopped container, with `force` also a running one; one that is not there is success. */
  delete(id: string, options?: { force?: boolean }): Promise<void>
  /** undefined: no such container. */
  state(id: string): Promise<RuntimeState | undefined>
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
  update(id: string, resources: OciResources): Promise<void>
}

export interface RuntimeOptions {
  name?: string
  programs: Programs
  /** Folder for the runtime's state of this store's containers. */
  stateFolder: string
}

/** The runtime asked for; by default runc, or crun when only that is installed. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { programs } = options
  const name = options.name ?? (programs.find('runc') || !programs.find('crun') ? 'runc' : 'crun')
  if (name !== 'runc' && name !== 'crun')
    throw new BaleError('INVALID_ARGUMENT', `unknown runtime: ${printable(name)}`, { hint: 'runc and crun are known' })
  const program = programs.need(name)
  const path = name === 'crun' ? await crunProgram(program, options) : program
  return cliRuntime(name, path, options.stateFolder, programs.searchPath)
}

function cliRuntime(name: 'runc' | 'crun', path: string, stateFolder: string, searchPath: string): Runtime {
  const globalArguments = ['--root', stateFolder]
  const call = (args: string[], input?: string) =>
    runProgram(path, [...globalArguments, ...args], { env: { PATH: searchPath }, input })
  const mustSucceed = async (id: string, args: string[], input?: string) => {
    const result = await call(args, input)
    if (result.code !== 0) throw failureOf(result.stderr, id, args[0]!)
  }
  return {
    name,
    path,
    globalArguments,
    async start(id) {
      // runc 1.x waits for somebody to read a fifo; `runc start` does that and no more, 9 ms later.
      const fifo = join(stateFolder, id, 'exec.fifo')
      if (name === 'runc' && (await readStartFifo(fifo))) return
      await mustSucceed(id, ['start', id])
    },
    kill: (id, signal) => mustSucceed(id, ['kill', id, String(signal)]),
    async delete(id, { force = false } = {}) {
      const result = await call(['delete', ...(force ? ['--force'] : []), id])
      if (result.code !== 0 && !MISSING.test(result.stderr)) throw failureOf(result.stderr, id, 'delete')
    },
    async state(id) {
      const result = await call(['state', id])
      if (result.code === 0) return JSON.parse(result.stdout) as RuntimeState
      if (MISSING.test(result.stderr)) return undefined
      throw failureOf(result.stderr, id, 'state')
    },
    pause: (id) => mustSucceed(id, ['pause', id]),
    resume: (id) => mustSucceed(id, ['resume', id]),
    update: (id, resources) => mustSucceed(id, ['update', '--resources', '-', id], JSON.stringify(resources)),
  }
}

/**
 * Lets a created container go by reading its fifo. False when that is not how this runtime waits, or nobody waits at
 * the other end: then the runtime's own start finds the words for it.
 */
async function readStartFifo(fifo: string): Promise<boolean> {
  let file: FileHandle
  try {
    file = await open(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
  await using _ = file
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await hasByte(file)) {
      await unlink(fifo)
      return true
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return false
}

async function hasByte(file: FileHandle): Promise<boolean> {
  try {
    return (await file.read(Buffer.alloc(16), 0, 16, null)).bytesRead > 0
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return false
    throw error
  }
}

const MISSING = /does not exist|No such file or directory|not found/i
const NOT_RUNNING = /container not running|not running|process already finished|kill container.*No such process/i

function failureOf(stderr: string, id: string, verb: string): BaleError {
  const text = messageOf(stderr)
  if (MISSING.test(text) && verb !== 'start') return new BaleError('CONTAINER_NOT_FOUND', `No such container: ${id}`)
  if (NOT_RUNNING.test(text)) return new BaleError('CONTAINER_NOT_RUNNING', `Container ${id} is not running`)
  if (verb === 'start') return runtimeFailure(text, 'start')
  return new BaleError('RUNTIME_FAILED', `${verb} of container ${id.slice(0, 12)} failed: ${printable(text, 1000)}`)
}

/** runc writes logrus lines (`time=… level=error msg="…"`): the last message is the reason. */
function messageOf(stderr: string): string {
  const messages = [...stderr.matchAll(/level=(?:error|fatal) msg=("(?:[^"\\]|\\.)*"|\S+)/g)].map((match) => match[1]!)
  const last = messages.at(-1)
  return last ? (last.startsWith('"') ? String(JSON.parse(last)) : last) : stderr.trim()
}

/**
 * crun refuses hybrid cgroups when it sees /sys/fs/cgroup/unified. In a private mount namespace without that mount it
 * works as on version 1, so there it is started by a small script.
 */
async function crunProgram(program: string, options: RuntimeOptions): Promise<string> {
  const layout = cgroupLayout()
  if (layout.version === 2 || !layout.mounts.includes('/sys/fs/cgroup/unified')) return program
  const script = join(options.stateFolder, '..', 'crun-hybrid')
  await mkdir(options.stateFolder, { recursive: true, mode: 0o700 })
  const inner = `umount -l /sys/fs/cgroup/unified && exec ${program} --cgroup-manager cgroupfs "$@"`
  await writeFile(script, `#!/bin/sh\nexec unshare -m sh -c '${inner}' crun "$@"\n`)
  await chmod(script, 0o700)
  return script
}
