import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'manifest push',
  summary: 'Upload a manifest list and its images to a registry',
  usage: 'LIST [NAME[:TAG]]',
  arguments: { min: 1, max: 2 },
  options: [
    { flags: '-p, --purge', description: 'Remove the local list after the push' },
    { flags: '-q, --quiet', description: 'Print only the digest' },
    { flags: '--insecure', description: 'Allow plain HTTP and untrusted certificates' },
    { flags: '--all', description: 'Accepted for compatibility; all images are always sent', hidden: true },
  ],
  examples: [
    {
      command: 'bale manifest push localhost:5000/team/web:1',
      explains: 'Images that the registry already has are not sent',
    },
    { command: 'bale manifest push web:1 localhost:5000/team/web:1', explains: 'Under another name' },
  ],
  async run({ args, options, engine, io, signal }) {
    using view = createProgressView(io, { to: 'stderr', quiet: options.quiet })
    const { insecure, purge } = options
    const [list, destination] = args as [string, string?]
    const { digest } = await engine.registries.pushList(list, {
      destination,
      insecure,
      purge,
      signal,
      progress: view.report,
    })
    await io.print(digest)
    return 0
  },
})
