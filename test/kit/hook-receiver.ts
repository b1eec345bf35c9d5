/** A server that hooks are told at, and what it was told. */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Message {
  headers: IncomingHttpHeaders
  body: string
  path: string
}

/** What is answered to a message; `hold`: nothing, ever. */
export type Reply = { status: number; headers?: Record<string, string>; body?: string } | 'hold'

export interface HookReceiver extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/hook` */
  readonly url: string
  readonly port: number
  readonly messages: readonly Message[]
  /** Of the messages, in order of arrival: `tag.set team/web:1`. */
  told(): string[]
  /** For the messages that come from now on: 204 at first. */
  reply: (message: Message) => Reply
}

export async function hookReceiver(): Promise<HookReceiver> {
  const messages: Message[] = []
  const sockets = new Set<Socket>()
  const server = createServer(async (request, response) => {
    const message = { headers: request.headers, body: await text(request), path: request.url ?? '' }
    messages.push(message)
    const reply = receiver.reply(message)
    if (reply !== 'hold') response.writeHead(reply.status, reply.headers).end(reply.body)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const receiver: HookReceiver = {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    messages,
    told: () => messages.map((message) => wordsOf(message)),
    reply: () => ({ status: 204 }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}

function wordsOf({ body }: Message): string {
  const { type, subject } = JSON.parse(body) as { type: string; subject: string }
  return `${type.replace('bale.registry.', '')} ${subject}`
}

/** The signature that a message must have, as Standard Webhooks computes it. */
export function signatureOf(secret: string, { headers, body }: Message): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}
