import type { Platform } from '#spec'
import { type ContainerFacts, type ContainerStatus, isUp, type PortFacts } from './container-facts.ts'

/** A line of `ps`. Times are milliseconds since 1970. */
export interface ContainerRow {
  id: string
  name: string
  image: string
  imageId?: string
  platform: Platform
  command: string[]
  created: number
  state: ContainerStatus
  startedAt?: number
  finishedAt?: number
  exitCode: number
  health?: string
  ports: PortFacts[]
  exposed: string[]
  labels: Record<string, string>
  mounts: { type: string; name?: string; source: string; destination: string }[]
  /** Names; `none`, `host` or `container:ID` where that is its mode. */
  networks: string[]
  /** Bytes of its own layer, and with its image. */
  size?: { written: number; total: number }
}

/** A container as a line of `ps`; without `size`, which nobody has counted yet. */
export function containerRow(container: ContainerFacts): ContainerRow {
  const { record, status, state } = container
  const { config, host, mounts, networks, connections } = record.document
  const lives = isUp(container)
  return {
    id: record.id,
    name: record.name,
    image: record.document.image,
    imageId: record.imageId,
    platform: record.document.platform,
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    created: record.created,
    state: status,
    startedAt: state.startedAt,
    finishedAt: state.finishedAt,
    exitCode: state.exitCode,
    health: lives ? state.health?.status : undefined,
    ports: lives ? connections.flatMap(({ ports }) => ports) : [],
    exposed: lives ? Object.keys(config.ExposedPorts ?? {}) : [],
    labels: config.Labels,
    mounts: mounts.map(({ type, name, source, destination }) => ({ type, name, source, destination })),
    networks: networks.length > 0 ? networks.map(({ network }) => network) : [host.network ?? 'bridge'],
  }
}
