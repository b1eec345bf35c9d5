import { BaleError } from '#base'
import type { PublishedPort, SeenContainer, Status } from '#container'
import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

export interface ListContainersOptions {
  /** Those that do not run, too. */
  all?: boolean
  /** The newest only (implies all). */
  last?: number
  filters?: readonly { name: string; value: string }[]
  /** Count what each has written to its own layer. */
  size?: boolean
}

/** A line of `ps`. Times are milliseconds since 1970. */
export interface ContainerRow {
  id: string
  name: string
  image: string
  imageId?: string
  command: string[]
  created: number
  state: Status
  startedAt?: number
  finishedAt?: number
  exitCode: number
  health?: string
  ports: PublishedPort[]
  exposed: string[]
  labels: Record<string, string>
  mounts: { type: string; name?: string; source: string; destination: string }[]
  network: string
  /** Bytes of its own layer, and with its image. */
  size?: { written: number; total: number }
}

const FILTERS: Record<string, (container: SeenContainer, value: string, all: readonly SeenContainer[]) => boolean> = {
  id: ({ record }, value) => record.id.startsWith(value),
  name: ({ record }, value) => new RegExp(value).test(record.name) || new RegExp(value).test(`/${record.name}`),
  label: ({ record }, value) => hasLabel(record.document.config.Labels, value),
  status: ({ status }, value) => status === value,
  exited: ({ status, state }, value) => status === 'exited' && state.exitCode === Number(value),
  health: ({ state }, value) => (state.health?.status ?? 'none') === value,
  volume: ({ record }, value) =>
    record.document.mounts.some((mount) => mount.name === value || mount.destination === value),
  network: ({ record }, value) => (record.document.host.network ?? 'bridge') === value,
  publish: ({ record }, value) =>
    record.document.connection?.ports.some((port) => portMatches(value, port.hostPort, port.protocol)) ?? false,
  expose: ({ record }, value) =>
    Object.keys(record.document.config.ExposedPorts ?? {}).some((key) => {
      const [port = '', protocol = 'tcp'] = key.split('/')
      return portMatches(value, Number(port), protocol)
    }),
  before: ({ record }, value, all) => record.created < createdOf(value, all),
  since: ({ record }, value, all) => record.created > createdOf(value, all),
}

const STATES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead']

/** Containers as they really are, newest first. Filters of one name are alternatives, different names must all hold. */
export async function listContainers(
  context: EngineContext,
  options: ListContainersOptions = {},
): Promise<ContainerRow[]> {
  const [{ seeAll, writtenSize }, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  const filters = await groupFilters(context, options.filters ?? [])
  const all = await seeAll(machinery)
  const anyState = options.all || options.last !== undefined || filters.has('status') || filters.has('exited')
  const chosen = all
    .filter((one) => anyState || one.status === 'running' || one.status === 'paused' || one.status === 'restarting')
    .filter((one) => [...filters].every(([, matches]) => matches.some((matches) => matches(one, all))))
    .slice(0, options.last)
  return Promise.all(
    chosen.map(async (one) => {
      const row = rowOf(one)
      if (!options.size) return row
      const written = await writtenSize(machinery, one.record.id)
      return { ...row, size: { written, total: written + (await imageSize(context, one)) } }
    }),
  )
}

type Match = (container: SeenContainer, all: readonly SeenContainer[]) => boolean

async function groupFilters(
  context: EngineContext,
  pairs: readonly { name: string; value: string }[],
): Promise<Map<string, Match[]>> {
  const filters = new Map<string, Match[]>()
  for (const { name, value } of pairs) {
    if (name === 'status' && !STATES.includes(value))
      throw new BaleError('INVALID_ARGUMENT', `invalid filter 'status=${value}'`)
    const filter = FILTERS[name]
    const match: Match | undefined =
      name === 'ancestor' ? await ancestor(context, value) : filter && ((one, all) => filter(one, value, all))
    if (!match)
      throw new BaleError('INVALID_ARGUMENT', `Invalid filter '${name}'`, {
        hint: `known filters: ancestor, ${Object.keys(FILTERS).join(', ')}`,
      })
    filters.set(name, [...(filters.get(name) ?? []), match])
  }
  return filters
}

async function ancestor(context: EngineContext, value: string): Promise<Match> {
  const store = await context.store()
  const { id } = await store.images.resolve(value, { platform: context.platform })
  return ({ record }) => record.imageId === id
}

function createdOf(idOrName: string, all: readonly SeenContainer[]): number {
  const found = all.find(({ record }) => record.name === idOrName || record.id.startsWith(idOrName))
  if (!found) throw new BaleError('CONTAINER_NOT_FOUND', `No such container: ${idOrName}`)
  return found.record.created
}

function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const at = wanted.indexOf('=')
  const value = labels[at < 0 ? wanted : wanted.slice(0, at)]
  return value !== undefined && (at < 0 || value === wanted.slice(at + 1))
}

/** `8080`, `8080/udp`, `8000-8080` */
function portMatches(wanted: string, port: number, protocol: string): boolean {
  const [, from = '', to, wantedProtocol = 'tcp'] = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(wanted) ?? []
  return protocol === wantedProtocol && port >= Number(from) && port <= Number(to ?? from)
}

function rowOf({ record, status, state }: SeenContainer): ContainerRow {
  const { config, host, mounts, connection } = record.document
  const lives = status === 'running' || status === 'paused'
  return {
    id: record.id,
    name: record.name,
    image: record.document.image,
    imageId: record.imageId,
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    created: record.created,
    state: status,
    startedAt: state.startedAt,
    finishedAt: state.finishedAt,
    exitCode: state.exitCode,
    health: lives ? state.health?.status : undefined,
    ports: lives ? (connection?.ports ?? []) : [],
    exposed: lives ? Object.keys(config.ExposedPorts ?? {}) : [],
    labels: config.Labels,
    mounts: mounts.map(({ type, name, source, destination }) => ({ type, name, source, destination })),
    network: host.network ?? 'bridge',
  }
}

async function imageSize(context: EngineContext, { record }: SeenContainer): Promise<number> {
  const store = await context.store()
  let size = 0
  for (const layer of record.layers) size += (await store.layers.get(layer))?.contentSize ?? 0
  return size
}

/** Removes containers that do not run; answers their IDs and the bytes that became free. */
export async function pruneContainers(
  context: EngineContext,
  options: { until?: number; labels?: readonly string[]; signal?: AbortSignal } = {},
): Promise<{ removed: string[]; freed: number }> {
  const [room, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  await room.sweepContainers(machinery)
  const { ids, freed } = await room.pruneContainers(machinery, ({ record }) => {
    options.signal?.throwIfAborted()
    if (options.until !== undefined && record.created >= options.until) return false
    return (options.labels ?? []).every((label) => hasLabel(record.document.config.Labels, label))
  })
  return { removed: ids, freed }
}
