import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { notRunning } from '#docker'
import { claim, isAlive, processIdentity } from '#host'
import { removeTree } from '#host/file'
import { type Container, containerEvent } from '../model/index.ts'
import {
  type AttachSession,
  type ExecSession,
  ensureApparmorProfile,
  openExecMonitor,
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
import { announce, type Machinery, mustBeVisible, newId, type SeenContainer, seeContainer } from '../state/index.ts'
import { leaveFileAlone } from './alone.ts'
import { announceExecEnd, type ExecPlace, execPlace, takeExit, unattendedEnd } from './exec-end.ts'
import { type ExecRecord, forgetExec, forgetOldExecs, keepExec } from './exec-records.ts'

/** One more process for a running container. Members that are missing are taken from the container's configuration. */
export interface ExecRequest {
  args: string[]
  env?: string[]
  workingDir?: string
  user?: string
  tty?: boolean
  stdin?: boolean
  privileged?: boolean
  /** Runs in the background, without a session. */
  detach?: boolean
  size?: TerminalSize
}

/** A process that `exec` started. Dispose it when the process has ended: that removes its directory. */
export interface RunningExec extends AsyncDisposable {
  /** 64 hexadecimal digits. */
  id: string
  /** On the host. */
  pid: number
  /** Undefined when detached. */
  attach?: AttachSession
  /** The process's own exit code, 128 + signal; 255 after a detach. Read the output while waiting for it. */
  exit(): Promise<number>
}

/** Starts another process in a running container. Throws COMMAND_NOT_FOUND and the like when it cannot be run. */
export async function execContainer(
  machinery: Machinery,
  idOrName: string,
  request: ExecRequest,
): Promise<RunningExec> {
  const seen = await seeContainer(machinery, idOrName)
  const { id, document } = seen.record
  if (seen.status === 'paused')
    throw new BaleError('CONFLICT', `Container ${idOrName} is paused, unpause the container before exec`)
  if (seen.status !== 'running') throw notRunning(id, { next: { act: 'start-container', name: idOrName } })
  mustBeVisible(seen)
  const process = execProcess(machinery, seen, request)
  if (process.apparmorProfile !== undefined)
    await ensureApparmorProfile(process.apparmorProfile, { programs: machinery.programs, run: machinery.store.run })
  const record = execRecord(seen, request, process)
  const bundle = join(machinery.store.run, 'x', record.id.slice(0, 16))
  const place = execPlace(machinery, record, bundle)
  await mkdir(place.exitDirectory, { recursive: true, mode: 0o700 })
  await claim(join(bundle, 'maker.json'))
  if (request.detach) await leaveFileAlone(place.alone)
  try {
    using monitor = await openExecMonitor({
      id,
      runtime: await machinery.runtime(document.runtime),
      programs: machinery.programs,
      bundle,
      exitDirectory: place.exitDirectory,
      terminal: request.tty ?? false,
      stdin: request.stdin ? 'once' : 'closed',
      process,
      detach: request.detach,
      exitCommand: unattendedEnd(machinery, record, place),
    })
    await forgetOldExecs(machinery, id, machinery.clock.now())
    await keepExec(machinery, record)
    // As docker joins them, with a blank after a program without arguments.
    const command = `${request.args[0]} ${request.args.slice(1).join(' ')}`
    const named = (action: string) => containerEvent(seen.record, `${action}: ${command}`, { execID: record.id })
    await machinery.store.events.add([named('exec_create'), named('exec_start')])
    return await begun(machinery, await monitor.prepare(), { container: seen.record, record, request, place })
  } catch (error) {
    await removeTree(bundle)
    await forgetExec(machinery, record)
    throw error
  }
}

function execRecord({ record }: SeenContainer, request: ExecRequest, { env, cwd }: OciProcess): ExecRecord {
  const { args, tty = false, stdin = false, privileged = false, detach = false } = request
  const user = request.user ?? record.document.config.User ?? ''
  return {
    id: newId(),
    containerId: record.id,
    process: { args, env, workingDir: cwd, user, tty, privileged },
    stdin,
    detach,
  }
}

async function begun(
  machinery: Machinery,
  session: ExecSession,
  {
    container,
    record,
    request,
    place,
  }: { container: Container; record: ExecRecord; request: ExecRequest; place: ExecPlace },
): Promise<RunningExec> {
  const { attach } = session
  // One of them at most: this process, or the monitor, reports the end.
  let unattended = request.detach ?? false
  let reported = false
  if (attach && request.size) await attach.resize(request.size)
  let pid: number
  try {
    pid = await session.begin()
  } catch (error) {
    attach?.close()
    throw error
  }
  const running = { ...record, identity: processIdentity(pid) }
  await keepExec(machinery, running)
  return {
    id: record.id,
    pid,
    attach: attach && {
      ...attach,
      async detach() {
        await attach.detach()
        await announce(machinery, container, 'exec_detach', { execID: record.id })
        if (reported) return
        unattended = true
        await leaveFileAlone(place.alone)
        // It may have ended just before: its monitor has not seen that nobody waits.
        if (await takeExit(place)) await announceExecEnd(machinery, record.id)
      },
    },
    async exit() {
      const exitCode = await session.exit()
      if (unattended) return exitCode
      reported = true
      await keepExec(machinery, { ...running, exitCode })
      await announce(machinery, container, 'exec_die', { execID: record.id, exitCode: `${exitCode}` })
      return exitCode
    },
    async [Symbol.asyncDispose]() {
      attach?.close()
      session.release()
      if (!unattended) await removeTree(place.bundle)
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
 * The user of the process, by the accounts in the container's root file system as it is now: as at the start, files mounted
 * over them do not count. The container may exit between the check and this.
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
    throw notRunning(record.id, { cause })
  }
}

/** The root file system without the container's mounts where it is mounted here, else as the container's process has it. */
function rootOf({ rootfs }: Machinery, id: string, pid: number): string {
  const seen = `/proc/${pid}/root`
  const own = statSync(rootfs.targetOf(id), { throwIfNoEntry: false })
  const inside = statSync(`${seen}/`, { throwIfNoEntry: false })
  // A process that is ending has no root any more, a moment before it stops looking alive.
  if (!inside) throw notRunning(id)
  return own?.dev === inside.dev && own.ino === inside.ino ? rootfs.targetOf(id) : seen
}
