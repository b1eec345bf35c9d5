import { BaleError } from '#base'
import { type ProgramResult, runProgram } from '#host'
import { makeSubdirectory } from '#host/file'
import { netavarkReason, type Programs } from '../runtime/index.ts'
import { assertNames } from './name-server.ts'

/** netavark's input for one container on one network; kept as a file until it is torn down. */
export interface NetavarkRequest {
  container_id: string
  container_name: string
  networks: Record<string, { interface_name: string; static_ips: string[]; static_mac?: string; aliases: string[] }>
  network_info: Record<string, NetavarkNetwork>
  port_mappings: NetavarkPort[]
  dns_servers?: string[]
}

interface NetavarkNetwork {
  name: string
  id: string
  driver: 'bridge'
  network_interface: string
  subnets: { subnet: string; gateway: string }[]
  ipv6_enabled: boolean
  internal: boolean
  dns_enabled: boolean
  ipam_options: { driver: 'host-local' }
  options: Record<string, string>
}

interface NetavarkPort {
  /** Empty: all addresses. */
  host_ip: string
  host_port: number
  container_port: number
  protocol: string
  range: 1
}

export interface Netavark {
  /** Connects a network namespace. After a failure `teardown` must follow. */
  setup(namespace: string, request: NetavarkRequest): Promise<void>
  /** Undoes `setup`; also when the namespace or its interface is lost, or setup failed half-way. */
  teardown(namespace: string, request: NetavarkRequest): Promise<void>
}

/** netavark as a program. `directory` holds its state and that of aardvark-dns. */
export function netavark(programs: Programs, directory: string): Netavark {
  const env = { PATH: programs.searchPath }
  const call = async (action: 'setup' | 'teardown', namespace: string, request: NetavarkRequest) => {
    await makeSubdirectory(directory)
    const dns = Object.values(request.network_info).some((network) => network.dns_enabled)
    const helper = dns ? ['--aardvark-binary', programs.need('aardvark-dns')] : []
    return runProgram(programs.need('netavark'), ['--config', directory, ...helper, action, namespace], {
      env,
      input: JSON.stringify(request),
    })
  }
  return {
    async setup(namespace, request) {
      programs.need('iptables')
      if (Object.values(request.network_info).some((network) => network.ipv6_enabled)) programs.need('ip6tables')
      const result = await setupTwice(
        () => call('setup', namespace, request),
        () => this.teardown(namespace, request),
      )
      if (result.code !== 0)
        throw new BaleError('NETWORK_SETUP_FAILED', `cannot connect the container: ${netavarkReason(result)}`)
      for (const network of Object.values(request.network_info))
        if (network.dns_enabled) await assertNames(programs, directory, network.subnets[0]!.gateway)
    },
    async teardown(namespace, request) {
      const result = await call('teardown', namespace, request)
      if (result.code === 0) return
      if (
        !/failed to delete container veth|No such device|Invalid argument|netns|aardvark pid|No such file or directory/i.test(
          netavarkReason(result),
        )
      )
        throw new BaleError('NETWORK_SETUP_FAILED', `cannot disconnect the container: ${netavarkReason(result)}`)
      if (/aardvark pid/i.test(netavarkReason(result))) return
      // Rules stay when the interface is gone; with a stand-in of the same name netavark removes them.
      const interfaceName = Object.values(request.networks)[0]!.interface_name
      const standIn = ['link', 'add', interfaceName, 'type', 'bridge']
      await runProgram(programs.need('ip'), standIn, { env, networkNamespace: namespace })
      await call('teardown', namespace, request)
    },
  }
}

/**
 * Other programs change rules at the same time (another netavark, a firewall that reloads): then one of the two fails, and
 * succeeds a moment later.
 */
async function setupTwice(setup: () => Promise<ProgramResult>, undo: () => Promise<void>): Promise<ProgramResult> {
  const result = await setup()
  if (result.code === 0 || !/IO error|Chain already exists|temporarily unavailable/i.test(netavarkReason(result)))
    return result
  await undo()
  return setup()
}
