/**
 * A step of an image's history as its Dockerfile has it: `RUN npm ci` of `RUN /bin/sh -c npm ci # buildkit`. Undefined without a
 * history.
 */
export function stepOf(createdBy: string | undefined): string | undefined {
  const text = createdBy?.replace(/ # buildkit$/, '').trim()
  if (!text) return undefined
  for (const [start, instead] of STARTS) if (text.startsWith(start)) return instead + text.slice(start.length).trim()
  return text
}

/** As builders write them before the words of an instruction. */
const STARTS: readonly (readonly [start: string, instead: string])[] = [
  ['/bin/sh -c #(nop)', ''],
  ['/bin/sh -c ', 'RUN '],
  ['RUN /bin/sh -c ', 'RUN '],
]
