import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsBy } from '../../../test/kit/document-schemas.ts'
import { LODASH, OPENSSL, smallInventory, smallScan, someDigest, someFinding } from '../../../test/kit/small-scan.ts'
import { sarif } from './sarif.ts'

const OPTIONS = { name: 'registry.example/team/web:1.0', version: '0.1.0' }

const text = { type: 'string' }
const oneOf = (...values: unknown[]) => ({ enum: values })
const list = (items: object) => ({ type: 'array', items })
const index = { type: 'integer', minimum: 0 }
const anything = { type: 'object' }
/** An object with these members and no others. */
const object = (properties: Record<string, object>, optional: string[] = []) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
})
const message = object({ text })
const level = oneOf('error', 'warning', 'note', 'none')

/** What SARIF 2.1.0 asks of the members that bale writes. No maintained package carries the schema of the format. */
const faultsOfSarif = faultsBy(
  object({
    $schema: { type: 'string', format: 'uri' },
    version: oneOf('2.1.0'),
    runs: list(
      object({
        tool: object({
          driver: object(
            {
              name: text,
              semanticVersion: text,
              rules: {
                ...list(
                  object(
                    {
                      id: text,
                      name: text,
                      shortDescription: message,
                      fullDescription: message,
                      help: message,
                      helpUri: { type: 'string', format: 'uri' },
                      defaultConfiguration: object({ level }),
                      properties: anything,
                    },
                    ['helpUri'],
                  ),
                ),
                uniqueItems: true,
              },
            },
            ['semanticVersion'],
          ),
        }),
        automationDetails: object({ id: text }),
        columnKind: oneOf('utf16CodeUnits'),
        invocations: list(
          object({
            executionSuccessful: { type: 'boolean' },
            toolExecutionNotifications: list(object({ level, message })),
          }),
        ),
        properties: anything,
        results: list(
          object({
            ruleId: text,
            ruleIndex: index,
            level,
            message,
            locations: list(
              object({
                physicalLocation: object({
                  artifactLocation: object({ uri: { type: 'string', format: 'uri-reference' } }),
                  region: object({ startLine: { type: 'integer', minimum: 1 } }),
                }),
                logicalLocations: list(object({ name: text, fullyQualifiedName: text, kind: text })),
              }),
            ),
            partialFingerprints: { type: 'object', additionalProperties: text },
            suppressions: list(
              object({ kind: oneOf('external', 'inSource'), status: oneOf('accepted'), justification: text }),
            ),
            properties: anything,
          }),
        ),
      }),
    ),
  }),
)

interface Run {
  tool: { driver: { rules: { id: string; helpUri?: string; properties: Record<string, unknown> }[] } }
  invocations: { executionSuccessful: boolean; toolExecutionNotifications: { message: { text: string } }[] }[]
  results: {
    ruleId: string
    ruleIndex: number
    level: string
    message: { text: string }
    locations: {
      physicalLocation: { artifactLocation: { uri: string } }
      logicalLocations: { fullyQualifiedName: string }[]
    }[]
    partialFingerprints: Record<string, string>
    suppressions: { justification: string }[]
  }[]
}

const runOf = (scan = smallScan(), options = OPTIONS) => (sarif(scan, options)['runs'] as Run[])[0]!

test('a SARIF log has what the format asks for', () => {
  assert.deepEqual(faultsOfSarif(sarif(smallScan(), OPTIONS)), [])
})

test('a vulnerability is a rule, with the score that code hosts sort by and a link of the web', () => {
  const { rules } = runOf().tool.driver
  assert.deepEqual(
    rules.map(({ id, properties }) => [id, properties['security-severity']]),
    [
      ['CVE-2024-1', '9.8'],
      ['CVE-2024-2', '5.5'],
      ['CVE-2024-3', '2.0'],
    ],
  )
  assert.equal(rules[0]?.helpUri, 'https://advisories.example/CVE-2024-1')
  const hostile = smallScan({ findings: [someFinding('CVE-1', 'low', { advisory: { url: 'javascript:alert(1)' } })] })
  assert.equal(runOf(hostile).tool.driver.rules[0]?.helpUri, undefined)
})

