import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerRow, ImageRow, SystemUsage } from '#engine'
import { parseDigest } from '#spec'
import { containerList, containerRow } from './container-row.ts'
import { ellipsis } from './ellipsis.ts'
import { imageList, imageRow } from './image-row.ts'
import { renderList } from './list-format.ts'
import { renderUsage, usageRows } from './usage-rows.ts'
import { VOLUME_LIST, volumeRow } from './volume-row.ts'

const NOW = Date.UTC(2026, 0, 2)
const ID = 'c0ffee'.padEnd(64, '0')
const DIGEST = parseDigest(`sha256:${'ab'.repeat(32)}`)

const container: ContainerRow = {
  id: ID,
  name: 'web',
  image: `shop:1@${DIGEST}`,
  platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
  command: ['sh', '-c', 'sleep 1000 and more'],
  created: NOW - 60_000,
  state: 'running',
  startedAt: NOW - 5000,
  exitCode: 0,
  health: 'starting',
  ports: [],
  exposed: [],
  labels: { stage: 'test' },
  mounts: [
    { type: 'volume', name: 'a-volume-with-a-long-name', source: '/x', destination: '/data' },
    { type: 'bind', source: '/srv', destination: '/srv' },
  ],
  networks: ['bridge'],
  size: { written: 12, total: 2_000_012 },
}

const shown = (template: string, row = container, truncated = true) =>
  renderList([containerRow(row, truncated, NOW)], containerList(false), template).trimEnd()

test("a container's row has every member that docker documents", () => {
  const templates: [template: string, text: string][] = [
    ['{{.ID}}', 'c0ffee000000'],
    ['{{.Image}}', 'shop:1'],
    ['{{.Command}}', `"sh -c 'sleep 1000 a…"`],
    ['{{.RunningFor}}', 'About a minute ago'],
    ['{{.State}} {{.Status}}', 'running Up 5 seconds (health: starting)'],
    ['{{.HealthStatus}}', 'starting'],
    ['{{.Size}}', '12B (virtual 2MB)'],
    ['{{.Names}} {{.Labels}} {{.Label "stage"}}', 'web stage=test test'],
    ['{{.Mounts}} {{.LocalVolumes}}', 'a-volume-with-…,/srv 1'],
    ['{{.Networks}}{{.Ports}}', 'bridge'],
    ['{{.Platform}} {{json .Platform}}', 'linux/arm/v7 {"architecture":"arm","os":"linux","variant":"v7"}'],
    [
      'table{{.HealthStatus}} {{.Platform}} {{.LocalVolumes}}',
      'HEALTH STATUS PLATFORM LOCAL VOLUMES\nstarting linux/arm/v7 1',
    ],
  ]
  for (const [template, text] of templates) assert.equal(shown(template), text, template)
  assert.equal(shown('{{.Image}}|{{.ID}}', container, false), `shop:1@${DIGEST}|${ID}`)
  assert.equal(shown('{{.HealthStatus}}', { ...container, health: undefined }), '')
  assert.match(
    shown('raw'),
    /^container_id: c0ffee000000\nimage: shop:1\ncommand: .*\ncreated_at: .*\nstate: running\nstatus: Up/,
  )
})

const image: ImageRow = { id: DIGEST, repository: 'shop', tag: '1', created: NOW / 1000 - 120, size: 1_234_567 }

test("an image's row has every member that docker documents", () => {
  const rows = [imageRow(image, true, NOW)]
  const print = (template: string) => renderList(rows, imageList(false), template)
  assert.equal(print('{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}}'), 'abababababab shop 1 <none>\n')
  assert.equal(print('{{.CreatedSince}} {{.Size}}'), '2 minutes ago 1.23MB\n')
  assert.equal(print('{{.Containers}} {{.SharedSize}} {{.UniqueSize}}'), 'N/A N/A N/A\n')
  assert.match(
    print('raw'),
    /^repository: shop\ntag: 1\nimage_id: abababababab\ncreated_at: .*\nvirtual_size: 1\.23MB\n\n$/,
  )
  assert.match(renderList(rows, imageList(true), 'raw'), /\ndigest: <none>\n/)
})

const volume: Parameters<typeof volumeRow>[0] = {
  CreatedAt: '2026-01-01T00:00:00Z',
  Name: 'data',
  Driver: 'local',
  Scope: 'local',
  Mountpoint: '/v',
  Labels: { a: 'b' },
  Options: {},
}

test("a volume's row has every member that docker documents", () => {
  const print = (template: string) => renderList([volumeRow(volume)], VOLUME_LIST, template)
  assert.equal(print('{{.Name}} {{.Driver}} {{.Scope}} {{.Mountpoint}}'), 'data local local /v\n')
  assert.equal(print('{{.Labels}} {{.Label "a"}}'), 'a=b b\n')
  assert.equal(print('{{.Links}} {{.Size}} {{.Availability}} {{.Group}} {{.Status}}'), 'N/A N/A N/A N/A N/A\n')
  assert.equal(print('raw'), 'name: data\ndriver: local\n\n')
})

test('a template of system df -v is over all kinds of rows', () => {
  const usage = {
    images: [{ image: { id: DIGEST }, shared: 1000, unique: 2345, containers: 1 }],
    containers: [{ record: { id: ID }, size: 77 }],
    volumes: [{ record: { name: 'data' }, size: 5_432_100 }],
    volumeUsers: new Map([['data', [ID]]]),
    cache: [{ record: { key: 'run:12345678901234', size: 10, created: NOW, lastUsed: NOW }, shared: true }],
    cacheSize: 10,
  } as unknown as SystemUsage
  const volumes = [volume]
  const rows = usageRows(usage, { images: [image], containers: [container], volumes, whole: true })
  assert.equal(
    renderUsage(rows, 10, '{{range .Images}}{{.Repository}} {{.SharedSize}} {{.UniqueSize}} {{.Containers}}\\n{{end}}'),
    'shop 1kB 2.345kB 1\n',
  )
  assert.equal(
    renderUsage(rows, 10, '{{range .Containers}}{{.ID}} {{.Size}} {{.Label "stage"}}{{end}}'),
    `${ID} 77B test`,
  )
  assert.equal(renderUsage(rows, 10, '{{range .Volumes}}{{.Name}} {{.Links}} {{.Size}}{{end}}'), 'data 1 5.432MB')
  assert.equal(renderUsage(rows, 10, '{{range .BuildCache}}{{.CacheType}} {{.InUse}}{{end}}'), 'regular true')
  const document = JSON.parse(renderUsage(rows, 10, 'json'))
  assert.deepEqual(Object.keys(document), ['Images', 'Containers', 'Volumes', 'BuildCache'])
  assert.deepEqual(Object.keys(document.Volumes[0]), Object.keys(document.Volumes[0]).toSorted())
  assert.match(renderUsage(rows, 1500, undefined), /\nBuild cache usage: 1\.5kB\n\nCACHE ID +CACHE TYPE +SIZE/)
})

test('a text that is too long ends in an ellipsis, counted in characters', () => {
  assert.equal(ellipsis('äöü', 3), 'äöü')
  assert.equal(ellipsis('äöü𝒳z', 4), 'äöü…')
})
