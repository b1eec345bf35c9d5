import type { Server } from 'node:https'
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { challengeCertificate } from './certificates.ts'
import { readClientHello } from './client-hello.ts'

/** Source: RFC 8737 section 4. */
const PROTOCOL = 'acme-tls/1'
const PATIENCE = 10_000
/** One record, which is what a client sends first. */
const LONGEST_HELLO = 5 + (1 << 14)

/**
 * Answers handshakes of authorities (tls-alpn-01) at the address of a server; all others begin there as ever. `answer` says
 * what an authority wants to hear about a name, and never rejects. Call it before the server listens.
 */
export function answerHandshakes(server: Server, answer: (name: string) => Promise<string | undefined>): void {
  // Node chooses a certificate by the name alone, before it knows the protocol; so what the client says is read before.
  const accept = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const pass = () => {
      for (const listener of accept) listener.call(server, socket)
    }
    readHello(socket, (name) => (name === undefined ? pass() : void answerOne(socket, name, answer)))
  })
}

/** Tells the name that an authority asks about, or undefined for everybody else, whose bytes are as if unread. */
function readHello(socket: Socket, tell: (name: string | undefined) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  const timer = setTimeout(() => socket.destroy(), PATIENCE)
  const over = () => {
    clearTimeout(timer)
    socket.off('readable', read).off('close', over).off('error', ignore)
  }
  const read = () => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    bytes = Buffer.concat([bytes, chunk])
    const hello = readClientHello(bytes)
    if (hello === 'more' && bytes.length < LONGEST_HELLO) return
    over()
    const asks = typeof hello === 'object' && hello.protocols.length === 1 && hello.protocols[0] === PROTOCOL
    socket.unshift(bytes)
    tell(asks ? (hello.serverName ?? '') : undefined)
  }
  const ignore = () => undefined
  socket.on('readable', read).once('close', over).on('error', ignore)
}

/** The handshake is all that an authority wants. */
async function answerOne(
  socket: Socket,
  name: string,
  answer: (name: string) => Promise<string | undefined>,
): Promise<void> {
  socket.on('error', () => socket.destroy()).setTimeout(PATIENCE, () => socket.destroy())
  const keyAuthorization = await answer(name)
  if (keyAuthorization === undefined) return void socket.destroy()
  const secureContext = createSecureContext(challengeCertificate(name, keyAuthorization))
  const secured = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: [PROTOCOL] })
  secured.on('error', () => secured.destroy()).once('secure', () => secured.end())
}
