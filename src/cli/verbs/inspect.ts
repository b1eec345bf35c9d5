import { BaleError } from '#base'
import { firstFound, printInspected } from '../render/inspected.ts'
import { defineVerb } from '../verb/verb.ts'

/** In the order in which docker looks. */
const TYPES = ['container', 'image', 'network', 'volume'] as const

export const verb = defineVerb({
  name: 'inspect',
  summary: 'Show details of containers, images, networks or volumes as JSON',
  usage: 'NAME|ID [NAME|ID...]',
  arguments: { min: 1 },
  options: [
    { flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template" },
    { flags: '--type <TYPE>', description: `Look only among one of ${TYPES.join(', ')}` },
    { flags: '-s, --size', description: 'Also show the sizes of containers' },
  ],
  examples: [
    {
      command: 'bale inspect web',
      explains: 'The container web or, if there is none, the image, network or volume of that name',
    },
    { command: `bale inspect -f '{{.State.Status}}' web`, explains: 'One part' },
  ],
  run({ args, options, engine, io }) {
    const type = TYPES.find((one) => one === options.type)
    if (options.type !== undefined && !type)
      throw new BaleError('INVALID_ARGUMENT', `"${options.type}" is not a valid value for --type`, {
        hint: `the types are ${TYPES.join(', ')}`,
      })
    const ways = {
      container: (name: string) => engine.containers.inspect(name, { size: options.size }),
      image: (name: string) => engine.images.inspect(name),
      volume: (name: string) => engine.volumes.inspect(name),
      network: (name: string) => engine.networks.inspect(name),
    }
    const wanted = type ? [type] : TYPES
    const notFound: BaleError['code'][] = [
      'CONTAINER_NOT_FOUND',
      'IMAGE_NOT_FOUND',
      'VOLUME_NOT_FOUND',
      'NETWORK_NOT_FOUND',
      // What cannot be the name of an image can be that of something else.
      'INVALID_REFERENCE',
    ]
    const inspect = (name: string) =>
      firstFound(
        name,
        wanted.map((type) => async (one: string) => {
          const object = await ways[type](one)
          if (options.size && type !== 'container') io.warn(`WARNING: --size ignored for ${type}`)
          return object
        }),
        type ? [] : notFound,
      )
    return printInspected(io, args, inspect, options.format)
  },
})
