import type { Engine } from '#engine'
import { compileTemplate, goJson } from '../render/go-template/index.ts'
import { defineVerb } from '../verb/verb.ts'

/** The version of docker's API whose documents `inspect` prints. */
const API_VERSION = '1.48'
const OLDEST_API_VERSION = '1.24'

/** docker's document: there is no server, but scripts ask for its version. */
function dockerDocument(facts: Awaited<ReturnType<Engine['system']['version']>>) {
  const { Version, Os, Arch, KernelVersion, NodeVersion } = facts
  const common = { Version, ApiVersion: API_VERSION, GitCommit: '', GoVersion: '', Os, Arch, BuildTime: '' }
  const installed = facts.Components.filter((component) => component.Version !== undefined)
  const engine = {
    Name: 'Engine',
    Version,
    Details: { ApiVersion: API_VERSION, Arch, KernelVersion, MinAPIVersion: OLDEST_API_VERSION, NodeVersion, Os },
  }
  return {
    Client: {
      Platform: { Name: 'bale' },
      ...common,
      DefaultAPIVersion: API_VERSION,
      Context: 'default',
      KernelVersion,
      NodeVersion,
      Components: facts.Components,
    },
    Server: {
      Platform: { Name: 'bale' },
      Components: [engine, ...installed.map((one) => ({ ...one, Details: { GitCommit: '' } }))],
      ...common,
      MinAPIVersion: OLDEST_API_VERSION,
      KernelVersion,
      Experimental: false,
    },
  }
}

export const verb = defineVerb({
  name: 'version',
  summary: 'Show the versions of bale and of the programs it uses',
  arguments: { max: 0 },
  options: [{ flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template over { Client, Server }" }],
  examples: [
    { command: 'bale version', explains: 'For a bug report' },
    { command: `bale version --format '{{.Client.Version}}'`, explains: 'One field' },
  ],
  async run({ options, engine, io }) {
    const facts = await engine.system.version()
    if (options.format) {
      const document = dockerDocument(facts)
      await io.print(options.format === 'json' ? goJson(document) : compileTemplate(options.format)(document))
      return 0
    }
    const components = facts.Components.map(({ Name, Version }) => [Name, Version ?? 'not installed'])
    const rows = [
      ['Version', facts.Version],
      ['Node.js', facts.NodeVersion],
      ['OS/Arch', `${facts.Os}/${facts.Arch}`],
      ['Kernel', facts.KernelVersion],
      ...components,
    ]
    await io.print(rows.map(([name, value]) => `${`${name}:`.padEnd(12)}${value}`).join('\n'))
    return 0
  },
})
