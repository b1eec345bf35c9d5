/**
 * What lists and inspect print, compared with the files of test/e2e/golden: as a table, as JSON and by a template. What
 * differs from run to run is replaced by words of the same width. `BALE_WRITE_GOLDEN=1` writes the files; read the
 * difference before you commit it, since programs parse these outputs.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type TestBale, testBale } from '../kit/bale.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { cannotRun } from './prepared.ts'

const directory = join(import.meta.dirname, 'golden')
const rewrite = process.env['BALE_WRITE_GOLDEN'] !== undefined

/** Name of the golden file -> arguments. Forms are added to each: none, `--format json`, and the template. */
const LISTS: Record<string, { args: string[]; template?: string }> = {
  images: { args: ['images'], template: 'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Size}}' },
  'images-no-trunc': { args: ['images', '--no-trunc', '--digests'] },
  ps: { args: ['ps', '-a'], template: 'table {{.Names}}\t{{.Image}}\t{{.Command}}\t{{.Status}}\t{{.Labels}}' },
  'ps-size': { args: ['ps', '-a', '-s'], template: '{{json .Mounts}} {{.Networks}} {{.Ports}} {{.Size}}' },
  'volume-ls': { args: ['volume', 'ls'], template: '{{.Name}}: {{.Driver}} {{.Scope}} {{.Labels}} {{.Mountpoint}}' },
  'network-ls': { args: ['network', 'ls'], template: 'table {{.Name}}\t{{.Driver}}\t{{.Internal}}\t{{.Labels}}' },
  history: { args: ['history', 'app:2'], template: '{{.ID}} {{.CreatedBy}} {{.Size}} {{.Comment}}' },
  'system-df': { args: ['system', 'df'], template: 'table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}' },
}

const SINGLE: Record<string, { args: string[]; template: string }> = {
  'inspect-image': { args: ['image', 'inspect', 'app:2'], template: '{{.Id}} {{.Architecture}} {{json .Config.Cmd}}' },
  'inspect-container': { args: ['inspect', 'box'], template: '{{.Name}} {{.State.Status}} {{json .HostConfig.Binds}}' },
  'inspect-network': { args: ['network', 'inspect', 'net'], template: '{{.Name}} {{json .IPAM.Config}}' },
  'inspect-volume': { args: ['volume', 'inspect', 'web-data'], template: '{{.Name}} {{json .Labels}} {{.Mountpoint}}' },
}

let bale: TestBale

before(async () => {
  if (cannotRun) return
  bale = await testBale()
  const tar = join(bale.directory, 'app.tar')
  const files = [
    { entry: tarEntry('app', { mode: 0o755 }), text: 'x'.repeat(5000) },
    { entry: tarEntry('etc/app.conf'), text: 'a = 1\n' },
  ]
  writeFileSync(tar, await tarOf(files))
  const changes = [
    'CMD ["/app", "--serve"]',
    'ENV PATH=/bin',
    'LABEL tier=web',
    'EXPOSE 80/tcp',
    'VOLUME /data',
    'USER 7:8',
  ]
  await bale.run(['import', ...changes.flatMap((one) => ['--change', one]), '--message', 'made by hand', tar, 'app:1'])
  await bale.run(['tag', 'app:1', 'registry.example:5000/team/app:stable'])
  await bale.run(['build', '-q', '-t', 'app:2', '-'], {
    input: 'FROM app:1\nCOPY --from=app:1 /app /copy\nWORKDIR /work\nCMD ["/copy"]\n',
  })
  await bale.run(['volume', 'create', '--label', 'kept=yes', 'web-data'])
  await bale.run(['network', 'create', '--internal', '--subnet', '10.213.77.0/24', '--label', 'a=b', 'net'])
  const options = [
    '--name',
    'box',
    '-h',
    'box',
    '--network',
    'net',
    '-v',
    'web-data:/data',
    '-e',
    'A=b',
    '-l',
    'tier=db',
  ]
  const limits = [
    '--memory',
    '64m',
    '--cpus',
    '1.5',
    '--restart',
    'on-failure:3',
    '-p',
    '127.0.0.1:18080:80',
    '--read-only',
  ]
  await bale.run(['create', ...options, ...limits, 'app:2', '/copy', 'with some', 'arguments'])
  await bale.run(['create', '--name', 'plain', '--network', 'none', 'registry.example:5000/team/app:stable'])
})

after(async () => bale?.[Symbol.asyncDispose]())

for (const [name, { args, template }] of Object.entries(LISTS)) {
  test(`${args.join(' ')} prints what it printed`, { skip: cannotRun }, async () => {
    await compare(`${name}.table`, await bale.run(args))
    await compare(`${name}.json`, await bale.run([...args, '--format', 'json']))
    if (template) await compare(`${name}.template`, await bale.run([...args, '--format', template]))
  })
}

for (const [name, { args, template }] of Object.entries(SINGLE)) {
  test(`${args.join(' ')} prints what it printed`, { skip: cannotRun }, async () => {
    await compare(`${name}.json`, await bale.run(args))
    await compare(`${name}.template`, await bale.run([...args, '--format', template]))
  })
}

test('system df -v prints what it printed', { skip: cannotRun }, async () => {
  await compare('system-df-v.table', await bale.run(['system', 'df', '-v']))
})

test('version and info have the fields that they had', { skip: cannotRun }, async () => {
  for (const verb of ['version', 'info']) {
    const json = JSON.parse(await bale.run([verb, '--format', 'json']))
    await compare(`${verb}.json`, JSON.stringify(shapeOf(json), undefined, 2))
    const labels = (await bale.run([verb])).split('\n').filter((line) => /^ *[A-Z][^:]*:/.test(line))
    await compare(`${verb}.table`, labels.map((line) => line.replace(/:.*/, ':')).join('\n'))
  }
})

/** Field by field the type of what stands there; of an array, that of its first element. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf)
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shapeOf(one)]))
}

async function compare(name: string, output: string): Promise<void> {
  const path = join(directory, `${name}.txt`)
  const text = `${steady(output)}\n`
  if (rewrite) {
    mkdirSync(directory, { recursive: true })
    writeFileSync(path, text)
  }
  assert.ok(existsSync(path), `${path} is missing: run this file with BALE_WRITE_GOLDEN=1`)
  assert.equal(text, readFileSync(path, 'utf8'), `${name}: see the head of this file`)
}

/** The same identifier is the same word everywhere in one output. */
function steady(output: string): string {
  const known = new Map<string, string>()
  const named = (id: string) => {
    const short = id.slice(0, 12)
    if (!known.has(short)) known.set(short, `id${String(known.size + 1).padStart(10, '0')}`)
    return known.get(short)! + (id.length > 12 ? 'x'.repeat(id.length - 12) : '')
  }
  return output
    .replaceAll(bale.directory, '/DIRECTORY')
    .replace(/[0-9a-f]{14}…/g, 'id00000000xxxx…')
    .replace(/\b(?:amd64|arm64)\b/g, 'ARCH')
    .replace(
      /(?<![0-9a-z])(?:[0-9a-f]{64}|(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{12}|\d{12})(?![0-9a-z])/g,
      named,
    )
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?(?: [+-]\d{4})?(?: UTC)?/g, 'TIME')
    .replace(/(?:Less than a second|About a minute|\d+ (?:second|minute)s?) ago(?: {2,}|(?="|$))/gm, 'AGE   ')
    .replace(/(CREATED(?: AT)?|LAST USED) {2,}/g, '$1   ')
    .replace(/ +$/gm, '')
}
