import { spawn } from 'node:child_process'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BaleError, errnoOf } from '#base'
import { claim, isVisible, type ProcessIdentity, processIdentity, readClaim, sendSignal } from '#host'
import { monotonic, readText, readTextSync } from '#host/file'
import type { Programs } from '../runtime/index.ts'

const READY_MILLISECONDS = 3000

/**
 * Makes sure that the network's name server listens on the gateway. netavark mistakes a zombie for a living server and only
 * signals it: then it is started here, in its own session, with the command line netavark uses.
 */
export async function assertNames(programs: Programs, directory: string, gateway: string): Promise<void> {
  if (serverPid(directory) === undefined) return
  if (!(await livingServer(directory))) startServer(programs, directory)
  const deadline = monotonic() + READY_MILLISECONDS
  while (!listens(gateway)) {
    if (monotonic() > deadline)
      throw new BaleError('NETWORK_SETUP_FAILED', `the network's name server cannot listen on ${gateway}:53`, {
        hint: "another program has the port on all addresses: ss -lnup 'sport = :53'",
      })
    await sleep(5)
  }
}

function startServer(programs: Programs, directory: string): void {
  const server = spawn(
    programs.need('aardvark-dns'),
    ['--config', join(directory, 'aardvark-dns'), '-p', '53', 'run'],
    {
      detached: true,
      stdio: 'ignore',
      cwd: '/',
      env: { PATH: programs.searchPath },
    },
  )
  server.unref()
}

/**
 * The server that wrote the pid file, when it lives. A number alone is not enough: it may be another program's by now, or
 * count in another pid namespace. So the identity of the server is recorded, and holds until that process is certainly dead.
 */
async function livingServer(directory: string): Promise<ProcessIdentity | undefined> {
  const pid = serverPid(directory)
  if (pid === undefined) return undefined
  const record = join(directory, 'name-server.json')
  const known = readClaim(record)
  if (known.owner?.pid === pid && known.state !== 'dead') return known.owner
  const found = processIdentity(pid)
  if (!found || !isServer(pid)) return undefined
  await claim(record, found)
  return found
}

/** Source: proc_pid_comm(5). */
function isServer(pid: number): boolean {
  try {
    return readTextSync(`/proc/${pid}/comm`).startsWith('aardvark')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

function serverPid(directory: string): number | undefined {
  try {
    return Number.parseInt(readTextSync(join(directory, 'aardvark-dns/aardvark.pid')), 10)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Source: proc_net_udp: local address as the number in memory order and port, both hexadecimal. */
function listens(gateway: string): boolean {
  const hex = Buffer.from(gateway.split('.').map(Number).reverse()).toString('hex').toUpperCase()
  return readTextSync('/proc/self/net/udp', { encoding: 'latin1' }).includes(` ${hex}:0035 `)
}

/**
 * Replaces the names of a container on a network. `key` is the network's name for netavark. The caller holds the
 * network's lock; nothing happens when the server does not know the container.
 */
export async function replaceNames(
  directory: string,
  key: string,
  owner: string,
  names: readonly string[],
): Promise<void> {
  const path = join(directory, 'aardvark-dns', key)
  let text: string
  try {
    text = await readText(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  // The server reads every file of its directory: the new one is made beside it.
  const made = join(directory, `${key}.names`)
  await writeFile(made, replacedNames(text, owner, names))
  await rename(made, path)
  const server = await livingServer(directory)
  if (server && isVisible(server)) sendSignal(server, 'SIGHUP')
}

/** One line for a container: ID, IPv4 addresses, IPv6 addresses, names, and sometimes its own servers. */
export function replacedNames(text: string, owner: string, names: readonly string[]): string {
  return text
    .split('\n')
    .map((line) => {
      const words = line.split(' ')
      return words[0] === owner ? words.with(3, names.join(',')).join(' ') : line
    })
    .join('\n')
}
