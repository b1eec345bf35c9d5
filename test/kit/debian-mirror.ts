import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { packTar } from '#format/tar'
import { type PlannedServer, planServer } from './planned-server.ts'
import { temporaryDirectory } from './temporary.ts'

/** Whether keys can be made and signatures verified here (Debian: gnupg, gpgv). */
export const hasGnupg = ['gpg', 'gpgv'].every((name) => spawnSync(name, ['--version']).status === 0)

/** A key of a test that signs archives. */
export interface ArchiveKey extends AsyncDisposable {
  readonly fingerprint: string
  /** The public key, in binary. */
  readonly public: Buffer
  /** The public key in ASCII armour. */
  readonly armoured: string
  /** As InRelease. `arguments_` go to gpg. */
  clearSign(text: string, ...more: string[]): Buffer
  /** As Release.gpg. */
  detachedSign(text: string): Buffer
}

/** Makes a key in a home of its own, which goes with it. */
export async function archiveKey(name = 'Archive of a test'): Promise<ArchiveKey> {
  const home = await temporaryDirectory('bale-gpg')
  const gpg = (args: readonly string[], input = ''): Buffer =>
    execFileSync('gpg', ['--homedir', home.path, '--batch', '--quiet', '--passphrase', '', ...args], {
      input,
      env: { PATH: process.env['PATH'] },
      stdio: ['pipe', 'pipe', 'ignore'],
      maxBuffer: 64 << 20,
    })
  gpg(['--quick-gen-key', name, 'rsa2048', 'sign', 'never'])
  const listed = gpg(['--with-colons', '--list-keys']).toString()
  return {
    fingerprint: /^fpr:+([0-9A-F]{40}):/m.exec(listed)![1]!,
    public: gpg(['--export']),
    armoured: gpg(['--export', '--armor']).toString(),
    clearSign: (text, ...more) => gpg([...more, '--clearsign'], text),
    detachedSign: (text) => gpg(['--armor', '--detach-sign'], text),
    async [Symbol.asyncDispose]() {
      spawnSync('gpgconf', ['--homedir', home.path, '--kill', 'gpg-agent'])
      await home[Symbol.asyncDispose]()
    },
  }
}

/** A binary package of an archive. `bytes` are its .deb. */
export interface ArchivedPackage {
  readonly name: string
  readonly version: string
  /** As in the index: `openssl`, `openssl (3.0.1-1)`. */
  readonly source?: string
  readonly bytes?: Uint8Array
  /** In place of those of `bytes`. */
  readonly size?: number
  readonly sha256?: string
  readonly path?: string
}

/** A suite as an archive publishes it. */
export interface ArchivedSuite {
  /** Path below `dists`. */
  readonly path: string
  /** Fields of the Release file, besides those for a suite of bookworm with this path. */
  readonly fields?: Readonly<Record<string, string | undefined>>
  /** By component: main when a list. */
  readonly packages: readonly ArchivedPackage[] | Readonly<Record<string, readonly ArchivedPackage[]>>
}

/** The files of an archive by their path below its URI. */
export type ArchiveFiles = Map<string, Uint8Array>

export interface PublishOptions {
  /** Undefined: not signed. */
  readonly key?: Pick<ArchiveKey, 'clearSign'>
  readonly architecture?: string
  /** What is listed and offered of an index, xz by default. */
  readonly forms?: readonly ('xz' | 'gz' | 'plain')[]
}

/** Adds a suite to an archive, signed, with its packages. */
export function publishSuite(
  files: ArchiveFiles,
  suite: ArchivedSuite,
  { key, architecture = 'amd64', forms = ['xz'] }: PublishOptions = {},
): void {
  const components =
    'length' in suite.packages ? { main: suite.packages as readonly ArchivedPackage[] } : suite.packages
  const lists = Object.entries(components).flatMap(([component, packages]) => {
    for (const one of packages) if (one.bytes) files.set(poolPath(one), one.bytes)
    return indexForms(`${component}/binary-${architecture}/Packages`, packagesText(packages), forms)
  })
  for (const { path, bytes, isOffered } of lists) if (isOffered) files.set(`dists/${suite.path}/${path}`, bytes)
  const text = releaseText(suite, Object.keys(components), lists)
  if (key) files.set(`dists/${suite.path}/InRelease`, key.clearSign(text))
  else files.set(`dists/${suite.path}/Release`, Buffer.from(text))
}

interface IndexForm {
  path: string
  bytes: Uint8Array
  isOffered: boolean
}

