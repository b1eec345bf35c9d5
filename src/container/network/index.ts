/**
 * network: networks of this machine by netavark and ip(8): addresses, ports, names, bridges and the walls between them.
 * Knows owners by their IDs, not containers.
 */

export { openBridges } from './bridges.ts'
export type { ClaimRequest } from './claim.ts'
export { type Connections, connections } from './connections.ts'
export {
  assertResolvOptions,
  hostHostsFile,
  hostResolvFile,
  hostsFile,
  machineEtcFiles,
  machineResolvConf,
  parseExtraHost,
  resolvFile,
} from './etc-files.ts'
export { firewall } from './firewall.ts'
export { candidateOf, chooseGateway } from './gateway.ts'
export { netavark } from './netavark.ts'
export { createNetwork, defaultNetwork, findNetwork } from './network.ts'
export { assertEndpoint, assertNetworkOptions } from './network-mode.ts'
