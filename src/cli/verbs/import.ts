import { createProgressView } from '../render/progress.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'import',
  summary: 'Create an image from a tar of a root filesystem',
  usage: 'FILE|URL|- [NAME[:TAG]]',
  arguments: { min: 1, max: 2 },
  options: [
    { flags: '-c, --change <INSTRUCTION>', description: 'Apply a Dockerfile instruction to the image', repeat: true },
    { flags: '-m, --message <TEXT>', description: 'Set the comment of the image' },
    { flags: '--platform <OS/ARCH>', description: 'Set the platform of the image' },
  ],
  examples: [
    { command: 'bale import rootfs.tar debian:12', explains: 'A tar file, plain or compressed, becomes an image' },
    { command: 'tar -C tree -c . | bale import - tree:1', explains: 'From a pipe' },
    {
      command: `bale import -c 'CMD ["sh"]' https://files.example/rootfs.tar.gz base`,
      explains: 'From the web, with a command',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    using view = createProgressView(io, { to: 'stderr', quiet: !io.stderr.isTTY })
    const [source, name] = args as [string, string?]
    const { id } = await engine.images.import(source === '-' ? io.stdin : source, {
      name,
      changes: options.change,
      message: options.message,
      platform: options.platform,
      signal,
      progress: view.report,
    })
    await io.print(id)
    return 0
  },
})
