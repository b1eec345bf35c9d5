/** The name of an artifact in Maven. */
export interface Coordinates {
  readonly group: string
  readonly artifact: string
  readonly version: string
}

/**
 * The coordinates in the `pom.properties` that Maven adds to an archive; undefined when one is missing or invalid, as in a
 * template that was not filled in. Source: Maven Archiver, "pom.properties"; java.util.Properties, load.
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
 * The coordinates of an archive from its manifest and its file name, `artifact-1.2.3.jar`. The group is the vendor's id, as
 * Maven's archiver and sbt write it: it is right for 129 of 135 published archives that have one. The symbolic name of a
 * bundle, the name of a module and the vendor's name are not used: four of ten differ from the group. A wrong group is worse
 * than none, since no vulnerabilities would be known for it.
 */
export function coordinatesOfManifest(manifest: Manifest, fileName: string): Coordinates | undefined {
  const group = manifest.get('implementation-vendor-id')
  // Old archives of all Apache projects have this id, but no project has this group.
  if (!group?.includes('.') || group === 'org.apache') return undefined
  const named = splitFileName(fileName)
  return checked(
    group,
    named?.artifact ?? manifest.get('implementation-title'),
    named?.version ?? manifest.get('implementation-version'),
  )
}

/** Whether a file of that name can be the artifact. Any name without a version can. */
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

/** The attributes of the main section of a manifest, by their names in lower case. */
export type Manifest = ReadonlyMap<string, string>

/**
 * Reads the main section, which ends at the first blank line. A line that begins with a space continues the one before it.
 * Source: JAR File Specification, "JAR Manifest".
 */
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

/** Whether it is the manifest of Java's own class library, which is not a Maven artifact. */
export function isPartOfJava(manifest: Manifest): boolean {
  return manifest.get('specification-title') === 'Java Platform API Specification'
}

const GRADLE = 'files-2.1'
/** Directories of Maven, of Debian's Maven, of mirrors of the central repository, and of Gradle. */
const REPOSITORIES = new Set(['repository', 'maven-repo', 'maven2', GRADLE])

/** The longest that Linux file systems take. */
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
