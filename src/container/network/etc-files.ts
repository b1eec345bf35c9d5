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

interface HostsOptions {
  /** `NAME:ADDRESS`; the address may be `host-gateway`. */
  extra?: readonly string[]
  /** The address of `host-gateway`. */
  gateway?: string
  /** The container's own lines: its addresses, all with the same names. */
  own?: { addresses: readonly (string | undefined)[]; names: readonly string[] }
}

/** /etc/hosts of a container, as docker writes it. */
export function hostsFile(options: HostsOptions): string {
  const { addresses, names } = options.own ?? { addresses: [], names: [] }
  const own = addresses.flatMap((address) => (address ? [`${address}\t${names.filter(Boolean).join(' ')}`] : []))
  return `${[...LOCAL_NAMES, ...hostLines(options.extra ?? [], options.gateway), ...own].join('\n')}\n`
}

/** With the machine's network, the machine's file followed by the requested entries. */
export function hostHostsFile(machine: string, extra: readonly string[] = []): string {
  return `${machine.replace(/\n?$/, '\n')}${hostLines(extra, undefined)
    .map((line) => `${line}\n`)
    .join('')}`
}

function hostLines(extra: readonly string[], gateway: string | undefined): string[] {
  return extra.map((entry) => {
    const { name, address } = parseExtraHost(entry)
    return `${address === 'host-gateway' ? (gateway ?? '127.0.0.1') : address}\t${name}`
  })
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

interface ResolvOptions {
  servers?: readonly string[]
  search?: readonly string[]
  options?: readonly string[]
  /** The machine's resolv.conf, for settings that were not given. */
  host: string
  /** Addresses of the networks' own name servers, which query the servers on behalf of the container. */
  nameServers?: readonly string[]
  /** The network's own server forwards nothing: an unknown name fails at once. */
  internal?: boolean
}

/** /etc/resolv.conf of a container with a network of its own: the requested settings, the rest from the machine. */
export function resolvFile(given: ResolvOptions): string {
  const machine = parseResolvConf(given.host)
  const usable = machine.servers.filter(isReachable)
  const own = given.nameServers ?? []
  const servers = own.length ? own : given.servers?.length ? given.servers : usable.length ? usable : FALLBACK_SERVERS
  const search = given.search?.length ? given.search : machine.search
  const asked = given.options?.length ? given.options : machine.options
  const options = own.length ? [...asked, ...ownOptions(asked, given.internal)] : asked
  return resolvText({ servers, search: search[0] === '.' ? [] : search, options })
}

/** The server knows names without dots, so they are looked up as they are before any domain is added. */
function ownOptions(given: readonly string[], internal = false): string[] {
  const wanted = ['ndots:0', ...(internal ? ['timeout:1', 'attempts:1'] : [])]
  const key = (option: string) => option.split(':')[0]
  return wanted.filter((option) => !given.some((one) => key(one) === key(option)))
}

/** With the machine's network, the machine's file as it is unless settings were requested. */
export function hostResolvFile(given: Omit<ResolvOptions, 'nameServers'>): string {
  if (![given.servers, given.search, given.options].some((words) => words?.length)) return given.host
  const machine = parseResolvConf(given.host)
  const search = given.search?.length ? given.search : machine.search
  return resolvText({
    servers: given.servers?.length ? given.servers : machine.servers,
    search: search[0] === '.' ? [] : search,
    options: given.options?.length ? given.options : machine.options,
  })
}

interface ResolvSettings {
  servers: readonly string[]
  search: readonly string[]
  options: readonly string[]
}

/** Source: resolv.conf(5): the last of `domain` and `search` counts. Malformed lines are left out. */
function parseResolvConf(text: string): ResolvSettings {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
  const all = (key: string) => lines.filter(([word]) => word === key).flatMap((line) => line.slice(1))
  const domains = lines.findLast(([word]) => word === 'search' || word === 'domain')?.slice(1) ?? []
  return {
    servers: lines
      .filter(([word]) => word === 'nameserver')
      .flatMap((line) => line.slice(1, 2))
      .filter(isServer),
    search: domains.filter(isResolvWord),
    options: all('options').filter(isResolvWord),
  }
}

function resolvText({ servers, search, options }: ResolvSettings): string {
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length ? [`search ${search.join(' ')}`] : []),
    ...(options.length ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n')
}

const isServer = (text: string) => isIP(text.replace(/%[A-Za-z0-9_.-]+$/, '')) !== 0
const isResolvWord = (text: string) => /^[A-Za-z0-9._:-]+$/.test(text)

/** Not the machine's own loopback, and, as containers have IPv4 only, no IPv6 address. */
const isReachable = (server: string) => isIP(server) === 4 && !server.startsWith('127.')

/** Throws INVALID_ARGUMENT with docker's message (R10: no white space, so no second line can be smuggled in). */
export function assertResolvOptions(asked: {
  dns?: readonly string[]
  dnsSearch?: readonly string[]
  dnsOptions?: readonly string[]
}): void {
  const bad = (kind: string, text: string, why: string) =>
    new BaleError('INVALID_ARGUMENT', `invalid ${kind}: ${printable(text)} is not ${why}`)
  for (const server of asked.dns ?? []) if (!isServer(server)) throw bad('DNS server', server, 'an ip address')
  for (const word of asked.dnsSearch ?? []) if (!isResolvWord(word)) throw bad('DNS domain', word, 'a valid domain')
  for (const word of asked.dnsOptions ?? [])
    if (!isResolvWord(word)) throw bad('DNS option', word, 'an option of resolv.conf')
}

/** The machine's own resolv.conf; systemd-resolved's full one when the usual one names only the local stub. */
export function machineResolvConf(): string {
  const text = readIfThere('/etc/resolv.conf')
  const { servers } = parseResolvConf(text)
  const onlyStub = servers.length === 1 && servers[0] === '127.0.0.53'
  return (onlyStub && readIfThere('/run/systemd/resolve/resolv.conf')) || text
}

/** The machine's files as they are. */
export function machineEtcFiles(): { hosts: string; resolvConf: string } {
  return { hosts: readIfThere('/etc/hosts'), resolvConf: readIfThere('/etc/resolv.conf') }
}

function readIfThere(path: string): string {
  try {
    return readTextSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}
