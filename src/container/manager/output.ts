import { BaleError, isBaleError } from '#base'
import type { Container } from '../model/index.ts'
import {
  type AttachSession,
  type LogFrame,
  logAttributes,
  readLog,
  resizeTerminal,
  type TerminalSize,
} from '../runtime/index.ts'
import { announce, findContainer, type Machinery, pathsOf, see, seeContainer } from '../state/index.ts'
import { openSession } from './container-session.ts'
import { logPlace } from './log-keeper.ts'

export interface Attached {
  record: Container
  session: AttachSession
  monitor: { pid: number; startTime: number }
}

/** Connects to a running container's standard streams; earlier output is in the log. */
export async function attachContainer(machinery: Machinery, idOrName: string): Promise<Attached> {
  const { record, status, state } = await seeContainer(machinery, idOrName)
  if (status === 'paused') throw new BaleError('CONFLICT', 'You cannot attach to a paused container, unpause it first')
  if (status !== 'running') throw new BaleError('CONFLICT', 'You cannot attach to a stopped container, start it first')
  return { record, session: await openSession(machinery, record), monitor: state.monitor! }
}

export async function resizeContainer(machinery: Machinery, idOrName: string, size: TerminalSize): Promise<void> {
  const record = await findContainer(machinery, idOrName)
  await resizeTerminal(pathsOf(machinery, record.id).bundle, size)
  await announce(machinery, record, 'resize', { height: `${size.rows}`, width: `${size.columns}` })
}

/** The part of a log to read: the last `tail` lines, written between `since` and `until`. */
export interface LogRequest {
  tail?: number
  /** Nanoseconds since 1970. */
  since?: bigint
  until?: bigint
  follow?: boolean
  signal?: AbortSignal
}

/** What a container has written, and what its log options add to each line (`--details`). */
export interface ContainerOutput {
  tty: boolean
  attributes: Record<string, string>
  frames: AsyncIterable<LogFrame>
}

/** The log of a container as it was written; `follow` continues until it ends. Throws CONTAINER_NOT_FOUND at once. */
export async function containerOutput(
  machinery: Machinery,
  idOrName: string,
  request: LogRequest = {},
): Promise<ContainerOutput> {
  const { id, name, document } = await findContainer(machinery, idOrName)
  const { config, host, image } = document
  const attributes = logAttributes(host.log, { id, name, image, labels: config.Labels, env: config.Env })
  return { tty: config.Tty, attributes, frames: containerLog(machinery, id, request) }
}

/** The output of a container over all its lives; following ends when it no longer runs. */
export async function* containerLog(
  machinery: Machinery,
  idOrName: string,
  request: LogRequest = {},
): AsyncGenerator<LogFrame> {
  const record = await findContainer(machinery, idOrName)
  if (record.document.host.log?.driver === 'none')
    throw new BaleError('UNSUPPORTED', 'configured logging driver does not support reading')
  const { follow, signal, ...options } = request
  const ended = async () => {
    try {
      const { status } = await see(machinery, await findContainer(machinery, record.id))
      return status !== 'running' && status !== 'paused' && status !== 'restarting'
    } catch (error) {
      if (isBaleError(error, 'CONTAINER_NOT_FOUND')) return true
      throw error
    }
  }
  yield* readLog(logPlace(machinery, record.id), { ...options, ...(follow && { follow: { ended, signal } }) })
}
