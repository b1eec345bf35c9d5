import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { BaleError, errnoOf } from '#base'
import { connect, SOCK, socket } from './syscalls.ts'

/** A connected SOCK_SEQPACKET unix socket: packet borders are kept in both directions. */
export interface PacketSocket {
  /** Packets as they arrive, until the other side closes. One reader only; leaving the loop closes the socket. */
  packets(): AsyncIterable<Uint8Array>
  /** Sends one packet; resolves when it is on its way, so awaiting it is the backpressure. */
  send(packet: Uint8Array): Promise<void>
  /** Shuts the sending half down: the other side sees the end. */
  end(): void
  close(): void
}

interface PipeHandle {
  open(fd: number): void
}

/**
 * Connects to a SEQPACKET socket at a path of at most 107 bytes. Node's net refuses such a descriptor, but its pipe
 * handle reads and writes it as it is, on the event loop: one read is one packet, one write too as long as only one
 * is under way (several queued ones would be gathered into one packet). The handle is reached by process.binding,
 * deprecated (DEP0111) but without a public counterpart.
 */
export function connectPackets(path: string): PacketSocket {
  const fd = socket(SOCK.SEQPACKET | SOCK.CLOEXEC | SOCK.NONBLOCK)
  try {
    connect(fd, path)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  const stream = new Socket(withHandle(pipeHandle(fd)))
  let failure: Error | undefined
  stream.on('error', (error) => {
    failure = error
  })
  // From now on, not from the first read on: a short life may be over, and its socket reset, before anybody asks.
  const arrived = collectPackets(stream)
  return {
    packets: () => arrived.packets(),
    send: (packet) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        stream.write(packet, (error) => (error ? reject(error) : resolve()))
      }),
    end: () => {
      stream.end()
    },
    close: () => {
      stream.destroy()
    },
  }
}

/** The handle option is not part of Node's typed surface. */
function withHandle(handle: PipeHandle): ConstructorParameters<typeof Socket>[0] {
  return { handle, allowHalfOpen: true } as unknown as ConstructorParameters<typeof Socket>[0]
}

/** More packets than this wait for the consumer only by making the sender wait. */
const QUEUED_PACKETS = 64

/** Each 'data' event of a flowing stream is one packet; the stream's own iterator would join what is buffered. */
function collectPackets(stream: Socket): { packets(): AsyncGenerator<Uint8Array> } {
  const queue: Uint8Array[] = []
  let ended: { error?: Error } | undefined
  let wake: () => void = () => undefined
  stream.on('data', (packet: Uint8Array) => {
    queue.push(packet)
    if (queue.length >= QUEUED_PACKETS) stream.pause()
    wake()
  })
  const finish = (error?: Error) => {
    ended ??= { error }
    wake()
  }
  stream.on('end', () => finish())
  stream.on('close', () => finish())
  stream.on('error', finish)
  async function* packets(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const packet = queue.shift()
        if (packet) yield packet
        else if (ended) break
        else {
          stream.resume()
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
      // The peer may vanish instead of closing; for a stream of packets that is its end.
      if (ended.error && !['ECONNRESET', 'EPIPE'].includes(codeOf(ended.error))) throw ended.error
    } finally {
      stream.destroy()
    }
  }
  return { packets }
}

function codeOf(error: unknown): string {
  return errnoOf(error) ?? String((error as { code?: unknown }).code)
}

function pipeHandle(fd: number): PipeHandle {
  const binding = (process as unknown as { binding?: (name: string) => { Pipe: new (type: number) => PipeHandle } })
    .binding
  if (!binding) {
    closeSync(fd)
    throw new BaleError('UNSUPPORTED_HOST', 'this Node has no pipe handles for SEQPACKET sockets', {
      hint: 'use Node 24',
    })
  }
  const { Pipe } = binding('pipe_wrap')
  const handle = new Pipe(0)
  handle.open(fd)
  return handle
}
