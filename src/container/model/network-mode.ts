import { DEFAULT_NETWORK } from './network-document.ts'

const SHARED = 'container:'

/** The container whose network another one uses, by name or ID; undefined for every other mode. */
export function sharedWith(mode: string | undefined): string | undefined {
  return mode?.startsWith(SHARED) ? mode.slice(SHARED.length) : undefined
}

export function sharing(containerId: string): string {
  return SHARED + containerId
}

/** `none`, `host` and the network of another container give a container no address, port or name of its own. */
export function isOwnNetwork(mode: string | undefined): boolean {
  return mode !== 'none' && mode !== 'host' && sharedWith(mode) === undefined
}

export function isDefaultNetwork(mode: string | undefined): boolean {
  return mode === undefined || mode === DEFAULT_NETWORK || mode === 'default'
}
