/** What the summary of a store's disk usage is made of; sizes are bytes. The store's figures are such. */
interface UsageFacts {
  /** With the number of containers that use each. */
  images: readonly { containers: number }[]
  /** Of all layers, each counted once. */
  layersSize: number
  imagesReclaimable: number
  containers: readonly { record: { id: string }; size: number }[]
  volumes: readonly { record: { name: string }; size: number }[]
  /** Containers that mount a volume, by its name. */
  volumeUsers: ReadonlyMap<string, unknown>
  /** `shared`: layers of the step are those of an image, too. */
  cache: readonly { shared: boolean }[]
  cacheSize: number
}

/** A line of docker's `system df`; sizes are bytes. */
export interface UsageRow {
  kind: 'images' | 'containers' | 'volumes' | 'cache'
  total: number
  active: number
  size: number
  reclaimable: number
}

type ContainerStates = readonly { id: string; state: string }[]

const RUNS: readonly string[] = ['running', 'paused', 'restarting']

/** docker's four lines. What a container that does not run has written counts as reclaimable, as does an unused volume. */
export function usageSummary(usage: UsageFacts, containers: ContainerStates): UsageRow[] {
  const running = new Set(containers.filter(({ state }) => RUNS.includes(state)).map(({ id }) => id))
  const idle = usage.containers.filter(({ record }) => !running.has(record.id))
  const unused = usage.volumes.filter(({ record }) => !usage.volumeUsers.has(record.name))
  return [
    {
      kind: 'images',
      total: usage.images.length,
      active: usage.images.filter((image) => image.containers > 0).length,
      size: usage.layersSize,
      reclaimable: usage.imagesReclaimable,
    },
    {
      kind: 'containers',
      total: usage.containers.length,
      active: running.size,
      size: sum(usage.containers),
      reclaimable: sum(idle),
    },
    {
      kind: 'volumes',
      total: usage.volumes.length,
      active: usage.volumes.length - unused.length,
      size: sum(usage.volumes),
      reclaimable: sum(unused),
    },
    {
      kind: 'cache',
      total: usage.cache.length,
      active: usage.cache.filter(({ shared }) => shared).length,
      size: usage.cacheSize,
      reclaimable: usage.cacheSize,
    },
  ]
}

function sum(sizes: readonly { size: number }[]): number {
  return sizes.reduce((total, one) => total + one.size, 0)
}
