import { isIP } from 'node:net'
import { BaleError, errnoOf, printable } from '#base'
import { readTextSync } from '#host/file'

const FALLBACK_SERVERS = ['8.8.8.8', '8.8.4.4']

const LOCAL_NAMES = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

export interface HostsOptions {
  /** `NAME:ADDRESS`; the address may be `host-gateway`. */
  extra?: readonly string[]
  /** What `host-gateway` stands for. */
  gateway?: string
  /** The container's own line: address and names. */
  own?: { address: string; names: readonly string[] }
}

/** /etc/hosts of a container, as docker writes it. */
export function hostsFile(options: HostsOptions): string {
  const own = options.own ? [`${options.own.address}\t${options.own.names.filter(Boolean).join(' ')}`] : []
  const extra = (options.extra ?? []).map((entry) => {
    const { name, address } = parseExtraHost(entry)
    return `${address === 'host-gateway' ? (options.gateway ?? '127.0.0.1') : address}\t${name}`
  })
  return `${[...LOCAL_NAMES, ...extra, ...own].join('\n')}\n`
}

/** `NAME:ADDRESS` or `NAME=ADDRESS` (R10: no white space, so no second line can be smuggled in). */
export function parseExtraHost(entry: string): { name: string; address: string } {
  const [, name = '', address = ''] = /^([^:=]+)[:=](.+)$/s.exec(entry) ?? []
  const bare = address.replace(/^\[(.*)\]$/, '$1')
  if (!/^[A-Za-z0-9._-]+$/.test(name) || (bare !== 'host-gateway' && isIP(bare) === 0))
    throw new BaleError('INVALID_ARGUMENT', `bad format for add-host: ${JSON.stringify(printable(entry))}`, {
      hint: 'write NAME:ADDRESS, for example db:10.0.0.5 or host.docker.internal:host-gateway',
    })
  return { name, address: bare }
}

export interface ResolvOptions {
  servers?: readonly string[]
  search?: readonly string[]
  options?: readonly string[]
  /** The machine's resolv.conf, for what was not given. */
  host: string
  /** With the host's network its own local resolver works too; elsewhere loopback servers are dropped. */
  hostNetwork?: boolean
}

/** /etc/resolv.conf of a container: what was asked for, the rest from the machine. */
export function resolvFile(given: ResolvOptions): string {
  const words = given.host.split('\n').map((line) => line.trim().split(/\s+/))
  const hostServers = words.filter(([key]) => key === 'nameserver').map(([, server]) => server ?? '')
  const usable = given.hostNetwork ? hostServers : hostServers.filter((server) => !/^(127\.|::1$)/.test(server))
  const servers = given.servers?.length ? given.servers : usable.length ? usable : FALLBACK_SERVERS
  const search = given.search?.length ? given.search : (words.find(([key]) => key === 'search')?.slice(1) ?? [])
  const options = given.options?.length
    ? given.options
    : words.filter(([key]) => key === 'options').flatMap((line) => line.slice(1))
  for (const server of servers)
    if (isIP(server.replace(/%[A-Za-z0-9_.-]+$/, '')) === 0)
      throw new BaleError('INVALID_ARGUMENT', `invalid DNS server: ${printable(server)}`)
  for (const word of [...search, ...options])
    if (!/^[A-Za-z0-9._:-]+$/.test(word))
      throw new BaleError('INVALID_ARGUMENT', `invalid DNS setting: ${printable(word)}`)
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length && search[0] !== '.' ? [`search ${search.join(' ')}`] : []),
    ...(options.length ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n')
}

/** The machine's own resolv.conf; systemd-resolved's full one when the usual one names only the local stub. */
export function machineResolvConf(): string {
  const text = readIfThere('/etc/resolv.conf')
  const onlyStub = /^nameserver\s+127\.0\.0\.53\s*$/m.test(text)
  return (onlyStub && readIfThere('/run/systemd/resolve/resolv.conf')) || text
}

function readIfThere(path: string): string {
  try {
    return readTextSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}
