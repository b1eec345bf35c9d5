import { BlockList, isIP, isIPv6 } from 'node:net'
import { BaleError } from '#base'

/** As the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY hold them. */
export interface ProxySettings {
  http?: string
  https?: string
  noProxy?: string
}

/**
 * The proxy for an address, undefined when it is reached directly: always for this machine (a name or address of
 * loopback), and for what NO_PROXY names. Throws INVALID_ARGUMENT for a proxy that is not an address, since going
 * past it silently would be worse. Source: golang.org/x/net/http/httpproxy, whose rules all registry clients share.
 */
export function proxyFor(url: URL, { http, https, noProxy = '' }: ProxySettings): URL | undefined {
  const secure = url.protocol === 'https:'
  const text = (secure ? https : http)?.trim()
  if (!text) return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (isThisMachine(host) || isExempt(host, url.port || (secure ? '443' : '80'), noProxy)) return undefined
  return parseProxy(text, secure ? 'HTTPS_PROXY' : 'HTTP_PROXY')
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isThisMachine(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && loopback.check(host, familyOf(host)))
}

function isExempt(host: string, port: string, noProxy: string): boolean {
  const rules = noProxy
    .split(',')
    .map((rule) => rule.trim().toLowerCase())
    .filter(Boolean)
  return rules.some((rule) => rule === '*' || (isIP(host) ? fitsAddress(rule, host, port) : fitsName(rule, host, port)))
}

/** `10.0.0.0/8`, `fd00::/8`, `10.1.2.3`, `10.1.2.3:5000`, `[fd00::1]:5000`. */
function fitsAddress(rule: string, host: string, port: string): boolean {
  const [network, bits, more] = rule.split('/')
  if (bits !== undefined) {
    const family = isIP(network!)
    if (more !== undefined || family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
      return false
    }
    const range = new BlockList()
    range.addSubnet(network!, Number(bits), familyOf(network!))
    return range.check(host, familyOf(host))
  }
  const { name, port: only } = splitPort(rule)
  if (isIP(name) === 0 || (only !== undefined && only !== port)) return false
  const one = new BlockList()
  one.addAddress(name, familyOf(name))
  return one.check(host, familyOf(host))
}

/** `example.com` with all below it, `.example.com` and `*.example.com` only what is below; each with a port or without. */
function fitsName(rule: string, host: string, port: string): boolean {
  const { name, port: only } = splitPort(rule)
  if (name === '' || (only !== undefined && only !== port)) return false
  const domain = name.startsWith('*.') ? name.slice(1) : name
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`)
}

function splitPort(rule: string): { name: string; port: string | undefined } {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(rule)
  // More than one colon without brackets: an IPv6 address.
  if (!match) return { name: rule, port: undefined }
  return { name: match[1] ?? match[2]!, port: match[3] || undefined }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}

const SCHEMES = new Set(['http:', 'https:', 'socks5:', 'socks5h:'])

/** The value is not quoted: it may hold a password. */
function parseProxy(text: string, variable: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const proxy = URL.canParse(whole) ? new URL(whole) : undefined
  if (proxy?.hostname && SCHEMES.has(proxy.protocol) && isDecodable(proxy.username + proxy.password)) return proxy
  throw new BaleError('INVALID_ARGUMENT', `${variable} does not hold the address of a proxy`, {
    hint: 'use http://HOST:PORT; a login is USER:PASSWORD@ before HOST, with %XX for characters like @ in it',
  })
}

function isDecodable(text: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text)
}
