import type { ContainerRecord } from '#store'
import { assertShape, type Shape, versionOf } from '#store/records'
import {
  CONTAINER_DOCUMENT_VERSION,
  type Connection,
  type Container,
  type ContainerDocument,
  type HostOptions,
} from '../model/index.ts'
import { networkRequests } from './network-requests.ts'

/** What both versions have. */
const COMMON: Shape = {
  image: 'string',
  platform: 'object',
  config: 'object',
  host: 'object',
  mounts: 'list',
  stubs: 'list',
  state: 'object',
  runtime: 'string?',
}
const CONFIG: Shape = { Hostname: 'string', Domainname: 'string', Env: 'list', Labels: 'texts', Tty: 'boolean' }
const STATE: Shape = { status: 'string', exitCode: 'number', restartCount: 'number', startedAt: 'number?' }
const MOUNT: Shape = { type: 'string', source: 'string', destination: 'string', readOnly: 'boolean' }
const NETWORK: Shape = { network: 'string', aliases: 'list?', ipAddress: 'string?', macAddress: 'string?' }
const CONNECTION: Shape = {
  networkId: 'string',
  networkName: 'string',
  address: 'string',
  prefix: 'number',
  gateway: 'string',
  mac: 'string',
  aliases: 'list',
  ports: 'list',
}

/** Version 1, of bale 0.1: at most one network. */
type FirstDocument = Omit<ContainerDocument, 'version' | 'networks' | 'connections'> & {
  connection?: Omit<Connection, 'interfaceName'>
}

/**
 * A container as the store keeps it, in the form of today whichever bale wrote it. Throws STORE_VERSION for one of a newer
 * bale, STORE_DAMAGED.
 */
export function parseContainer(record: ContainerRecord): Container {
  const what = `container ${record.id.slice(0, 12)}`
  const version = versionOf(record.document, { what, newest: CONTAINER_DOCUMENT_VERSION })
  assertShape(record.document, COMMON, what)
  const { config, state, mounts } = record.document as FirstDocument
  assertShape(config, CONFIG, what)
  assertShape(state, STATE, what)
  for (const mount of mounts) assertShape(mount, MOUNT, what)
  const document = version === 1 ? withLists(record.document as FirstDocument) : (record.document as ContainerDocument)
  assertShape(document, { networks: 'list', connections: 'list' }, what)
  for (const network of document.networks) assertShape(network, NETWORK, what)
  for (const connection of document.connections) assertShape(connection, CONNECTION, what)
  return { ...record, document }
}

function withLists({ connection, ...document }: FirstDocument): ContainerDocument {
  return {
    ...document,
    version: CONTAINER_DOCUMENT_VERSION,
    networks: networkRequests(document.host as HostOptions),
    connections: connection ? [{ ...connection, interfaceName: 'eth0' }] : [],
  }
}
