import { networkInterfaces } from 'node:os'
import type { OperationOptions } from '#base'
import type { HostOptions } from '#container'
import type { EngineContext } from './context/context.ts'

/** The options with the configured address for ports that name none. */
export function withPublishAddress({ config }: EngineContext, host: HostOptions): HostOptions {
  const { publishAddress } = config
  return publishAddress === undefined || !publishes(host) ? host : { ...host, publishAddress }
}

/** Warnings after the container is created: ports open to others by default, and ports without effect. */
export function tellOfPorts({ config }: EngineContext, host: HostOptions, options: OperationOptions): void {
  if (host.network === 'host' && host.ports?.length)
    warn(options, 'Published ports are discarded when using host network mode')
  if (!publishes(host) || config.publishAddress !== undefined) return
  const open = host.publishAll || host.ports?.some((port) => !port.hostAddress)
  if (open && isReachable())
    warn(
      options,
      'published ports listen on 0.0.0.0, every address of this machine: other machines can reach them (publish.address in config.json sets another address, or 0.0.0.0 to silence this warning)',
    )
}

function publishes({ ports, publishAll, network }: HostOptions): boolean {
  return (Boolean(ports?.length) || publishAll === true) && network !== 'none' && network !== 'host'
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
