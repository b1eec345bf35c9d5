import { statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { isAlive, thisProcess } from '#host'
import { removeTree } from '#host/file'
import {
  type AttachSession,
  type ExecSession,
  ensureApparmorProfile,
  execMonitored,
  type TerminalSize,
} from '../runtime/index.ts'
import {
  mergeEnvironment,
  type OciProcess,
  ociProcess,
  processEnvironment,
  readMachine,
  resolveUser,
} from '../spec/index.ts'
import { type Machinery, mustBeVisible, newId, type SeenContainer, seeContainer } from '../state/index.ts'

/** One more process for a running container. Members that are missing are taken from the container's configuration. */
export interface ExecRequest {
  args: string[]
  env?: string[]
  workingDir?: string
  user?: string
  tty?: boolean
  stdin?: boolean
  privileged?: boolean
  /** Runs on its own; there is no session. */
  detach?: boolean
  size?: TerminalSize
}

/** A process that `exec` started. Disposing it removes what it needed; the process should have ended. */
export interface RunningExec extends AsyncDisposable {
  /** On the host. */
  pid: number
  /** Undefined when detached. */
  attach?: AttachSession
  /** The process's own exit code, 128 + signal. Read the output beside waiting for it. */
  exit(): Promise<number>
}

/** Starts a further process in a running container. Throws COMMAND_NOT_FOUND and the like when it cannot be run. */
export async function execContainer(
  machinery: Machinery,
  idOrName: string,
  request: ExecRequest,
): Promise<RunningExec> {
  const seen = await seeContainer(machinery, idOrName)
  const { record } = seen
  if (seen.status === 'paused')
    throw new BaleError('CONFLICT', `Container ${idOrName} is paused, unpause the container before exec`)
  if (seen.status !== 'running')
    throw new BaleError('CONTAINER_NOT_RUNNING', `Container ${record.id} is not running`, {
      next: { act: 'start-container', name: idOrName },
    })
  mustBeVisible(seen)
  const process = execProcess(machinery, seen, request)
  if (process.apparmorProfile !== undefined)
    await ensureApparmorProfile(process.apparmorProfile, { programs: machinery.programs, run: machinery.store.run })
  const bundle = join(machinery.store.run, 'x', newId().slice(0, 16))
  const exitDirectory = join(bundle, 'x')
  await mkdir(exitDirectory, { recursive: true, mode: 0o700 })
  await writeFile(join(bundle, 'maker.json'), JSON.stringify(thisProcess()))
  const remove = () => removeTree(bundle)
  try {
    const session = await execMonitored({
      id: record.id,
      runtime: await machinery.runtime(record.document.runtime),
      programs: machinery.programs,
      bundle,
      exitDirectory,
      terminal: request.tty ?? false,
      stdin: request.stdin ? 'once' : 'closed',
      process,
      detach: request.detach,
      // Nobody of us is there when a detached process ends.
      exitCommand: request.detach ? [machinery.programs.need('rm'), '-rf', bundle] : undefined,
    })
    return await begun(session, request, remove)
  } catch (error) {
    await remove()
    throw error
  }
}

async function begun(session: ExecSession, request: ExecRequest, remove: () => Promise<void>): Promise<RunningExec> {
  const { attach } = session
  if (attach && request.size) await attach.resize(request.size)
  let pid: number
  try {
    pid = await session.begin()
  } catch (error) {
    attach?.close()
    throw error
  }
  return {
    pid,
    attach,
    exit: () => session.exit(),
    async [Symbol.asyncDispose]() {
      attach?.close()
      session.release()
      if (!request.detach) await remove()
    },
  }
}

function execProcess(machinery: Machinery, seen: SeenContainer, request: ExecRequest): OciProcess {
  const { config, host } = seen.record.document
  const terminal = request.tty ?? false
  const env = processEnvironment(config.Env, { hostname: config.Hostname, terminal })
  return ociProcess(
    {
      args: request.args,
      env: mergeEnvironment(env, request.env ?? []),
      cwd: request.workingDir || config.WorkingDir || '/',
      terminal,
      user: userInside(machinery, seen, request),
    },
    request.privileged ? { ...host, privileged: true } : host,
    readMachine(),
  )
}

/**
 * Who the process is, by the accounts in the container's root file system as it is now: like at the start, what is
 * mounted over them does not count. The container's end may come between the look and this.
 */
function userInside(
  machinery: Machinery,
  { record, state }: SeenContainer,
  request: ExecRequest,
): ReturnType<typeof resolveUser> {
  const { config, host } = record.document
  try {
    const root = rootOf(machinery, record.id, state.process!.pid)
    return resolveUser(root, request.user ?? config.User ?? '', host.groupAdd)
  } catch (cause) {
    if (!['ENOENT', 'ESRCH'].includes(errnoOf(cause) ?? '') || isAlive(state.process!)) throw cause
    throw new BaleError('CONTAINER_NOT_RUNNING', `Container ${record.id} is not running`, { cause })
  }
}

/** The root file system without the container's mounts where it is mounted here, else as the container's process has it. */
function rootOf({ rootfs }: Machinery, id: string, pid: number): string {
  const seen = `/proc/${pid}/root`
  const own = statSync(rootfs.targetOf(id), { throwIfNoEntry: false })
  const inside = statSync(`${seen}/`)
  return own?.dev === inside.dev && own.ino === inside.ino ? rootfs.targetOf(id) : seen
}
