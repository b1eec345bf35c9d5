import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { BaleError, errnoOf } from '#base'
import { connect, duplicate, recv, SOCK, socket } from './kernel/syscalls.ts'

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
 *
 * A peer that goes without having read all that was sent to it makes the next write, or even the next read, fail, and Node
 * would throw away the handle with what has arrived before. So each direction has a handle of its own on the one socket,
 * and after such an end the rest is taken from the socket itself: nothing that the peer wrote is lost.
 */
export function connectPackets(path: string): PacketSocket {
  const fd = socket(SOCK.SEQPACKET | SOCK.CLOEXEC | SOCK.NONBLOCK)
  let reader: Socket
  let writer: Socket
  try {
    connect(fd, path)
    reader = new Socket(withHandle(pipeHandle(duplicate(fd)), { writable: false }))
    writer = new Socket(withHandle(pipeHandle(duplicate(fd)), { readable: false }))
  } catch (error) {
    closeSync(fd)
    throw error
  }
  let failure: Error | undefined
  writer.on('error', (error) => {
    failure = error
  })
  // From now on, not from the first read on: a short life may be over, and its socket reset, before anybody asks.
  const arrived = collectPackets(reader, fd)
  return {
    packets: () => arrived.packets(),
    send: (packet) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        writer.write(packet, (error) => (error ? reject(error) : resolve()))
      }),
    end: () => {
      writer.end()
    },
    close: () => {
      writer.destroy()
      reader.destroy()
    },
  }
}

/** The handle option is not part of Node's typed surface. */
function withHandle(
  handle: PipeHandle,
  direction: { readable?: boolean; writable?: boolean },
): ConstructorParameters<typeof Socket>[0] {
  return { handle, allowHalfOpen: true, ...direction } as unknown as ConstructorParameters<typeof Socket>[0]
}

/** More packets than this wait for the consumer only by making the sender wait. */
const QUEUED_PACKETS = 64

/**
 * Each 'data' event of a flowing stream is one packet; the stream's own iterator would join what is buffered. `fd` is the
 * socket below it, closed with the stream.
 */
function collectPackets(stream: Socket, fd: number): { packets(): AsyncGenerator<Uint8Array> } {
  const queue: Uint8Array[] = []
  let failure: Error | undefined
  let ended = false
  let wake: () => void = () => undefined
  const finish = () => {
    ended = true
    wake()
  }
  stream.on('data', (packet: Uint8Array) => {
    queue.push(packet)
    if (queue.length >= QUEUED_PACKETS) stream.pause()
    wake()
  })
  stream.on('end', finish)
  stream.on('error', (error) => {
    failure = error
  })
  stream.on('close', () => {
    // The kernel tells of the reset before it gives out what came before it.
    if (failure && isReset(failure)) queue.push(...remaining(fd))
    closeSync(fd)
    finish()
  })
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
      if (failure && !isReset(failure)) throw failure
    } finally {
      stream.destroy()
    }
  }
  return { packets }
}

/** Larger than any packet of a monitor. */
const PACKET_LIMIT = 256 * 1024

/** What the kernel holds of a socket whose peer is gone. */
function remaining(fd: number): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (;;) {
    const room = Buffer.alloc(PACKET_LIMIT)
    try {
      const length = recv(fd, room)
      if (length === 0) return packets
      packets.push(room.subarray(0, length))
    } catch (error) {
      if (isReset(error)) continue
      if (errnoOf(error) === 'EAGAIN') return packets
      throw error
    }
  }
}

const isReset = (error: unknown) => ['ECONNRESET', 'EPIPE'].includes(codeOf(error))

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
