/** Where a registry of a reference really is. */
export interface RegistryHost {
  /** As in references: `docker.io`, `localhost:5000`. */
  name: string
  /** Host and port that are dialled; Docker Hub's differs from its name. */
  host: string
  /** Name or address of this very machine, which may speak plain http. */
  loopback: boolean
}

const DOCKER_HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

export function registryHost(registry: string): RegistryHost {
  if (DOCKER_HUB.has(registry)) return { name: 'docker.io', host: 'registry-1.docker.io', loopback: false }
  return { name: registry, host: registry, loopback: isLoopback(new URL(`http://${registry}`).hostname) }
}

/** `hostname` as URL writes it (IPv6 in brackets). Names other than localhost are not resolved: an answer could change. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

/** Loopback, link-local (cloud metadata services) and private addresses, as literals. */
export function isPrivateAddress(hostname: string): boolean {
  if (isLoopback(hostname)) return true
  const ipv4 = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(hostname)
  if (ipv4) {
    const [first, second] = [Number(ipv4[1]), Number(ipv4[2])]
    return (
      first === 10 ||
      first === 0 ||
      (first === 172 && second >= 16 && second < 32) ||
      (first === 192 && second === 168) ||
      (first === 169 && second === 254) ||
      (first === 100 && second >= 64 && second < 128)
    )
  }
  // Unique local and link-local addresses, and IPv4 inside IPv6, which could be any of the above.
  return /^\[(?:f[cd]|fe[89ab]|::ffff:|::\])/i.test(hostname)
}
