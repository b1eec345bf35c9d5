import { networkInterfaces } from 'node:os'
import type { OperationOptions } from '#base'
import type { HostOptions } from '#container'
import type { EngineContext } from './context.ts'

/** The options with the configured address for ports that name none. What is open to others without a word is told. */
export function withPublishAddress(
  { config }: EngineContext,
  host: HostOptions,
  options: OperationOptions,
): HostOptions {
  const publishes = Boolean(host.ports?.length) || host.publishAll === true
  if (!publishes) return host
  if (host.network === 'host' && host.ports?.length) {
    warn(options, 'Published ports are discarded when using host network mode')
    return host
  }
  if (host.network === 'none' || host.network === 'host') return host
  if (config.publishAddress !== undefined) return { ...host, publishAddress: config.publishAddress }
  const open = host.publishAll || host.ports?.some((port) => !port.hostAddress)
  if (open && isReachable())
    warn(
      options,
      'published ports listen on 0.0.0.0, every address of this machine: other machines reach them (publish.address in config.json sets another address, or 0.0.0.0 to not be told)',
    )
  return host
}

/** The machine has an address besides its loopback and the bridges made here. */
function isReachable(): boolean {
  return Object.entries(networkInterfaces()).some(
    ([name, addresses]) => !name.startsWith('bale-') && addresses?.some(({ internal }) => !internal),
  )
}

function warn({ progress }: OperationOptions, text: string): void {
  progress?.({ kind: 'warning', text })
}
