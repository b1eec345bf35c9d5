import { parseExposedPorts } from '#docker'
import type { Container, PortRequest } from '../model/index.ts'

/** The published ports and, with -P, each exposed port that is not among them. */
export function portRequests({ document: { host, config } }: Container): PortRequest[] {
  const ports = [...(host.ports ?? [])]
  if (!host.publishAll) return ports
  const exposed = Object.keys(config.ExposedPorts ?? {}).flatMap((text) =>
    parseExposedPorts(text, 'invalid exposed port'),
  )
  for (const key of exposed) {
    const [port = '', protocol = 'tcp'] = key.split('/')
    const known = ports.some((one) => one.containerPort === Number(port) && one.protocol === protocol)
    if (!known) ports.push({ containerPort: Number(port), protocol: protocol as PortRequest['protocol'] })
  }
  return ports
}
