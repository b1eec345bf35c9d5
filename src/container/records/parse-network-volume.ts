import type { NetworkRecord, VolumeRecord } from '#store'
import { assertShape, type Shape, versionOf } from '#store/records'
import type { Network, NetworkDocument, Volume, VolumeDocument } from '../model/index.ts'

const NETWORK: Shape = {
  driver: 'string',
  interfaceName: 'string',
  subnet: 'string',
  gateway: 'string',
  ipRange: 'string?',
  auxiliary: 'texts?',
  ipv6: 'object?',
  internal: 'boolean',
  dns: 'boolean',
  options: 'texts',
  labels: 'texts',
}
const VOLUME: Shape = { labels: 'texts', options: 'texts', anonymous: 'boolean' }

/** A network as the store keeps it. There is one version so far. Throws STORE_VERSION, STORE_DAMAGED. */
export function parseNetwork(record: NetworkRecord): Network {
  const what = `network ${record.name}`
  versionOf(record.document, { what, newest: 1 })
  assertShape(record.document, NETWORK, what)
  return { ...record, document: record.document as NetworkDocument }
}

/** A volume as the store keeps it. There is one version so far. Throws STORE_VERSION, STORE_DAMAGED. */
export function parseVolume(record: VolumeRecord): Volume {
  const what = `volume ${record.name}`
  versionOf(record.document, { what, newest: 1 })
  assertShape(record.document, VOLUME, what)
  return { ...record, document: record.document as VolumeDocument }
}
