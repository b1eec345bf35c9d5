/** Ports of the machine, by the container's port as docker keys them: `80/tcp`. */
export function portBindings(ports: readonly { containerPort: number; protocol: string; ip: string; port: string }[]) {
  const result: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { containerPort, protocol, ip, port } of ports) {
    const key = `${containerPort}/${protocol}`
    result[key] = [...(result[key] ?? []), { HostIp: ip, HostPort: port }]
  }
  return result
}
