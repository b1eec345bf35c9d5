import { BaleError } from '#base'
import { defineVerb } from '../verb/verb.ts'

const byPort = (one: string, other: string) =>
  Number.parseInt(one, 10) - Number.parseInt(other, 10) || (one < other ? -1 : 1)

export const verb = defineVerb({
  name: 'port',
  summary: 'Show the published ports of a container',
  usage: 'CONTAINER [PORT[/PROTOCOL]]',
  arguments: { min: 1, max: 2 },
  options: [],
  examples: [{ command: 'bale port web 80', explains: 'Prints 0.0.0.0:8080' }],
  async run({ args, engine, io }) {
    const [name = '', wanted] = args
    const { NetworkSettings } = await engine.containers.inspect(name)
    const ports = Object.entries(
      NetworkSettings['Ports'] as Record<string, { HostIp: string; HostPort: string }[] | null>,
    ).filter(([, bindings]) => bindings)
    const key = wanted === undefined ? undefined : (wanted.includes('/') ? wanted : `${wanted}/tcp`).toLowerCase()
    const chosen = key === undefined ? ports : ports.filter(([port]) => port === key)
    if (key !== undefined && chosen.length === 0)
      throw new BaleError('INVALID_ARGUMENT', `no public port '${key}' published for ${name}`)
    for (const [port, bindings] of chosen.sort(([one], [other]) => byPort(one, other)))
      for (const { HostIp, HostPort } of bindings ?? []) {
        const address = `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`
        await io.print(key === undefined ? `${port} -> ${address}` : address)
      }
    return 0
  },
})
