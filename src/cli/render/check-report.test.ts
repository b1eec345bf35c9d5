import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckReport } from '#engine'
import { checkErrorText, checkReportJson, checkReportText } from './check-report.ts'

const source = { name: 'Dockerfile', text: 'from a AS b\n\nRUN x\nRUN y\nENV c \\\n  d\nRUN z\n' }
const report: CheckReport = {
  source,
  findings: [
    {
      rule: 'LegacyKeyValueFormat',
      description: 'Legacy key/value format with whitespace separator should not be used',
      url: 'https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/',
      detail: '"ENV key=value" should be used instead of legacy "ENV key value" format',
      lines: [5, 6],
    },
    {
      rule: 'InvalidBaseImagePlatform',
      description: 'Base image platform does not match expected target platform',
      url: undefined,
      detail: 'Base image a was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
      lines: [1],
    },
  ],
}

test('a report is printed as buildx prints it: by line, with the lines around', () => {
  assert.equal(
    checkReportText(report),
    `Check complete, 2 warnings have been found!

WARNING: InvalidBaseImagePlatform
Base image a was pulled with platform "linux/arm64", expected "linux/amd64" for current build
Dockerfile:1
--------------------
   1 | >>> from a AS b
   2 |     
   3 |     RUN x
--------------------

WARNING: LegacyKeyValueFormat - https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/
"ENV key=value" should be used instead of legacy "ENV key value" format
Dockerfile:5
--------------------
   4 |     RUN y
   5 | >>> ENV c \\
   6 | >>>   d
   7 |     RUN z
--------------------
`,
  )
  const one = checkReportText({ ...report, findings: report.findings.slice(1) })
  assert.match(one, /^Check complete, 1 warning has been found!\n\nWARNING: /)
})

test('JSON has the members of BuildKit, in the order of the checks', () => {
  const document = JSON.parse(checkReportJson({ ...report, error: { message: 'broken', lines: [7] } }))
  assert.deepEqual(document.warnings[0], {
    ruleName: 'LegacyKeyValueFormat',
    description: report.findings[0]!.description,
    url: report.findings[0]!.url,
    detail: report.findings[0]!.detail,
    location: {
      ranges: [
        { start: { line: 5 }, end: { line: 5 } },
        { start: { line: 6 }, end: { line: 6 } },
      ],
    },
  })
  assert.ok(!('url' in document.warnings[1]))
  const data = Buffer.from(source.text).toString('base64')
  assert.deepEqual(document.sources, [{ filename: 'Dockerfile', data, language: 'Dockerfile' }])
  const location = { ranges: [{ start: { line: 7 }, end: { line: 7 } }] }
  assert.deepEqual(document.buildError, { message: 'broken', location })
  assert.equal(JSON.parse(checkReportJson({ source, findings: [] })).warnings, null)
})

test('an error shows its lines; one without a place is the message alone', () => {
  assert.equal(
    checkErrorText(report, { message: 'unknown instruction: RNU', lines: [3] }),
    `unknown instruction: RNU
Dockerfile:3
--------------------
   1 |     from a AS b
   2 |     
   3 | >>> RUN x
   4 |     RUN y
   5 |     ENV c \\
--------------------`,
  )
  assert.equal(checkErrorText(report, { message: 'no network', lines: [] }), 'no network')
})
