import { BaleError, printable } from '#base'

/** One port of a container on the host. */
export interface PublishedPortRequest {
  hostAddress?: string
  /** undefined: a random one. */
  hostPort?: number
  /** With `hostPort`: the end of a range from which one free port is taken. */
  hostPortEnd?: number
  containerPort: number
  protocol: PortProtocol
}

type PortProtocol = 'tcp' | 'udp' | 'sctp'

const HINT = 'for example 8080:80, 127.0.0.1:8080:80/udp, 8000-8010:8000-8010 or published=8080,target=80'

/**
 * `[IP:][HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL]`, IPv6 addresses in brackets, or the long form
 * `published=HOST,target=CONTAINER,protocol=PROTOCOL,host_ip=IP`. One request for each port. Host port 0 is any free one.
 */
export function parsePublishedPorts(text: string): PublishedPortRequest[] {
  const { address, host, container, protocol } = text.includes('=') ? longForm(text) : shortForm(text)
  if (container === '') throw invalid(`No port specified: ${text}`)
  const [first, last] = parseRange(container, 'containerPort', 1)
  const common = { protocol: parseProtocol(protocol), ...(address !== '' && { hostAddress: parseAddress(address) }) }
  const ports = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  const [hostFirst, hostLast] = host === '' ? [0, 0] : parseRange(host, 'hostPort', 0)
  if (hostLast === 0) return ports.map((containerPort) => ({ ...common, containerPort }))
  if (hostFirst === 0) throw invalid(`Invalid hostPort: ${host}`)
  if (hostLast - hostFirst === last - first)
    return ports.map((containerPort, index) => ({ ...common, containerPort, hostPort: hostFirst + index }))
  // One port of the container and a range of the host: any free one of the range.
  if (first === last) return [{ ...common, containerPort: first, hostPort: hostFirst, hostPortEnd: hostLast }]
  throw invalid(`Invalid ranges specified for container and host Ports: ${container} and ${host}`)
}

/** `8000-8002/udp` as three keys of ExposedPorts. Throws INVALID_ARGUMENT with `complaint`. */
export function parseExposedPorts(text: string, complaint = 'invalid exposed port'): string[] {
  const [ports = '', protocol = 'tcp', ...more] = text.split('/')
  try {
    const [first, last] = parseRange(ports, 'containerPort', 1)
    const proto = parseProtocol(protocol)
    if (more.length === 0) return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${proto}`)
  } catch (cause) {
    throw new BaleError('INVALID_ARGUMENT', `${complaint}: ${printable(text)}, error: ${(cause as Error).message}`, {
      cause,
    })
  }
  throw new BaleError('INVALID_ARGUMENT', `${complaint}: ${printable(text)}`)
}

interface Fields {
  address: string
  host: string
  container: string
  protocol: string
}

function shortForm(text: string): Fields {
  const parts = text.split(':')
  const container = parts.pop() ?? ''
  const host = parts.pop() ?? ''
  const address = parts.join(':')
  const [port = '', protocol = 'tcp', ...more] = container.split('/')
  if (more.length > 0) throw invalid(`Invalid containerPort: ${container}`)
  return { address, host, container: port, protocol }
}

function longForm(text: string): Fields {
  const fields = new Map<string, string>()
  for (const field of text.split(',')) {
    const at = field.indexOf('=')
    if (at < 1) throw invalid(`invalid publish opts format (should be name=value but got '${field}')`)
    fields.set(field.slice(0, at).toLowerCase(), field.slice(at + 1))
  }
  const unknown = [...fields.keys()].find((key) => !LONG_FORM.includes(key))
  if (unknown !== undefined) throw invalid(`invalid field key: ${unknown}`)
  const mode = fields.get('mode') ?? 'host'
  if (mode !== 'host' && mode !== 'ingress') throw invalid(`invalid publish mode value (${mode})`)
  const [target = '', protocol] = (fields.get('target') ?? '').split('/')
  return {
    address: fields.get('host_ip') ?? '',
    host: fields.get('published') ?? '',
    container: target,
    protocol: fields.get('protocol') ?? protocol ?? 'tcp',
  }
}

const LONG_FORM = ['published', 'target', 'protocol', 'mode', 'host_ip', 'name', 'app_protocol']

function parseProtocol(text: string): PortProtocol {
  const protocol = text.toLowerCase()
  if (protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp') return protocol
  throw invalid(`Invalid proto: ${text}`, 'tcp, udp or sctp')
}

function parseAddress(text: string): string {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const isIpv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(bare)
  if (isIpv4 || isIpv6(bare)) return bare
  if (bare === 'localhost') return '127.0.0.1'
  throw invalid(`Invalid ip address: ${text}`)
}

/** A URL's host is read by the same rules, whatever the platform. */
function isIpv6(text: string): boolean {
  return /^[0-9a-fA-F:.]+$/.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`)
}

function parseRange(text: string, what: string, least: number): [number, number] {
  const [, from = '', to = from] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (from === '' || first < least || last > 65535 || last < first)
    throw invalid(`Invalid ${what}: ${text}`, 'ports are 1 to 65535')
  return [first, last]
}

function invalid(message: string, hint = HINT): BaleError {
  return new BaleError('INVALID_ARGUMENT', printable(message), { hint })
}
