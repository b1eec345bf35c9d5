/** Orders two versions: negative, 0 or positive; undefined when one of the texts is not a version. Never throws. */
export type Compare = (left: string, right: string) => number | undefined

export interface VersionScheme {
  isVersion(text: string): boolean
  readonly compare: Compare
}

/** Characters. No longer text is a version: the longest one in public registries has a fifth of this. */
const LENGTH_LIMIT = 1000

/** A scheme made of what reads a version (undefined when it is none) and what orders two that were read. */
export function versionScheme<Version>(
  parse: (text: string) => Version | undefined,
  order: (left: Version, right: Version) => number,
): VersionScheme {
  const read = (text: string) => (text.length > LENGTH_LIMIT ? undefined : parse(text))
  const readAgain = rememberingOne(read)
  return {
    isVersion: (text) => read(text) !== undefined,
    compare(left, right) {
      const first = readAgain(left)
      const second = first === undefined ? undefined : read(right)
      return first === undefined || second === undefined ? undefined : order(first, second)
    },
  }
}

/** One installed version is compared with many of advisories in turn: reading it once halves the time. */
function rememberingOne<Result>(read: (text: string) => Result): (text: string) => Result {
  let known: { text: string; result: Result } | undefined
  return (text) => {
    if (known?.text !== text) known = { text, result: read(text) }
    return known.result
  }
}
