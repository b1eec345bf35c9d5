import { BaleError } from '#base'
import { type NetworkOption, parseNetworkOption } from '#docker'
import type { HostOptions } from '#engine'

/** The network flags of `run` and `create` as options. */
interface NetworkFlags {
  network?: string[]
  networkAlias?: string[]
  ip?: string
  ip6?: string
  macAddress?: string
}

type NetworkOptions = Pick<
  HostOptions,
  'network' | 'networks' | 'networkAliases' | 'ipAddress' | 'ipv6Address' | 'macAddress'
>

/** The flags beside `--network` belong to the first one. Throws INVALID_ARGUMENT when both give the same setting. */
export function networkOptions(flags: NetworkFlags): NetworkOptions {
  // `--network "$NETWORK"` with an empty variable counts as not given, as with docker.
  const asked = (flags.network ?? []).filter((text) => text !== '').map(readNetwork)
  const [first] = asked
  const conflicts: [boolean, string][] = [
    [first?.aliases !== undefined && flags.networkAlias !== undefined, '--network-alias and per-network alias'],
    [first?.ipAddress !== undefined && flags.ip !== undefined, '--ip and per-network IPv4 address'],
    [first?.ipv6Address !== undefined && flags.ip6 !== undefined, '--ip6 and per-network IPv6 address'],
    [first?.macAddress !== undefined && flags.macAddress !== undefined, '--mac-address and per-network MAC address'],
  ]
  for (const [both, names] of conflicts)
    if (both) throw new BaleError('INVALID_ARGUMENT', `conflicting options: cannot specify both ${names}`)
  const own = {
    networkAliases: flags.networkAlias,
    ipAddress: flags.ip,
    ipv6Address: flags.ip6,
    macAddress: flags.macAddress,
  }
  const isPlain = asked.length < 2 && Object.keys(first ?? {}).length < 2
  return { ...own, network: first?.network, ...(!isPlain && { networks: asked }) }
}

/** Throws INVALID_ARGUMENT with the flag's name. */
function readNetwork(text: string): NetworkOption {
  try {
    return parseNetworkOption(text)
  } catch (error) {
    throw new BaleError(
      'INVALID_ARGUMENT',
      `invalid argument ${JSON.stringify(text)} for "--network" flag: ${(error as Error).message}`,
      { cause: error },
    )
  }
}
