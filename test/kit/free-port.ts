import { randomInt } from 'node:crypto'
import { createServer, type ListenOptions, type Server } from 'node:net'
import { readTextSync } from '#host/file'

/**
 * A port of loopback that is free at this moment and stays so for this process: it is not among those that the kernel gives away,
 * and no other test gets it.
 */
export async function freePort(): Promise<number> {
  const { from, to } = notGivenAway()
  for (let tries = 0; tries < 1000; tries++) {
    const port = randomInt(from, to)
    if (await isFree(port)) return port
  }
  throw new Error(`no port from ${from} to ${to} is free`)
}

/** Ports that no connection has by itself, and few programs have by custom. */
function notGivenAway(): { from: number; to: number } {
  const [lowest = 0, highest = 0] = readTextSync('/proc/sys/net/ipv4/ip_local_port_range').split(/\s+/).map(Number)
  if (lowest >= 22_000) return { from: 20_000, to: lowest }
  return { from: Math.min(highest + 1, 60_000), to: 65_536 }
}

async function isFree(port: number): Promise<boolean> {
  // It goes with this process, and with nothing else.
  const claim = await listening({ path: `\0bale-test-port-${port}` })
  if (!claim) return false
  const server = await listening({ port, host: '127.0.0.1' })
  if (!server) return false
  await new Promise((resolve) => server.close(resolve))
  return true
}

async function listening(place: ListenOptions): Promise<Server | undefined> {
  const server = createServer().unref()
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(place, () => resolve(server))
  })
}
