import { printable } from '#base'
import { humanSize } from '#docker'
import type { PathOrigin } from '#engine'
import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'why',
  summary: 'Show what brought a file into an image: layer, step, package, its vulnerabilities',
  usage: 'IMAGE PATH',
  arguments: { min: 2, max: 2 },
  options: [
    { flags: '--platform <OS/ARCH>', description: "Platform of the image, instead of this machine's" },
    { flags: '--offline', description: 'Fetch no advisories: use what is on this machine' },
    { flags: '--format <FORMAT>', description: 'text or json', default: 'text', choices: ['text', 'json'] },
    { flags: '-q, --quiet', description: 'Do not show progress' },
  ],
  examples: [
    { command: 'bale why webserver /usr/sbin/nginx', explains: 'The layer, the step and the package of a program' },
  ],
  async run({ args, options, engine, io, signal }) {
    const { platform, offline, quiet } = options
    let origin: PathOrigin
    {
      using view = createProgressView(io, { quiet, to: 'stderr' })
      origin = await engine.trust.why(args[0]!, args[1]!, { platform, offline, signal, progress: view.report })
    }
    await io.print(options.format === 'json' ? JSON.stringify(origin, undefined, 2) : textOf(origin))
    return 0
  },
})

function textOf({ name, path, kind, size, history, layers, packages, findings }: PathOrigin): string {
  const what =
    kind === undefined ? 'is not in the image any more' : kind === 'file' ? `file, ${humanSize(size ?? 0)}` : kind
  return [
    `/${printable(path)} of ${printable(name)}: ${what}`,
    ...history.map(({ layer, act }) => {
      const { digest, createdBy } = layers[layer]!
      return `${act} by layer ${layer} (${digest}): ${printable(createdBy ?? '(not in the history)', 300)}`
    }),
    ...(packages.length === 0 ? ['no package says that it is its own'] : []),
    ...packages.map(({ type, name: of, version, source }) => {
      const from = source && source.name !== of ? `, of the source ${printable(source.name)}` : ''
      return `package ${printable(of)} ${printable(version)} (${type}${from})`
    }),
    ...findings.map(({ id, severity, fixedVersion, advisory }) => {
      const fix = fixedVersion === undefined ? advisory.state : `fixed in ${printable(fixedVersion)}`
      return `${printable(id)} (${severity}): ${fix}`
    }),
  ].join('\n')
}
