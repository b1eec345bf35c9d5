import { type AddressInfo, isIP, type Server } from 'node:net'
import { BaleError, errnoOf } from '#base'

/** Listens, and answers the address as it is written in URLs. CONFLICT when another program listens there. */
export function listen(server: Server, { host, port }: { host: string; port: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, `${host}:${port}`)))
    server.listen(port, host, () => {
      const bound = server.address() as AddressInfo
      resolve(`${isIP(host) === 6 ? `[${host}]` : host}:${bound.port}`)
    })
  })
}

function listenError(error: Error, address: string): Error {
  if (errnoOf(error) !== 'EADDRINUSE') return error
  return new BaleError('CONFLICT', `another program listens on ${address}`, {
    next: { act: 'choose-listen-address' },
    cause: error,
  })
}
