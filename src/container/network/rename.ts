import { machineLock } from './bridges.ts'
import { replaceNames } from './name-server.ts'
import { keyOf } from './netavark-request.ts'
import { lockNetwork, type NetworkParts } from './parts.ts'

/** An owner is found on its networks under these names from now on; `aliasesOn` gives them by the network's ID. */
export async function renameOwner(
  parts: NetworkParts,
  owner: string,
  name: string,
  aliasesOn: (networkId: string) => readonly string[],
): Promise<void> {
  const { directory, requests, progress } = parts
  for (const { networkId, request } of await requests.read(owner)) {
    const aliases = [...aliasesOn(networkId)]
    await using _ = await lockNetwork(parts, networkId)
    await using _machine = await machineLock(progress)
    const renamed = Object.entries(request.networks).map(([key, one]) => [key, { ...one, aliases }])
    const changed = { ...request, container_name: name, networks: Object.fromEntries(renamed) }
    await requests.keep(owner, { networkId, request: changed })
    await replaceNames(directory, keyOf(networkId), owner, [...new Set([name, ...aliases])])
  }
}
