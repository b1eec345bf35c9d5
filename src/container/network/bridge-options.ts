import { isIP } from 'node:net'
import { BaleError, printable, table } from '#base'

/** docker's options of a bridge network, parsed. */
interface BridgeSettings {
  mtu?: number
  /** Name of the bridge. */
  name?: string
  /** The network's containers reach each other. */
  betweenContainers: boolean
  /** The host's address for ports that name none. */
  publishAddress?: string
}

const PREFIX = 'com.docker.network.'
const SHORT = table<string>({ mtu: 'driver.mtu', name: 'bridge.name', icc: 'bridge.enable_icc' })

/** Reads the options that a network was created with. Throws UNSUPPORTED for those that would be ignored. */
export function bridgeSettings(options: Readonly<Record<string, string>>): BridgeSettings {
  const settings: BridgeSettings = { betweenContainers: true }
  for (const [name, value] of Object.entries(options)) {
    const key = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : (SHORT[name] ?? name)
    const act = ACTS[key]
    if (!act) throw unsupported(name, value)
    act(settings, value, name)
  }
  return settings
}

type Act = (settings: BridgeSettings, value: string, name: string) => void

const ACTS = table<Act>({
  'driver.mtu': (settings, value, name) => {
    if (!/^\d{1,5}$/.test(value) || Number(value) < 68 || Number(value) > 65535)
      throw new BaleError('INVALID_ARGUMENT', `failed to parse ${name} value: ${printable(value)}`, {
        hint: 'a number of bytes from 68 to 65535',
      })
    settings.mtu = Number(value)
  },
  'bridge.name': (settings, value) => {
    // Source: dev_valid_name in the kernel.
    if (!/^[^\s/:]{1,15}$/.test(value) || value === '.' || value === '..')
      throw new BaleError('INVALID_ARGUMENT', `invalid name of a bridge: ${printable(value)}`, {
        hint: 'at most 15 characters, without spaces, slashes and colons',
      })
    settings.name = value
  },
  'bridge.enable_icc': (settings, value, name) => {
    settings.betweenContainers = truth(value, name)
  },
  'bridge.enable_ip_masquerade': (_, value, name) => {
    if (!truth(value, name)) throw unsupported(name, value)
  },
  'bridge.host_binding_ipv4': (settings, value, name) => {
    if (isIP(value) !== 4) throw new BaleError('INVALID_ARGUMENT', `failed to parse ${name} value: ${printable(value)}`)
    settings.publishAddress = value
  },
  // minikube passes the daemon's flags as options; docker stores and ignores them, and both describe bale's behaviour anyway.
  '--ip-masq': () => undefined,
  '--icc': () => undefined,
  isolate: (_, value, name) => {
    if (!truth(value, name)) throw unsupported(name, value)
  },
})

function truth(value: string, name: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true
  if (/^(0|f|false)$/i.test(value)) return false
  throw new BaleError('INVALID_ARGUMENT', `failed to parse ${name} value: ${printable(value)}`, {
    hint: 'true or false',
  })
}

function unsupported(name: string, value: string): BaleError {
  return new BaleError('UNSUPPORTED', `network option ${printable(`${name}=${value}`)} is not supported`, {
    hint: `known: ${Object.keys(ACTS)
      .filter((key) => key.includes('.'))
      .map((key) => PREFIX + key)
      .join(', ')}`,
  })
}
