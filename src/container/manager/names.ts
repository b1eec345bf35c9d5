import { BaleError, printable } from '#base'

const MOODS =
  'able agile amber apt bold brave breezy bright brisk calm candid clever cosy crisp deft eager early fair fleet fond frank fresh gentle glad golden grand happy hardy jolly keen kind lively loyal lucid lucky mellow merry mild neat nimble noble patient plucky proud quick quiet ready robust rosy sage serene sharp silent sincere smart snug sober solid spry steady stout sturdy sunny sure swift tidy true warm wise witty zesty'.split(
    ' ',
  )
const THINGS =
  'anchor apple badger barge beacon beaver birch bobbin boulder bridge brook buoy cedar cherry clover compass comet coral crane crate cricket dolphin dune ember falcon fern finch fjord fox garnet glacier harbor hazel heron hull island juniper keel kestrel lagoon lantern lark linden lotus lynx maple marble meadow merlin mill nettle oak orchid osprey otter pebble pepper pier plum quartz quay raven reef robin rudder sail seal sparrow spruce sterling summit thistle tide topaz walnut willow wren'.split(
    ' ',
  )

/** Two words, as in docker; the caller tries again when it is taken. */
export function madeUpName(attempt = 0): string {
  const name = `${oneOf(MOODS)}_${oneOf(THINGS)}`
  return attempt === 0 ? name : `${name}${oneOf('0123456789')}`
}

/** Names are no secrets: node:crypto is not loaded for them. */
function oneOf(words: ArrayLike<string>): string {
  return words[Math.floor(Math.random() * words.length)]!
}

/** A leading slash is accepted, as docker does. Throws INVALID_ARGUMENT. */
export function checkContainerName(name: string): string {
  const bare = name.startsWith('/') ? name.slice(1) : name
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(bare)) return bare
  throw new BaleError(
    'INVALID_ARGUMENT',
    `Invalid container name (${printable(name)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  )
}