/** As in Debian, the plain form is listed, but rarely offered. */
function indexForms(path: string, text: string, forms: PublishOptions['forms'] & object): IndexForm[] {
  const plain = Buffer.from(text)
  return [
    { path, bytes: plain, isOffered: forms.includes('plain') },
    ...(forms.includes('xz') ? [{ path: `${path}.xz`, bytes: xz(plain), isOffered: true }] : []),
    ...(forms.includes('gz') ? [{ path: `${path}.gz`, bytes: gzipSync(plain), isOffered: true }] : []),
  ]
}

export function packagesText(packages: readonly ArchivedPackage[]): string {
  return packages
    .map((one) => {
      const { name, version, source, bytes = new Uint8Array(), size = bytes.length, sha256 = sha256Of(bytes) } = one
      const fields = {
        Package: name,
        Source: source,
        Version: version,
        Architecture: 'amd64',
        Filename: poolPath(one),
        Size: size,
        SHA256: sha256,
        Description: 'for a test\n more of it',
      }
      return `${paragraph(fields)}\n`
    })
    .join('')
}

function poolPath({ name, version, path }: ArchivedPackage): string {
  return path ?? `pool/main/${name}_${version.replace(/^\d+:/, '')}_amd64.deb`
}

export function releaseText(
  { path, fields = {} }: Pick<ArchivedSuite, 'path' | 'fields'>,
  components: readonly string[],
  lists: readonly { path: string; bytes: Uint8Array }[],
): string {
  const isSecurity = path.endsWith('-security')
  return paragraph({
    Origin: 'Debian',
    Label: isSecurity ? 'Debian-Security' : 'Debian',
    Suite: path,
    Version: isSecurity ? '12' : '12.4',
    Codename: path,
    Date: 'Sat, 10 Jan 2026 10:00:00 UTC',
    'Acquire-By-Hash': 'no',
    Architectures: 'all amd64',
    Components: components.join(' '),
    ...fields,
    SHA256: ['', ...lists.map((one) => ` ${sha256Of(one.bytes)} ${one.bytes.length} ${one.path}`)].join('\n'),
  })
}

function paragraph(fields: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(fields)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\n`]))
    .join('')
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function xz(bytes: Uint8Array): Buffer {
  return execFileSync('xz', ['-c', '-1'], { input: bytes, maxBuffer: 1 << 30 })
}

/** Serves the files of archives; what a request has asked for is in `seen`. */
export function serveArchive(files: ArchiveFiles): Promise<PlannedServer> {
  return planServer(({ path }, response) => {
    const bytes = files.get(decodeURIComponent(path.slice(1)))
    return bytes ? response.end(bytes) : response.writeHead(404).end()
  })
}

/** A .deb with these files: text by path, or `{ link }` for a symbolic link. Its data is compressed by `pack`. */
export async function makeDeb(
  files: Readonly<Record<string, string | Uint8Array | { link: string }>>,
  { pack = (tar) => xz(tar), member = 'data.tar.xz' }: { pack?: (tar: Buffer) => Uint8Array; member?: string } = {},
): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, content]) => {
    if (typeof content === 'object' && 'link' in content)
      return { entry: { name, type: 'symlink' as const, linkName: content.link } }
    const data = Buffer.from(content as string)
    return { entry: { name, type: 'file' as const, size: data.length }, data }
  })
  const tar = Buffer.concat(await Array.fromAsync(packTar(entries)))
  return arArchive({ 'debian-binary': Buffer.from('2.0\n'), 'control.tar.gz': gzipSync(''), [member]: pack(tar) })
}

export function arArchive(members: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts = Object.entries(members).flatMap(([name, bytes]) => [
    Buffer.from(`${name.padEnd(16)}${'0'.padEnd(24)}${'100644'.padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`),
    Buffer.from(bytes),
    Buffer.alloc(bytes.length % 2, '\n'),
  ])
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts])
}

const SIGNED_OFF = ' -- A B <a@example.org>  Sat, 10 Jan 2026 10:00:00 +0000'

/** A changelog with an entry for each version, newest first; the text of an entry is what it changed. */
export function changelogText(source: string, entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries)
    .map(
      ([version, text]) => `${source} (${version}) bookworm-security; urgency=high\n\n  * ${text}\n\n${SIGNED_OFF}\n`,
    )
    .join('\n')
}

/** A .deb of a package that has only a changelog. */
export function debWithChangelog(
  name: string,
  source: string,
  entries: Readonly<Record<string, string>>,
): Promise<Buffer> {
  return makeDeb({ [`./usr/share/doc/${name}/changelog.Debian.gz`]: gzipSync(changelogText(source, entries)) })
}
