import { hostname } from 'node:os'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { readText, writeFileWithMode } from '#host/file'
import type { Connection, Container } from '../model/index.ts'
import {
  candidateOf,
  chooseGateway,
  hostHostsFile,
  hostResolvFile,
  hostsFile,
  machineEtcFiles,
  machineResolvConf,
  resolvFile,
} from '../network/index.ts'

/** The files of /etc that bale writes for a container, by name. */
export function etcFiles(
  { document: { config, host } }: Container,
  network: 'host' | readonly Connection[],
): Record<'hostname' | 'hosts' | 'resolv.conf', string> {
  const hostnameFile = { hostname: `${config.Hostname || hostname()}\n` }
  const asked = { servers: host.dns, search: host.dnsSearch, options: host.dnsOptions }
  if (network === 'host') {
    const machine = machineEtcFiles()
    return {
      ...hostnameFile,
      hosts: hostHostsFile(machine.hosts, host.extraHosts),
      'resolv.conf': hostResolvFile({ ...asked, host: machine.resolvConf }),
    }
  }
  const names = [config.Domainname ? `${config.Hostname}.${config.Domainname}` : '', config.Hostname]
  const addresses = network.flatMap(({ address, ipv6 }) => [address, ipv6?.address])
  const servers = nameServers(network)
  return {
    ...hostnameFile,
    hosts: hostsFile({
      extra: host.extraHosts,
      gateway: (outwardOf(network) ?? network[0])?.gateway,
      ...(network.length > 0 && { own: { addresses, names } }),
    }),
    'resolv.conf': resolvFile({
      ...asked,
      host: machineResolvConf(),
      nameServers: servers.map(({ gateway }) => gateway),
      internal: servers.every(({ internal }) => internal),
    }),
  }
}

function outwardOf(connections: readonly Connection[]): Connection | undefined {
  return chooseGateway(connections.map((one) => ({ ...candidateOf(one), connection: one })))?.connection
}

/**
 * Connections with a name server, one with a way out first. Each server knows the names on all networks of its client; that of an
 * internal network forwards nothing, so it is used only where there is no other.
 */
function nameServers(connections: readonly Connection[]): Connection[] {
  const withNames = connections.filter(({ dns }) => dns)
  const open = withNames.filter(({ internal }) => !internal)
  const first = outwardOf(connections)
  const sorted = open.toSorted((one, other) => Number(other === first) - Number(one === first))
  return sorted.length > 0 ? sorted : withNames
}

/** Brings the files of a running container in line with its networks; one that somebody changed keeps the change. */
export async function updateEtcFiles(
  directory: string,
  record: Container,
  before: readonly Connection[],
  after: readonly Connection[],
): Promise<void> {
  const [old, wanted] = [etcFiles(record, before), etcFiles(record, after)]
  for (const name of ['hosts', 'resolv.conf'] as const) {
    const path = join(directory, name)
    const present = await textOf(path)
    // It is mounted in the container: the file stays the same one.
    if (present === old[name]) await writeFileWithMode(path, wanted[name], 0o644)
    else if (present !== undefined && name === 'hosts')
      await writeFileWithMode(path, withLines(present, old[name], wanted[name]), 0o644)
  }
}

/** Lines that are not wanted any more go, those that are new come last. */
function withLines(present: string, old: string, wanted: string): string {
  const [oldLines, wantedLines] = [old.split('\n'), wanted.split('\n')]
  const gone = new Set(oldLines.filter((line) => !wantedLines.includes(line)))
  const kept = present.split('\n').filter((line) => !gone.has(line))
  const added = wantedLines.filter((line) => !oldLines.includes(line) && !kept.includes(line))
  return `${kept.join('\n').replace(/\n*$/, '\n')}${added.map((line) => `${line}\n`).join('')}`
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readText(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
