import { printable } from '#base'
import { humanSize } from '#docker'
import type { AttachmentNode, AttachmentTree } from '#engine'
import { formatPlatform } from '#spec'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'tree',
  summary: 'Show what is attached to an image in its registry: signatures, attestations, SBOMs',
  usage: 'NAME[:TAG|@DIGEST]',
  arguments: { min: 1, max: 1 },
  options: [{ flags: '--format <FORMAT>', description: 'text or json', default: 'text', choices: ['text', 'json'] }],
  examples: [{ command: 'bale tree localhost:5000/team/webserver:1', explains: 'Nothing of it is verified' }],
  async run({ args, options, engine, io, signal }) {
    const tree = await engine.trust.attachments(args[0]!, { signal })
    if (options.format === 'json') await io.print(JSON.stringify(tree, undefined, 2))
    else await io.print([args[0]!, ...linesOfImage(tree)].join('\n'))
    return 0
  },
})

function linesOfImage({ subject, attached, images, omitted }: AttachmentTree): string[] {
  const platform = subject.platform ? ` ${formatPlatform(subject.platform)}` : ''
  const children = [
    ...attached.map(linesOfNode),
    ...images.map(linesOfImage),
    ...(omitted > 0 ? [[`and ${omitted} more that were not read`]] : []),
  ]
  return [`${images.length > 0 ? 'index' : 'image'} ${subject.digest}${platform}`, ...branches(children)]
}

function linesOfNode({
  kind,
  predicateType,
  artifactType,
  descriptor,
  layers,
  attached,
  tag,
  problem,
}: AttachmentNode): string[] {
  const size = layers.reduce((sum, layer) => sum + layer.size, 0)
  const what = kind === 'other' ? printable(artifactType, 100) : kind
  const notes = [
    ...(predicateType === undefined ? [] : [printable(predicateType, 200)]),
    ...(tag === undefined ? [] : [`tag ${tag}`]),
    ...(problem === undefined ? [humanSize(size)] : [`cannot be read: ${printable(problem, 200)}`]),
  ]
  return [`${what} ${descriptor.digest} (${notes.join(', ')})`, ...branches(attached.map(linesOfNode))]
}

function branches(children: readonly string[][]): string[] {
  return children.flatMap(([first, ...rest], index) => {
    const last = index === children.length - 1
    return [`${last ? '└── ' : '├── '}${first}`, ...rest.map((line) => `${last ? '    ' : '│   '}${line}`)]
  })
}
