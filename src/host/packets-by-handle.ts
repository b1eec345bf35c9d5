import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { connect, duplicate, recv, SOCK, socket } from './kernel/syscalls.ts'
import { isPeerGone, isWouldBlock, PACKET_LIMIT, type PacketSocket } from './packet-socket.ts'

interface PipeHandle {
  open(fd: number): void
}

/** What gives Node's pipe handle, as `process.binding('pipe_wrap')` does. */
export type PipeBinding = { Pipe: new (type: number) => PipeHandle }

/**
 * A SEQPACKET socket on Node's event loop. Node's net refuses such a descriptor, but its pipe handle reads and writes it:
 * one read is one packet, and so is one write as long as only one is under way (queued ones would be joined).
 *
 * A peer that closes without having read everything makes the next write, or even the next read, fail, and Node then
 * drops the handle together with what had arrived before. Therefore each direction has a handle of its own, and after such
 * an end the rest is read from the socket itself.
 */
export function connectByHandle(path: string, binding: PipeBinding): PacketSocket {
  const fd = socket(SOCK.SEQPACKET | SOCK.CLOEXEC | SOCK.NONBLOCK)
  let reader: Socket
  let writer: Socket
  try {
    connect(fd, path)
    reader = new Socket(withHandle(pipeHandle(binding, duplicate(fd)), { writable: false }))
    writer = new Socket(withHandle(pipeHandle(binding, duplicate(fd)), { readable: false }))
  } catch (error) {
    closeSync(fd)
    throw error
  }
  let failure: Error | undefined
  writer.on('error', (error) => {
    failure = error
  })
  // From now on, not from the first read on: a short-lived process may be gone, and its socket reset, before the first read.
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
    // The kernel reports the reset before delivering earlier data.
    if (failure && isPeerGone(failure)) queue.push(...remaining(fd))
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
      if (failure && !isPeerGone(failure)) throw failure
    } finally {
      stream.destroy()
    }
  }
  return { packets }
}

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
      if (isPeerGone(error)) continue
      if (isWouldBlock(error)) return packets
      throw error
    }
  }
}

function pipeHandle({ Pipe }: PipeBinding, fd: number): PipeHandle {
  const handle = new Pipe(0)
  handle.open(fd)
  return handle
}
