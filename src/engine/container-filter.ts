import { BaleError, printable } from '#base'
import type { SeenContainer } from '#container'
import { type FilterPair, Filters, noSuchContainer } from '#docker'
import type { EngineContext } from './context/context.ts'

const NAMES = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'label!',
  'name',
]
const MORE_NAMES = ['network', 'publish', 'since', 'status', 'volume']
const STATES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead']
const HEALTH = ['none', 'starting', 'healthy', 'unhealthy']

interface ContainerFilter {
  /** A state was requested: not only running containers. */
  anyState: boolean
  fits(container: SeenContainer): boolean
}

/** docker's filters of `ps`. Throws INVALID_ARGUMENT, and CONTAINER_NOT_FOUND for one that `before` or `since` names. */
export async function containerFilter(
  context: EngineContext,
  pairs: readonly FilterPair[],
  all: readonly SeenContainer[],
): Promise<ContainerFilter> {
  const filters = new Filters(pairs, [...NAMES, ...MORE_NAMES])
  filters.closed('status', STATES)
  filters.closed('health', HEALTH)
  const tests = [
    ofIdentity(filters),
    ofState(filters),
    ofPlaces(filters),
    ofPorts(filters),
    ofAge(filters, all),
    await ofAncestor(context, filters),
  ]
  return { anyState: filters.has('status'), fits: (container) => tests.every((test) => test(container)) }
}

type Test = (container: SeenContainer) => boolean

function ofIdentity(filters: Filters): Test {
  // Nothing here is a task of a swarm.
  const noTasks = filters.flag('is-task') !== true
  return ({ record }) =>
    noTasks &&
    filters.isPrefixOf('id', record.id) &&
    filters.matches('name', `/${record.name}`, record.name) &&
    filters.matchesLabels(record.document.config.Labels)
}

function ofState(filters: Filters): Test {
  const codes = filters.get('exited').map((value) => {
    if (/^[+-]?\d+$/.test(value)) return Number(value)
    throw new BaleError('INVALID_ARGUMENT', `invalid filter 'exited=${printable(value)}'`, { hint: 'an exit code' })
  })
  return ({ status, state }) =>
    filters.isOneOf('status', status) &&
    filters.isOneOf('health', state.health?.status ?? 'none') &&
    (codes.length === 0 || (status === 'exited' && codes.includes(state.exitCode)))
}

/** Modes that are networks to docker. Any other mode is only what the container began with: it may have been taken off since. */
const WITHOUT_NETWORKS = new Set(['none', 'host'])

function ofPlaces(filters: Filters): Test {
  const mounts = filters.get('volume')
  const networks = filters.get('network')
  return ({ record: { document } }) => {
    const isMounted = mounts.some((value) =>
      document.mounts.some((mount) => (mount.name ?? mount.source) === value || mount.destination === value),
    )
    const isJoined = networks.some(
      (value) =>
        (WITHOUT_NETWORKS.has(value) && document.host.network === value) ||
        document.networks.some(({ network }) => network === value) ||
        (value !== '' &&
          document.connections.some(
            ({ networkId, networkName }) => networkName === value || networkId.startsWith(value),
          )),
    )
    return (mounts.length === 0 || isMounted) && (networks.length === 0 || isJoined)
  }
}

interface PortRange {
  from: number
  to: number
  protocol: string
}

/** One match of `publish` or `expose` is enough. */
function ofPorts(filters: Filters): Test {
  const published = filters.get('publish').map((value) => portRange('publish', value))
  const exposed = filters.get('expose').map((value) => portRange('expose', value))
  const isIn = (ranges: readonly PortRange[], port: number, protocol: string) =>
    ranges.some((range) => range.protocol === protocol && port >= range.from && port <= range.to)
  return ({ record: { document } }) => {
    if (published.length + exposed.length === 0) return true
    const isExposed = Object.keys(document.config.ExposedPorts ?? {}).some((key) => {
      const [port = '', protocol = 'tcp'] = key.split('/')
      return isIn(exposed, Number(port), protocol)
    })
    return (
      isExposed ||
      document.connections.some(({ ports }) => ports.some((port) => isIn(published, port.hostPort, port.protocol)))
    )
  }
}

/** `8080`, `8080/udp`, `8000-8080/tcp` */
function portRange(name: string, value: string): PortRange {
  const [, from, to = from, protocol = 'tcp'] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(value) ?? []
  if (value.includes(':'))
    throw new BaleError('INVALID_ARGUMENT', `filter for '${name}' should not contain ':': ${printable(value)}`)
  if (from === undefined || Number(to) > 65535 || Number(to) < Number(from))
    throw new BaleError('INVALID_ARGUMENT', `error while looking up for ${name} ${printable(value)}: no port`, {
      hint: 'for example 8080, 8080/udp or 8000-8080/tcp',
    })
  return { from: Number(from), to: Number(to), protocol: protocol.toLowerCase() }
}

function ofAge(filters: Filters, all: readonly SeenContainer[]): Test {
  const created = (name: string) => filters.get(name).map((value) => createdOf(value, all))
  const before = created('before')
  const since = created('since')
  return ({ record }) => before.every((time) => record.created < time) && since.every((time) => record.created > time)
}

function createdOf(idOrName: string, all: readonly SeenContainer[]): number {
  const name = idOrName.replace(/^\//, '')
  const found =
    all.find(({ record }) => record.id === idOrName || record.name === name) ??
    all.find(({ record }) => idOrName !== '' && record.id.startsWith(idOrName))
  if (!found) throw noSuchContainer(printable(idOrName))
  return found.record.created
}

/** The image itself, and all images based on its layers. An image that the store does not have has no descendants. */
async function ofAncestor(context: EngineContext, filters: Filters): Promise<Test> {
  if (!filters.has('ancestor')) return () => true
  const store = await context.store()
  const found = await Promise.all(
    filters.get('ancestor').map((value) => store.images.resolve(value, { platform: context.platform }).catch(notHere)),
  )
  const ancestors = found.filter((image) => image !== undefined)
  return ({ record }) =>
    ancestors.some(({ id, config: { rootfs } }) => {
      const layers = rootfs.diff_ids
      return id === record.imageId || (layers.length > 0 && layers.every((layer, at) => layer === record.layers[at]))
    })
}

function notHere(error: unknown): undefined {
  if (error instanceof BaleError) return undefined
  throw error
}
