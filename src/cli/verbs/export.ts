import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BaleError } from '#base'
import { defineVerb } from '../verb.ts'

export const verb = defineVerb<{ output?: string }>({
  name: 'export',
  summary: 'Write all files of a container as a tar',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [{ flags: '-o, --output <FILE>', description: 'Write to a file instead of stdout' }],
  examples: [{ command: 'bale export web > web.tar', explains: 'Import it: bale import web.tar' }],
  async run({ args, options, engine, io, signal }) {
    if (options.output === undefined && io.stdout.isTTY)
      throw new BaleError('INVALID_ARGUMENT', 'cowardly refusing to save to a terminal. Use the -o flag or redirect')
    const tar = Readable.from(await engine.exportContainer(args[0]!), { objectMode: false })
    if (options.output === undefined) {
      await pipeline(tar, io.stdout, { signal, end: false })
      return 0
    }
    const partial = `${options.output}.partial`
    try {
      await pipeline(tar, createWriteStream(partial), { signal })
      await rename(partial, options.output)
    } finally {
      await rm(partial, { force: true })
    }
    return 0
  },
})
