/** What Maven calls an artifact. */
export interface Coordinates {
  readonly group: string
  readonly artifact: string
  readonly version: string
}

/**
 * The coordinates that Maven writes into what it builds; undefined when one is missing or is none, as in a template that
 * was not filled in. Source: Maven Archiver, "pom.properties"; java.util.Properties, load.
 */
export function coordinatesOfProperties(text: string): Coordinates | undefined {
  const properties = new Map<string, string>()
  for (const line of text.split(/\r\n|\r|\n/)) {
    const mark = line.search(/[=:]/)
    if (mark > 0) properties.set(line.slice(0, mark).trim(), unescaped(line.slice(mark + 1).trim()))
  }
  return checked(properties.get('groupId'), properties.get('artifactId'), properties.get('version'))
}

/**
 * The coordinates of an archive that says them by its manifest and its name, `artifact-1.2.3.jar`. The group is the
 * vendor's id, as Maven's archiver and sbt write it: of 135 published archives that have one, it is another one for 6. The
 * symbolic name of a bundle, the name of a module and the vendor's name are not taken for groups: four of ten are others.
 * A wrong group is worse than none, since the archive would pass as one without known vulnerabilities.
 */
export function coordinatesOfManifest(manifest: Manifest, fileName: string): Coordinates | undefined {
  const group = manifest.get('implementation-vendor-id')
  // Old archives of all its projects have this one, and none of them is in it.
  if (!group?.includes('.') || group === 'org.apache') return undefined
  const named = splitFileName(fileName)
  return checked(
    group,
    named?.artifact ?? manifest.get('implementation-title'),
    named?.version ?? manifest.get('implementation-version'),
  )
}

/** Whether a file of that name can be the artifact. A name without a version says nothing against it. */
export function fitsFileName({ group, artifact }: Coordinates, fileName: string): boolean {
  const name = splitFileName(fileName) && withoutEnding(fileName)
  return name === undefined || [artifact, `${group}.${artifact}`].some((one) => `${name}-`.startsWith(`${one}-`))
}

/**
 * The coordinates of an archive in a local repository of Maven, `…/repository/org/acme/name/1.2/name-1.2.jar`, or in the
 * cache of Gradle, `…/files-2.1/org.acme/name/1.2/hash/name-1.2.jar`; undefined for another place.
 */
export function coordinatesOfPath(path: string): Coordinates | undefined {
  const segments = path.split('/')
  const fileName = segments.pop()!
  const root = segments.findLastIndex((segment) => REPOSITORIES.has(segment))
  if (segments[root] === GRADLE) segments.pop()
  const [artifact, version] = segments.slice(-2)
  const group = segments.slice(root + 1, -2).join('.')
  return root >= 0 && fileName.startsWith(`${artifact}-${version}`) ? checked(group, artifact, version) : undefined
}

/** Attributes of the archive as a whole, by their names in lower case. */
export type Manifest = ReadonlyMap<string, string>

/** Source: JAR File Specification, "JAR Manifest": lines go on after a space, and a blank line ends the main section. */
export function parseManifest(text: string): Manifest {
  const attributes = new Map<string, string>()
  let name = ''
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line === '') break
    if (line.startsWith(' ')) attributes.set(name, (attributes.get(name) ?? '').concat(line.slice(1)))
    else {
      const colon = line.indexOf(':')
      name = line.slice(0, Math.max(0, colon)).toLowerCase()
      attributes.set(name, line.slice(colon + 1).trim())
    }
  }
  return attributes
}

/** True for the class library of Java itself, which is no Maven artifact. */
export function isPartOfJava(manifest: Manifest): boolean {
  return manifest.get('specification-title') === 'Java Platform API Specification'
}

const GRADLE = 'files-2.1'
/** Of Maven, of Debian's Maven, and of mirrors of Maven's central repository. */
const REPOSITORIES = new Set(['repository', 'maven-repo', 'maven2', GRADLE])

/** Directories have no longer names. */
const LONGEST_FILE_NAME = 255

function unescaped(value: string): string {
  return value.replace(/\\(.)/g, '$1')
}

function checked(group: string | undefined, artifact: string | undefined, version: string | undefined) {
  if (!isId(group) || !isId(artifact) || !version || !/^[^\s\p{C}${}]{1,256}$/u.test(version)) return undefined
  return { group, artifact, version }
}

/** Source: Maven, DefaultModelValidator, "isValidId". */
function isId(text: string | undefined): text is string {
  return text !== undefined && /^[\w.-]{1,256}$/.test(text)
}

function splitFileName(fileName: string): { artifact: string; version: string } | undefined {
  if (fileName.length > LONGEST_FILE_NAME) return undefined
  const [, artifact, version] = /^(.+?)-(\d.*)$/.exec(withoutEnding(fileName)) ?? []
  return artifact !== undefined && version !== undefined ? { artifact, version } : undefined
}

function withoutEnding(fileName: string): string {
  return fileName.replace(/\.[^.]*$/, '')
}
