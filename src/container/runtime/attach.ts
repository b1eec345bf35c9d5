import { constants, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BaleError, errnoOf, type OperationOptions } from '#base'
import { connectPackets, type PacketSocket, processSockets } from '#host'
import { monotonic, waitTeller } from '#host/file'

/** One piece of a container's output. With a terminal everything is stdout. */
export interface OutputFrame {
  stream: 'stdout' | 'stderr'
  bytes: Uint8Array
}

/**
 * A live connection to a process's standard streams. Its output must be read (or the session closed): a client that
 * does not read stops the process by backpressure through the monitor.
 */
export interface AttachSession extends AsyncDisposable {
  /** Output from now on, until the process ends. One reader only. */
  output(): AsyncIterable<OutputFrame>
  /** stdin; resolves when taken, so awaiting it is the backpressure. */
  write(bytes: Uint8Array): Promise<void>
  /** Ends stdin. */
  endInput(): void
  /** Resizes the terminal. Resolves with the size that was sent: undefined when a newer one replaced it. */
  resize(size: TerminalSize): Promise<TerminalSize | undefined>
  /** Closes because whoever is connected wants to leave a process that goes on. */
  detach(): Promise<void>
  close(): void
}

/** Size of a terminal in characters. */
export interface TerminalSize {
  rows: number
  columns: number
}

/** conmon reads at most 32 KiB of a packet and drops the rest. */
const INPUT_PACKET = 16 * 1024

/** Connects to the attach socket in a monitor's bundle. It has no replay: connect before the process starts. */
export function attachTo(bundle: string): AttachSession {
  let socket: PacketSocket
  try {
    socket = connectPackets(join(bundle, 'attach'))
  } catch (cause) {
    if (!['ENOENT', 'ECONNREFUSED'].includes(errnoOf(cause) ?? '')) throw cause
    throw new BaleError('CONTAINER_NOT_RUNNING', 'the container is not running: there is nothing to attach to', {
      cause,
    })
  }
  const resize = oneAtATime((size: TerminalSize) => resizeTerminal(bundle, size))
  return {
    output: () => frames(socket),
    async write(bytes) {
      for (let offset = 0; offset < bytes.length; offset += INPUT_PACKET)
        await socket.send(bytes.subarray(offset, offset + INPUT_PACKET))
    },
    endInput: () => socket.end(),
    resize,
    detach: async () => socket.close(),
    close: () => socket.close(),
    async [Symbol.asyncDispose]() {
      socket.close()
    },
  }
}

/**
 * Like `attachTo`, for a process that has not been started yet. Start it only after `taken` has resolved. Until then the
 * connection is merely queued in the kernel, and a monitor that notices the end of its process first exits without accepting
 * it, so that all output is lost: conmon checks for exited children before it polls its sockets again. `monitor` is its pid.
 */
export function attachAhead(
  bundle: string,
  monitor: number,
): { session: AttachSession; taken(options?: OperationOptions): Promise<void> } {
  // An accepted connection is a new socket among the monitor's descriptors.
  const before = new Set(processSockets(monitor))
  const session = attachTo(bundle)
  return {
    session,
    async taken({ signal, progress } = {}) {
      const tell = waitTeller('the monitor of the container', progress)
      for (let pause = 1; ; pause = Math.min(pause * 2, 64)) {
        const sockets = processSockets(monitor)
        // A monitor keeps its listening socket until it exits. If it has, starting the process will report that.
        if (sockets.length === 0 || sockets.some((one) => !before.has(one))) return
        tell()
        await sleep(pause, undefined, { signal })
      }
    },
  }
}

/** When conmon finds two messages it takes the first one twice, so it gets time to read each. */
const MESSAGE_GAP_MILLISECONDS = 50

function oneAtATime(send: (size: TerminalSize) => Promise<void>): AttachSession['resize'] {
  let wanted: TerminalSize | undefined
  let mayGo = Number.NEGATIVE_INFINITY
  let before: Promise<unknown> = Promise.resolve()
  const sendWanted = async () => {
    if (!wanted) return undefined
    const wait = mayGo - monotonic()
    if (wait > 0) await sleep(wait)
    // The newest size is sent for all that were requested meanwhile.
    const size = wanted
    wanted = undefined
    try {
      await send(size)
    } finally {
      mayGo = monotonic() + MESSAGE_GAP_MILLISECONDS
    }
    return size
  }
  return (size) => {
    wanted = size
    const sent = before.then(sendWanted, sendWanted)
    before = sent
    return sent
  }
}

/** First byte of a packet: 2 is stdout, 3 stderr. */
async function* frames(socket: PacketSocket): AsyncGenerator<OutputFrame> {
  for await (const packet of socket.packets())
    if (packet.length > 1) yield { stream: packet[0] === 3 ? 'stderr' : 'stdout', bytes: packet.subarray(1) }
}

export function resizeTerminal(bundle: string, size: TerminalSize): Promise<void> {
  return control(bundle, `1 ${size.rows} ${size.columns}\n`)
}

/** Makes the monitor close its log and reopen it under the same name: rename it first to rotate it. */
export function reopenLog(bundle: string): Promise<void> {
  return control(bundle, '2 0 0\n')
}

async function control(bundle: string, command: string): Promise<void> {
  const path = join(bundle, 'ctl')
  if (!existsSync(path)) return
  try {
    await using file = await open(path, constants.O_WRONLY | constants.O_NONBLOCK)
    await file.write(command)
  } catch (error) {
    // The monitor is gone, before or after the fifo was opened: there is nobody to notify.
    if (!['ENXIO', 'ENOENT', 'EPIPE'].includes(errnoOf(error) ?? '')) throw error
  }
}
