/** For tests of inventories: files as package managers and builds leave them. */
import { execFileSync } from 'node:child_process'
import { glob, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readBytes } from '#host/file'
import { crateList } from './elf.ts'
import { file } from './layer-kit.ts'
import { temporaryDirectory } from './temporary.ts'
import { zipOf } from './zip.ts'

type Entry = ReturnType<typeof file>

/** Regular files of this machine, as a layer has them. */
export async function filesOf(root: string, patterns: readonly string[], below = ''): Promise<Entry[]> {
  const found: Entry[] = []
  for await (const name of glob(patterns, { cwd: root })) {
    const stats = await stat(join(root, name)).catch(() => undefined)
    if (!stats?.isFile()) continue
    found.push(file(join(below, name), await readBytes(join(root, name)), { mode: stats.mode & 0o777 }))
  }
  return found
}

export const modules = (name: string) => resolve(import.meta.dirname, '../../node_modules', name)
export const empty = (name: string) => file(name, '')
export const npm = (name: string, version = '1.0.0') => JSON.stringify({ name, version, license: 'MIT' })
export const python = (name: string, version: string) =>
  `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nLicense: MIT\n\nA description\n`
export const gem = (name: string, version: string) => `# -*- encoding: utf-8 -*-

Gem::Specification.new do |s|
  s.name = "${name}".freeze
  s.version = "${version}"
  s.licenses = ["MIT".freeze]
end
`

const properties = (artifact: string, version = '1.0') => ({
  name: `META-INF/maven/org.acme/${artifact}/pom.properties`,
  data: `version=${version}\ngroupId=org.acme\nartifactId=${artifact}\n`,
})
const CODE = { name: 'A.class', data: 'code' }

/** As Java's archives say what they are, each in another way. */
export function javaArchives(): Entry[] {
  const manifest = 'Manifest-Version: 1.0\nImplementation-Version: 1.5\nImplementation-Vendor-Id: org.vendor\n'
  const library = zipOf([properties('library'), properties('shaded', '2.1'), CODE])
  const inner = { name: 'WEB-INF/lib/inner-3.0.jar', data: zipOf([properties('inner', '3.0')]) }
  const web = zipOf([inner, { name: 'WEB-INF/lib/library-1.0.jar', data: library }])
  return [
    file('opt/library-1.0.jar', library),
    file('opt/all.ear', zipOf([properties('all', '7'), { name: 'web.war', data: web }])),
    file('opt/vendor-1.5.jar', zipOf([{ name: 'META-INF/MANIFEST.MF', data: manifest }, CODE])),
    file('root/.m2/repository/org/place/placed/4.0/placed-4.0.jar', zipOf([CODE])),
  ]
}

/** Programs of this machine: one of Go, one of C, and that with a list of crates as `cargo auditable` adds it. */
export async function programs(): Promise<Entry[]> {
  await using directory = await temporaryDirectory()
  const [crates, rust] = ['crates', 'rust'].map((name) => join(directory.path, name)) as [string, string]
  const packages = [
    { name: 'app', version: '0.1.0', source: 'local', root: true, dependencies: [1, 2] },
    { name: 'cc', version: '1.0.83', source: 'crates.io', kind: 'build' },
    { name: 'libc', version: '0.2.150', source: 'crates.io' },
  ]
  await writeFile(crates, crateList({ packages }))
  execFileSync('objcopy', ['--add-section', `.dep-v0=${crates}`, '/bin/true', rust])
  return [
    ...(await filesOf(modules('@typescript/typescript-linux-x64/lib'), ['tsc'], 'usr/local/bin')),
    ...(await filesOf('/', ['bin/true'])),
    file('usr/local/bin/rust', await readBytes(rust), { mode: 0o755 }),
    file('usr/local/bin/not-executable', await readBytes(rust)),
  ]
}
