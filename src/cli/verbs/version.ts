import { goJson } from '../render/format-functions.ts'
import { compileTemplate } from '../render/go-template.ts'
import { defineVerb } from '../verb.ts'

export const verb = defineVerb<{ format?: string }>({
  name: 'version',
  summary: 'Show the versions of bale and of the programs it uses',
  arguments: { max: 0 },
  options: [{ flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template over { Client }" }],
  examples: [
    { command: 'bale version', explains: 'For a report of a problem' },
    { command: `bale version --format '{{.Client.Version}}'`, explains: 'One field' },
  ],
  async run({ options, engine, io }) {
    const client = await engine.version()
    if (options.format !== undefined) {
      await io.print(
        options.format === 'json' ? goJson({ Client: client }) : compileTemplate(options.format)({ Client: client }),
      )
      return 0
    }
    const components = client.Components.map(({ Name, Version }) => [Name, Version ?? 'not installed'])
    const rows = [
      ['Version', client.Version],
      ['Node.js', client.NodeVersion],
      ['OS/Arch', `${client.Os}/${client.Arch}`],
      ['Kernel', client.KernelVersion],
      ...components,
    ]
    await io.print(rows.map(([name, value]) => `${`${name}:`.padEnd(12)}${value}`).join('\n'))
    return 0
  },
})
