import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  LODASH,
  OPENSSL,
  smallInventory,
  smallScan,
  someFinding,
  somePackage,
} from '../../../../test/kit/small-scan.ts'
import { summary } from '../summary/index.ts'
import { htmlReport } from './html-report.ts'

const OPTIONS = { name: 'registry.example/team/web:1.0', version: '0.1.0' }
const report = (scan = smallScan(), options = OPTIONS) => htmlReport(scan, { ...options, summary: summary(scan) })
/** What is read in it: tags are gone, entities are signs. */
const textOf = (page: string) =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')

test('the report begins with what the scan means, and tells what is not covered and why', () => {
  const text = textOf(report())
  for (const part of [
    'Vulnerabilities of registry.example/team/web:1.0',
    'Debian GNU/Linux 12 (bookworm)',
    'The scan is partial: 66 % of 3 packages are covered.',
    '2 vulnerabilities in 2 packages. 1 finding is known to be exploited. Updates fix 2 findings. 1 more finding is suppressed.',
    '1 critical 0 high 1 medium 0 low 0 negligible 0 unknown',
    'Its support ended on 2026-06-10',
    '1 of 3 packages is not covered',
    '1 package of type golang: no data',
  ])
    assert.ok(text.includes(part), part)
})

test('findings are in tables by severity, with the fix, the layer and the step of the Dockerfile', () => {
  const page = report()
  assert.match(page, /<details open>\n<summary><h3 class="severity critical">critical: 1<\/h3>/)
  assert.match(page, /<details>\n<summary><h3 class="severity medium">medium: 1<\/h3>/)
  const text = textOf(page)
  assert.ok(
    text.includes(
      'CVE-2024-1 exploited likely to be exploited: 50 % libssl3 var/lib/dpkg/status 3.0.11-1~deb12u2 3.0.14 1: ADD file:f0 in /',
    ),
  )
  assert.ok(text.includes('Memory is read after it was freed rated critical by nvd (9.8)'))
  assert.ok(text.includes('4.17.20 4.17.21 2: RUN npm ci'))
})

test('suppressed findings are told apart, with who suppressed them, why, and until when', () => {
  const text = textOf(report())
  assert.ok(text.includes('suppressed: 1'))
  assert.ok(text.includes('CVE-2024-3 low libssl3 3.0.11-1~deb12u2 not reachable ignore file, ann 2027-01-01'))
})

test('each layer that brought packages is told with its findings', () => {
  assert.match(textOf(report()), /packages critical medium 1: ADD file:f0 in \/ 1 1 0 2: RUN npm ci 2 0 1/)
})

test('the ten worst are a vulnerability each, with its packages', () => {
  const other = { ...OPENSSL, name: 'openssl' }
  const findings = [
    ...Array.from({ length: 12 }, (_one, at) => someFinding(`CVE-2024-${10 + at}`, 'low')),
    someFinding('CVE-2024-9', 'high'),
    someFinding('CVE-2024-9', 'high', { package: other }),
    someFinding('CVE-2024-8', 'high', { advisory: { exploited: true } }),
  ]
  const inventory = smallInventory({ packages: [OPENSSL, other] })
  const worst = textOf(report(smallScan({ findings, inventory })))
    .split('Where to begin')[1]!
    .split('Which layer')[0]!
  assert.match(
    worst,
    /The worst 10 vulnerabilities .* CVE-2024-8 exploited high libssl3 .*CVE-2024-9 high libssl3, openssl /,
  )
  assert.equal(worst.match(/CVE-/g)?.length, 10)
})

test('"no vulnerabilities" is said of what was looked at, and not at all of a failed scan', () => {
  const nothing = { findings: [], packages: [] }
  const complete = smallScan({ ...nothing, status: 'complete', reasons: [], coverage: 100 })
  assert.ok(textOf(report(complete)).includes('No vulnerabilities are known in the packages.'))
  assert.ok(textOf(report(smallScan(nothing))).includes('known in the packages that are covered.'))
  const failed = textOf(report(smallScan({ ...nothing, status: 'failed', coverage: undefined })))
  assert.ok(failed.includes('The scan failed: nothing can be said about this image.'))
  assert.ok(!failed.includes('No vulnerabilities'))
})

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '</title><svg onload=alert(1)>',
  '<!--',
  '&lt;script&gt;',
  '\u202egnp.exe',
  '\u0000\u001b[2J',
]

