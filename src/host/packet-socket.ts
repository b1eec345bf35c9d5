import { errnoOf } from '#base'

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

/** Bytes; larger than any packet of a monitor. */
export const PACKET_LIMIT = 256 * 1024

/** The peer closed, perhaps without having read everything. */
export const isPeerGone = (error: unknown) => ['ECONNRESET', 'EPIPE'].includes(codeOf(error))

export const isWouldBlock = (error: unknown) => codeOf(error) === 'EAGAIN'

function codeOf(error: unknown): string {
  return errnoOf(error) ?? String((error as { code?: unknown }).code)
}
