import type { NewEvent } from '#store'
import type { Connection } from './connection.ts'
import type { Container, ContainerMount } from './container-document.ts'
import { DEFAULT_NETWORK, type Network } from './network-document.ts'
import type { Volume } from './volume-document.ts'

/**
 * An event about a container, with docker's attributes of it: its labels, image and name. Source: moby,
 * daemon/events.go.
 */
export function containerEvent(
  { id, name, document: { config, image } }: Container,
  action: string,
  attributes: Record<string, string> = {},
): NewEvent {
  return { type: 'container', action, actor: id, attributes: { ...config.Labels, image, name, ...attributes } }
}

/**
 * The events of a change of a container's record. A start is not among them: the record is `running` before the first
 * process runs, so nothing is lost when the starting process dies.
 */
export function containerEvents(before: Container | undefined, after: Container | undefined): NewEvent[] {
  if (!after) return before ? [containerEvent(before, 'destroy')] : []
  if (!before) return [containerEvent(after, 'create')]
  return [
    ...renamed(before, after),
    ...updated(before, after),
    ...healthChanged(before, after),
    ...lived(before, after),
  ]
}

function renamed(before: Container, after: Container): NewEvent[] {
  return before.name === after.name ? [] : [containerEvent(after, 'rename', { oldName: `/${before.name}` })]
}

function updated(before: Container, after: Container): NewEvent[] {
  const changeable = ({ document: { host } }: Container) => JSON.stringify([host.resources, host.restart])
  return changeable(before) === changeable(after) ? [] : [containerEvent(after, 'update')]
}

function healthChanged(before: Container, after: Container): NewEvent[] {
  const [one, other] = [before.document.state.health?.status, after.document.state.health?.status]
  if (other === undefined || one === undefined || one === other) return []
  return [containerEvent(after, `health_status: ${other}`)]
}

/** A run begins with its connections and volumes, and ends with them. */
function lived(before: Container, after: Container): NewEvent[] {
  const [was, is] = [before.document.state.status === 'running', after.document.state.status === 'running']
  if (is)
    return [
      ...newPlaces(before, after, 'connect'),
      ...newPlaces(after, before, 'disconnect'),
      ...(was ? [] : mounts(after, 'mount')),
    ]
  if (!was) return []
  const { exitCode, oomKilled, startedAt, finishedAt } = after.document.state
  const began = startedAt ?? before.document.state.startedAt ?? 0
  const seconds = Math.max(0, Math.floor(((finishedAt ?? began) - began) / 1000))
  return [
    ...(oomKilled ? [containerEvent(after, 'oom')] : []),
    containerEvent(after, 'die', { execDuration: `${seconds}`, exitCode: `${exitCode}` }),
    ...placesOf(before).map((place) => connectionEvent(before.id, place, 'disconnect')),
    ...mounts(before, 'unmount'),
  ]
}

function placesOf({ document }: Container): readonly Connection[] {
  return document.state.status === 'running' ? document.connections : []
}

/** Connections that `other` has and `one` does not. */
function newPlaces(one: Container, other: Container, action: 'connect' | 'disconnect'): NewEvent[] {
  const known = new Set(placesOf(one).map(({ networkId }) => networkId))
  return placesOf(other)
    .filter(({ networkId }) => !known.has(networkId))
    .map((place) => connectionEvent(other.id, place, action))
}

function connectionEvent(container: string, connection: Connection, action: 'connect' | 'disconnect'): NewEvent {
  const attributes = { container, name: connection.networkName, type: 'bridge' }
  return { type: 'network', action, actor: connection.networkId, attributes }
}

function mounts({ id, document }: Container, action: 'mount' | 'unmount'): NewEvent[] {
  return document.mounts.flatMap((mount) => (mount.name === undefined ? [] : [mountEvent(id, mount, action)]))
}

function mountEvent(container: string, mount: ContainerMount, action: 'mount' | 'unmount'): NewEvent {
  const { name = '', destination, propagation, readOnly } = mount
  const place: Record<string, string> =
    action === 'mount' ? { destination, propagation, 'read/write': `${!readOnly}` } : {}
  return { type: 'volume', action, actor: name, attributes: { container, driver: 'local', ...place } }
}

/** The default network is made with the first container that needs it; docker has it from the start. */
export function networkEvents(before: Network | undefined, after: Network | undefined): NewEvent[] {
  const network = after ?? before
  if (!network || network.name === DEFAULT_NETWORK || (before && after)) return []
  const attributes = { name: network.name, type: network.document.driver }
  return [{ type: 'network', action: after ? 'create' : 'destroy', actor: network.id, attributes }]
}

export function volumeEvents(before: Volume | undefined, after: Volume | undefined): NewEvent[] {
  const volume = after ?? before
  if (!volume || (before && after)) return []
  return [{ type: 'volume', action: after ? 'create' : 'destroy', actor: volume.name, attributes: { driver: 'local' } }]
}