test('a rule of a vulnerability that several packages have is one, and the worst of its severities', () => {
  const findings = [someFinding('CVE-1', 'low'), someFinding('CVE-1', 'high', { package: LODASH })]
  const { tool, results } = runOf(smallScan({ findings }))
  assert.deepEqual(
    tool.driver.rules.map(({ properties }) => properties['severity']),
    ['high'],
  )
  assert.deepEqual(
    results.map(({ ruleIndex, level: of }) => [ruleIndex, of]),
    [
      [0, 'note'],
      [0, 'error'],
    ],
  )
})

test('a result tells the package, its file below the image, the layer and the fix', () => {
  const [first] = runOf().results
  assert.equal(
    first?.locations[0]?.physicalLocation.artifactLocation.uri,
    'registry.example/team/web%3A1.0/var/lib/dpkg/status',
  )
  assert.match(first!.locations[0]!.logicalLocations[0]!.fullyQualifiedName, /^pkg:deb\/debian\/libssl3@/)
  assert.equal(
    first?.message.text,
    'libssl3 3.0.11-1~deb12u2 has CVE-2024-1; fixed in 3.0.14\nBrought by layer 1: ADD file:f0 in /',
  )
})

test('suppressed results say why, and the others that they are not', () => {
  const { results } = runOf()
  assert.deepEqual(
    results.map(({ suppressions }) => suppressions.map(({ justification }) => justification)),
    [[], [], ['not reachable (ignore file, ann, until 2027-01-01)']],
  )
})

test('a finding has the same fingerprint in the next image, and another one at another place', () => {
  const fingerprint = (scan: ReturnType<typeof smallScan>) =>
    Object.values(runOf(scan).results[0]!.partialFingerprints)[0]
  const finding = someFinding('CVE-1', 'low')
  const own = fingerprint(smallScan({ findings: [finding] }))
  const next = smallInventory({ manifest: someDigest('b') })
  assert.equal(fingerprint(smallScan({ findings: [finding], inventory: next })), own)
  const elsewhere = someFinding('CVE-1', 'low', { package: { ...OPENSSL, path: 'other' } })
  assert.notEqual(fingerprint(smallScan({ findings: [elsewhere] })), own)
})

test('a scan that is not complete says why, and one that failed did not succeed', () => {
  const gaps = [{ where: 'a.jar', reason: 'nested too deeply' }]
  const [invocation] = runOf(smallScan({ inventory: smallInventory({ gaps }) })).invocations
  assert.equal(invocation?.executionSuccessful, true)
  assert.deepEqual(
    invocation?.toolExecutionNotifications.map((one) => one.message.text),
    ['1 of 3 packages is not covered', 'a.jar: nested too deeply'],
  )
  assert.equal(runOf(smallScan({ status: 'failed' })).invocations[0]?.executionSuccessful, false)
})

test('hostile names and paths still make a log with what the format asks for, with relative addresses', () => {
  for (const hostile of [
    '<script>',
    'a\nb',
    '../../etc/passwd',
    'http://evil.example/',
    'C:\\x',
    '\ud800',
    '',
    '%2e%2e',
    '?#',
  ]) {
    const found = { ...LODASH, name: hostile, version: hostile, path: hostile }
    const findings = [someFinding(hostile, 'high', { package: found, advisory: { summary: hostile, url: hostile } })]
    const log = sarif(smallScan({ findings }), { name: hostile })
    assert.deepEqual(faultsOfSarif(log), [], hostile)
    const uri = (log['runs'] as Run[])[0]!.results[0]!.locations[0]!.physicalLocation.artifactLocation.uri
    assert.doesNotMatch(uri, /^[a-z]+:|(^|\/)\.\.?(\/|$)|[\\<>\s?#]/i, hostile)
  }
})

test('the same scan gives the same log', () => {
  assert.equal(JSON.stringify(sarif(smallScan(), OPTIONS)), JSON.stringify(sarif(smallScan(), OPTIONS)))
})
