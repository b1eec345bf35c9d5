import { BaleError } from '#base'
import type { PulledImage } from '#engine'
import { parseReference } from '#spec'
import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'pull',
  summary: 'Download an image from a registry',
  usage: 'NAME[:TAG|@DIGEST]',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-a, --all-tags', description: 'Download every tag of the repository' },
    { flags: '--platform <OS/ARCH>', description: "Platform to download, instead of this machine's" },
    { flags: '-q, --quiet', description: 'Print only the full name' },
    {
      flags: '--disable-content-trust',
      description: 'Accepted for compatibility; there is no content trust',
      hidden: true,
    },
  ],
  examples: [
    { command: 'bale pull debian:12', explains: 'From Docker Hub' },
    { command: 'bale pull localhost:5000/team/webserver', explains: 'From a registry of your own, the tag latest' },
    { command: 'bale pull --platform linux/arm64 debian:12', explains: 'For another machine' },
  ],
  async run({ args, options, engine, io, signal }) {
    const { allTags, platform, quiet } = options
    const name = args[0]!
    const { tag, digest } = parseReference(name)
    if (allTags && (tag || digest)) {
      throw new BaleError('INVALID_ARGUMENT', "tag can't be used with --all-tags/-a")
    }
    let pulled: PulledImage[]
    {
      using view = createProgressView(io, { quiet })
      if (!tag && !digest && !allTags) view.say('Using default tag: latest')
      pulled = await engine.images.pull(name, { allTags, platform, signal, progress: view.report })
    }
    for (const image of pulled) await io.print(image.name)
    return 0
  },
})
