import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A body of more bytes than this is not worth reading to keep the connection. */
const WORTH_READING = 1024 * 1024
/** A refused client may still be sending; for so many milliseconds it is listened to, so that it sees the answer. */
const PATIENCE = 10_000

/**
 * To be called before an answer that does not wait for the end of the body: a connection on which much more comes, or
 * nobody knows how much, is not kept.
 */
export function announceClose(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return
  const length = Number(request.headers['content-length'] ?? Number.NaN)
  if (length <= WORTH_READING) return
  response.setHeader('Connection', 'close')
  linger(request.socket)
}

/** To be called when a request was answered: reads what is left of its body, and ends the connection if that takes long. */
export function leaveBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  const timer = setTimeout(() => request.socket.destroy(), PATIENCE)
  const end = () => clearTimeout(timer)
  request.once('end', end).once('close', end).once('error', end)
  request.resume()
}

/**
 * A socket that is closed while bytes come in resets the connection, and the client may lose the answer that it has not
 * read yet. So only our side is closed; the other closes when the client has seen that, or its body has come to its end.
 */
function linger(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end()
    const timer = setTimeout(() => socket.destroy(), PATIENCE)
    socket.once('close', () => clearTimeout(timer))
  }
}
