import { BaleError, isBaleError } from '#base'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'manifest create',
  summary: 'Create a manifest list: images for several platforms under one name',
  usage: 'LIST IMAGE [IMAGE...]',
  arguments: { min: 2 },
  options: [
    { flags: '-a, --amend', description: 'Add to the list if it exists' },
    { flags: '--insecure', description: 'Allow plain HTTP and untrusted certificates' },
  ],
  examples: [
    {
      command:
        'bale manifest create localhost:5000/team/web:1 localhost:5000/team/web:1-amd64 localhost:5000/team/web:1-arm64',
      explains: 'From images in the store, otherwise in their registries; push uploads the list',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const [list, ...members] = args as [string, ...string[]]
    const { name } = await engine.registries.createList(list, members, { ...options, signal }).catch(namingTheFlag)
    await io.print(`Created manifest list ${name}`)
    return 0
  },
})

/** docker's client names the flag that adds to an existing list. */
function namingTheFlag(cause: unknown): never {
  if (!isBaleError(cause, 'CONFLICT') || cause.next?.act !== 'amend-list') throw cause
  const { next } = cause
  throw new BaleError('CONFLICT', 'refusing to amend an existing manifest list with no --amend flag', { cause, next })
}
