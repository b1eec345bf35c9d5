import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'manifest add',
  summary: 'Add images to a manifest list',
  usage: 'LIST IMAGE [IMAGE...]',
  arguments: { min: 2 },
  options: [{ flags: '--insecure', description: 'Allow plain HTTP and untrusted certificates' }],
  examples: [{ command: 'bale manifest add web:1 web:1-riscv64', explains: 'One more platform' }],
  async run({ args, options, engine, io, signal }) {
    const [list, ...members] = args as [string, ...string[]]
    const { name } = await engine.registries.addToList(list, members, { ...options, signal })
    await io.print(name)
    return 0
  },
})