test('nothing that an image or an advisory says becomes markup, wherever it stands', () => {
  const tagsOf = (page: string) => page.match(/<[^>]*>/g)!.map((tag) => tag.replace(/="[^"]*"/g, '=""'))
  const scanWith = (text: string) => {
    const found = somePackage({ type: 'npm', name: text, version: text, path: text })
    const advisory = {
      ...{ state: text as 'fixed', summary: text, url: text, remark: text, source: text, ecosystem: text },
      severity: { level: 'critical', by: text } as const,
    }
    const finding = someFinding(text, 'critical', { package: found, fixedVersion: text, advisory })
    const suppressed = { by: text, reason: text, author: text, expires: text }
    const [layer] = smallInventory().layers
    return smallScan({
      inventory: smallInventory({
        system: { id: text, name: text },
        layers: [
          { ...layer!, createdBy: text },
          { ...layer!, createdBy: text },
        ],
        packages: [found],
        gaps: [{ where: text, reason: text }],
      }),
      packages: ['not covered'],
      findings: [finding, { ...finding, fixedVersion: undefined }, { ...finding, suppressed }],
      reasons: [text],
      sources: [{ ecosystem: text, source: text, knows: 'all', asOf: text, advisories: 1, remark: text }],
      support: { ended: true, endOfLife: text, extendedUntil: text },
      advisories: text,
    })
  }
  const expected = tagsOf(report(scanWith('plain'), { name: 'plain', version: 'plain' }))
  for (const text of HOSTILE) {
    const page = report(scanWith(text), { name: text, version: text })
    assert.deepEqual(tagsOf(page), expected, text)
    assert.doesNotMatch(page, /[\u202e\u0000\u001b]/)
  }
})

test('only addresses of the web become links', () => {
  const linksOf = (url: string) =>
    report(smallScan({ findings: [someFinding('CVE-1', 'high', { advisory: { url } })] })).match(/<a [^>]*>/g) ?? []
  for (const url of [
    'javascript:alert(1)',
    ' jAvAsCrIpT:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    '//x',
    '',
  ])
    assert.deepEqual(linksOf(url), [], url)
  assert.deepEqual(
    new Set(linksOf('https://a.example/"x')),
    new Set(['<a href="https://a.example/%22x" rel="noopener noreferrer">']),
  )
})

test('the page needs no script, file or network, and a policy in it forbids them', () => {
  const page = report()
  assert.match(page, /http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/)
  assert.doesNotMatch(page, /<(script|link|img|iframe|object|form)\b|\bstyle="|\bon[a-z]+="|url\(|@import/)
})

test('headings go down one step at a time, and each table has a caption and heads', () => {
  const page = report()
  const levels = [...page.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level))
  assert.equal(levels[0], 1)
  for (const [at, level] of levels.entries()) assert.ok(at === 0 || level - levels[at - 1]! <= 1, `heading ${at}`)
  const tables = page.match(/<table>.*?<\/table>/gs) ?? []
  assert.ok(tables.length >= 5)
  for (const table of tables) assert.match(table, /^<table>\n<caption>[^<]+<\/caption>\n<thead><tr><th scope="col"/)
})

test('colours of text have enough contrast with every ground they stand on', async () => {
  const { STYLE } = await import('./style.ts')
  const [light, dark] = [...STYLE.matchAll(/:root\{[^}]*--c-ground[^}]*\}/g)].map(([text]) =>
    Object.fromEntries(
      [...text.matchAll(/--c-([a-z-]+):(#[0-9a-f]{3,6})/g)].map(([, name, colour]) => [name!, colour!]),
    ),
  )
  for (const colours of [light!, dark!]) {
    for (const name of ['text', 'quiet', 'link', 'critical', 'high', 'medium', 'low', 'negligible', 'unknown'])
      for (const ground of ['ground', 'raised'])
        assert.ok(contrast(colours[name]!, colours[ground]!) >= 4.5, `${name} on ${ground}`)
    assert.ok(contrast(colours['text']!, colours['warn']!) >= 4.5)
  }
})

/** Source: WCAG 2.2, relative luminance. */
function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (high! + 0.05) / (low! + 0.05)
}

function luminance(colour: string): number {
  const long = colour.length === 4 ? colour.replaceAll(/[0-9a-f]/g, '$&$&') : colour
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(long.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

test('the same scan gives the same page', () => {
  assert.equal(report(), report(smallScan()))
})

test('a table has as many rows as people read, and says how many there are', () => {
  const findings = Array.from({ length: 5001 }, (_one, at) => someFinding(`CVE-${at}`, 'low', { package: LODASH }))
  const page = report(smallScan({ findings }))
  assert.match(page, /<caption>Findings of severity low: the first 5000 of 5001; the other formats have all<\/caption>/)
  assert.ok(!page.includes('CVE-5000<'))
})
