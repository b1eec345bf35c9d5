import { closeSync } from 'node:fs'
import { connect, POLL, pollLater, recv, SHUT, SOCK, send, shutdown, socket } from './kernel/syscalls.ts'
import { isPeerGone, isWouldBlock, PACKET_LIMIT, type PacketSocket } from './packet-socket.ts'

/**
 * A SEQPACKET socket by system calls alone, for a Node that no longer gives out its pipe handle. A thread of libuv's pool
 * waits for the socket; the reads and writes themselves never block.
 */
export function connectByCalls(path: string): PacketSocket {
  const fd = socket(SOCK.SEQPACKET | SOCK.CLOEXEC | SOCK.NONBLOCK)
  try {
    connect(fd, path)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  let closed = false
  let waiting = 0
  const release = () => {
    if (closed && waiting === 0) closeSync(fd)
  }
  const close = () => {
    if (closed) return
    closed = true
    // Wakes the waiter; the number may belong to another file as soon as it is closed, so that comes last.
    if (waiting > 0) shutdown(fd, SHUT.BOTH)
    release()
  }
  const wait = async (events: number) => {
    waiting++
    try {
      await pollLater(fd, events)
    } finally {
      waiting--
      release()
    }
  }

  async function* packets(): AsyncGenerator<Uint8Array> {
    try {
      while (!closed) {
        const packet = receive(fd)
        if (packet === 'later') await wait(POLL.IN)
        else if (packet === 'end') return
        else yield packet
      }
    } finally {
      close()
    }
  }

  return {
    packets,
    async send(packet) {
      while (!closed) {
        try {
          send(fd, packet)
          return
        } catch (error) {
          if (!isWouldBlock(error)) throw error
        }
        await wait(POLL.OUT)
      }
      throw Object.assign(new Error('the socket is closed'), { code: 'EPIPE' })
    },
    end: () => {
      if (!closed) shutdown(fd, SHUT.WRITE)
    },
    close,
  }
}

function receive(fd: number): Uint8Array | 'later' | 'end' {
  for (;;) {
    const room = Buffer.alloc(PACKET_LIMIT)
    try {
      const length = recv(fd, room)
      return length === 0 ? 'end' : room.subarray(0, length)
    } catch (error) {
      if (isWouldBlock(error)) return 'later'
      // The kernel reports the reset once, then gives what had arrived before it.
      if (!isPeerGone(error)) throw error
    }
  }
}
