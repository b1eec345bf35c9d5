import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { asError, BaleError } from '#base'

type Ldapts = typeof import('ldapts')
export type LdapClient = InstanceType<Ldapts['Client']>

/** Where a directory is, and how it is spoken to. */
export interface LdapServer {
  /** `ldaps://ldap.example`, or `ldap://` with or without StartTLS. */
  url: string
  startTls: boolean
  /** PEM; the system's authorities by default. */
  ca?: string
  /** For a login as a whole, in milliseconds. */
  timeout: number
}

/**
 * Works with a directory over a connection of its own, and ends it. UNAVAILABLE when that is not done in time, or fails in
 * another way than one that `work` handles. Nothing is sent before TLS is there, if there is to be any: the library would make a
 * new, plain connection when one broke.
 */
export async function withDirectory<T>(server: LdapServer, work: (client: LdapClient) => Promise<T>): Promise<T> {
  // Loaded at the first login: a registry without a directory does without it.
  const { Client } = await import('ldapts')
  const address = new URL(server.url)
  let socket: Socket | undefined
  const deadline = setTimeout(() => socket?.destroy(new Error(`no answer in ${server.timeout} ms`)), server.timeout)
  try {
    socket = await opened(address, server, (made) => (socket = made))
    const client = new Client({ url: 'ldap://ignored', timeout: server.timeout, createConnection: once(socket) })
    if (server.startTls) await client.startTLS(tlsOf(address, server))
    return await work(client)
  } catch (error) {
    if (error instanceof BaleError) throw error
    throw new BaleError('UNAVAILABLE', `the directory ${server.url} cannot be asked: ${reasonOf(error, socket)}`, {
      cause: error,
    })
  } finally {
    clearTimeout(deadline)
    socket?.on('error', () => undefined)
    socket?.destroy()
  }
}

/** The library tells that a connection ended, the connection why. */
function reasonOf(error: unknown, socket: Socket | undefined): string {
  const why = socket?.errored && socket.errored !== error ? ` (${socket.errored.message})` : ''
  return `${asError(error).message.split('\n')[0]}${why}`
}

function opened(address: URL, server: LdapServer, made: (socket: Socket) => void): Promise<Socket> {
  const secure = address.protocol === 'ldaps:'
  const host = hostOf(address)
  const port = Number(address.port || (secure ? 636 : 389))
  return new Promise((resolve, reject) => {
    const socket = secure ? connectTls({ ...tlsOf(address, server), host, port }) : connect({ host, port })
    made(socket)
    socket.once(secure ? 'secureConnect' : 'connect', () => resolve(socket))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
  })
}

function tlsOf(address: URL, { ca }: LdapServer): ConnectionOptions {
  const host = hostOf(address)
  return { host, ...(isIP(host) === 0 && { servername: host }), ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2' }
}

const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1')

function once(socket: Socket): typeof connect {
  let taken = false
  const give = () => {
    if (taken) throw new Error('the connection was closed')
    taken = true
    return socket
  }
  return give as typeof connect
}
