import { table } from '#base'
import { csvFields } from './csv.ts'
import { readInteger } from './number.ts'

/** One network of `--network`: a name, or docker's long form. */
export interface NetworkOption {
  /** Name or ID. */
  network: string
  /** Further names there. */
  aliases?: string[]
  ipAddress?: string
  ipv6Address?: string
  macAddress?: string
  /** The default route goes through the network with the highest one; 0 by default. */
  gatewayPriority?: number
  driverOptions?: Record<string, string>
}

/**
 * `app`, or `name=app,alias=db,ip=10.5.0.9,ip6=…,mac-address=…,driver-opt=KEY=VALUE,gw-priority=1`. Throws an Error in
 * docker's words. Source: docker/cli, opts/network.go.
 */
export function parseNetworkOption(text: string): NetworkOption {
  if (!/\w+=\w+(,\w+=\w+)*/.test(text)) return { network: text }
  const option: NetworkOption = { network: '' }
  for (const field of csvFields(text)) {
    const [key = '', value] = field.split(/=(.*)/s)
    if (value === undefined || key === '') throw new Error(`invalid field ${field}`)
    const read = FIELDS[key.trim().toLowerCase()]
    if (!read) throw new Error(`invalid field key ${key.trim()}`)
    read(option, value.trim())
  }
  if (option.network === '') throw new Error('network name/id is not specified')
  return option
}

const FIELDS = table<(option: NetworkOption, value: string) => void>({
  name: (option, value) => {
    option.network = value
  },
  alias: (option, value) => {
    option.aliases = [...(option.aliases ?? []), value]
  },
  ip: (option, value) => {
    option.ipAddress = value
  },
  ip6: (option, value) => {
    option.ipv6Address = value
  },
  'mac-address': (option, value) => {
    option.macAddress = value
  },
  'driver-opt': (option, value) => {
    const [key = '', setting] = value.split(/=(.*)/s)
    if (setting === undefined || key === '') throw new Error('invalid key value pair format in driver options')
    option.driverOptions = { ...option.driverOptions, [key.trim()]: setting.trim() }
  },
  'gw-priority': (option, value) => {
    try {
      option.gatewayPriority = readInteger(value)
    } catch (error) {
      throw new Error(`invalid gw-priority: ${(error as Error).message}`, { cause: error })
    }
  },
})
