import type { FoundInFile, FoundPackage, OwnedPath } from './model.ts'

/** More than any distribution or lockfile has. */
const MOST_PACKAGES = 1_000_000
/** Characters of a name or version; real ones stay below 200. */
const LONGEST_NAME = 1024
/** Characters of texts that are only shown to people. */
const LONGEST_REMARK = 4096
/**
 * Characters of a licence in a language's package: a longer one is the licence's text. Distributions may list many
 * licences in one text.
 */
const LONGEST_LICENCE = 200
/** Of one package; a Python package may have one for each classifier. Real ones have a few. */
const MOST_LICENCES = 100
/** Characters of all packages of a file together; 10 000 real packages have 3 million. */
const MOST_TEXT = 64 << 20

/** Collects the packages and gaps of one file, up to a limit. */
export interface Collector {
  /**
   * Empty texts are left out, and a package that comes twice is listed once. False when the limit is reached: no further
   * package will be taken.
   */
  add(found: FoundPackage): boolean
  /**
   * Notes why a part of the file could not be read. The same reason, noted many times, is one gap with the number of
   * times.
   */
  miss(reason: string): void
  result(owned?: Iterable<OwnedPath>): FoundInFile
}

/**
 * A collector for the file at `where`. It takes the first million packages, or fewer when their texts are very long. A
 * package is left out, and noted, when its name or version is missing, too long, or contains spaces or control characters.
 */
export function createCollector(where: string): Collector {
  const packages = new Map<string, FoundPackage>()
  const missed = new Map<string, number>()
  let text = 0
  const miss = (reason: string) => void missed.set(reason, (missed.get(reason) ?? 0) + 1)
  return {
    add(found) {
      if (!isName(found.name) || !isName(found.version)) {
        miss('a package has no usable name or version')
        return true
      }
      const key = `${found.type} ${found.name} ${found.version} ${found.architecture ?? ''}`
      if (packages.has(key)) return true
      const tidy = tidied(found)
      text += textLengthOf(tidy)
      const fits = packages.size < MOST_PACKAGES && text <= MOST_TEXT
      if (fits && (found.licences?.length ?? 0) > MOST_LICENCES)
        miss(`a package has more than ${MOST_LICENCES} licences; the rest is left out`)
      if (fits) packages.set(copyOf(key), tidy)
      else miss(`it lists more packages than the ${packages.size} that were read`)
      return fits
    },
    miss,
    result: (owned) => ({
      ...(packages.size > 0 && { packages: [...packages.values()] }),
      ...(owned && { owned }),
      ...(missed.size > 0 && {
        gaps: [...missed].map(([reason, times]) => ({ where, reason: counted(reason, times) })),
      }),
    }),
  }
}

/**
 * Whether a text can be a name or version: valid UTF-8 of at most 1024 characters, without spaces and control
 * characters.
 */
export function isName(text: string): boolean {
  return text !== '' && text.length <= LONGEST_NAME && text.isWellFormed() && !/[\s\p{Cc}\p{Cf}\ufffd]/u.test(text)
}

/** The package without empty and unusable texts. Texts are copied: a part of a text would keep the whole text in memory. */
function tidied({
  type,
  name,
  version,
  architecture,
  source,
  licences,
  vendor,
  modularity,
}: FoundPackage): FoundPackage {
  const longest = isOfDistribution(type) ? Number.POSITIVE_INFINITY : LONGEST_LICENCE
  const terms = licences
    ?.slice(0, MOST_LICENCES)
    .filter((one) => one !== '' && one.length <= longest && !/\p{Cc}/u.test(one))
    .map(remark)
  return {
    type,
    name: copyOf(name),
    version: copyOf(version),
    ...(architecture && isName(architecture) && { architecture: copyOf(architecture) }),
    ...(source && isName(source.name) && isName(source.version) && { source: copyOfSource(source) }),
    ...(terms && terms.length > 0 && { licences: terms }),
    ...(vendor && { vendor: remark(vendor) }),
    ...(modularity && isName(modularity) && { modularity: copyOf(modularity) }),
  }
}

const isOfDistribution = (type: FoundPackage['type']) => type === 'deb' || type === 'apk' || type === 'rpm'

const copyOf = (text: string) => Buffer.from(text).toString()

const remark = (text: string) => copyOf(text.slice(0, LONGEST_REMARK))

const copyOfSource = ({ name, version }: NonNullable<FoundPackage['source']>) => ({
  name: copyOf(name),
  version: copyOf(version),
})

/** Characters of all texts of a package together. */
export function textLengthOf(found: FoundPackage): number {
  const { name, version, architecture, source, licences = [], vendor, modularity } = found
  const texts = [name, version, architecture, source?.name, source?.version, vendor, modularity, ...licences]
  return texts.reduce((sum, one) => sum + (one?.length ?? 0), 0)
}

function counted(reason: string, times: number): string {
  return times === 1 ? reason : `${reason} (${times} times)`
}
