import { BaleError } from '#base'
import type { PushedImage } from '#engine'
import { parseReference } from '#spec'
import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'push',
  summary: 'Upload an image to a registry',
  usage: 'NAME[:TAG]',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-a, --all-tags', description: 'Upload every tag of the repository that the store has' },
    {
      flags: '--compression-format <FORMAT>',
      description: 'How layers that were made here are compressed: gzip or zstd. Others go on as they came',
      default: 'gzip',
      choices: ['gzip', 'zstd'],
    },
    { flags: '-q, --quiet', description: 'Print only the full name' },
    {
      flags: '--disable-content-trust',
      description: 'Accepted for compatibility; there is no content trust',
      hidden: true,
    },
  ],
  examples: [
    {
      command: 'bale push localhost:5000/team/webserver:latest',
      explains: 'Layers that the registry already has are not sent',
    },
    {
      command: 'bale push --compression-format zstd localhost:5000/team/webserver',
      explains: 'Smaller and quicker, for clients that read zstd (docker 23, podman 2 and later)',
    },
    { command: 'bale push -a localhost:5000/team/webserver', explains: 'All tags' },
  ],
  async run({ args, options, engine, io, signal }) {
    const { allTags, quiet, compressionFormat: compression } = options
    const name = args[0]!
    if (allTags && parseReference(name).tag) {
      throw new BaleError('INVALID_ARGUMENT', "tag can't be used with --all-tags/-a")
    }
    let pushed: PushedImage[]
    {
      using view = createProgressView(io, { quiet })
      if (!parseReference(name).tag && !allTags) view.say('Using default tag: latest')
      pushed = await engine.images.push(name, { allTags, compression, signal, progress: view.report })
    }
    if (quiet) for (const image of pushed) await io.print(image.name)
    return 0
  },
})
