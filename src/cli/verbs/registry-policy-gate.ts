import { BaleError, printable } from '#base'
import { readTextSync } from '#engine'
import { parsePeriod } from '../flags/period.ts'
import { defineVerb } from '../verb/verb.ts'
import { type GateRule, openAdmin, PLACE_OPTIONS } from './registry.ts'

const RATED = ['negligible', 'low', 'medium', 'high', 'critical'] as const
const ACTS = ['allow', 'block'] as const

export const verb = defineVerb({
  name: 'registry policy gate',
  summary: 'Say what images of a registry must pass before they are given out',
  usage: 'PATTERN',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--severity <SEVERITY>',
      description: 'Vulnerabilities at least so bad block, critical ones by default; none: none does by its severity',
      choices: ['none', 'unknown', ...RATED],
    },
    { flags: '--only-fixable', description: 'Only those that an update ends' },
    { flags: '--grace <PERIOD>', description: 'Not before a vulnerability has been known here for this period: 7d' },
    {
      flags: '--unknown <SEVERITY>',
      description: 'How bad a vulnerability counts that nobody has rated, or allow or block; medium by default',
      choices: [...RATED, ...ACTS],
    },
    {
      flags: '--not-covered <ACT>',
      description: 'Packages without data, files that cannot be read, and what is no image; allow by default',
      choices: ACTS,
    },
    {
      flags: '--unscanned <ACT>',
      description: 'Images that are not scanned yet: allow, block, or wait=PERIOD and block then; wait=30s by default',
    },
    {
      flags: '--exploited <ACT>',
      description: 'Vulnerabilities that are known to be exploited, however bad; block by default',
      choices: ACTS,
    },
    { flags: '--signer <FILE>', description: 'Public key (PEM) of who must have signed; one of several', repeat: true },
    { flags: '--stale <PERIOD>', description: 'What is known of vulnerabilities is old after this period: 7d' },
    {
      flags: '--stale-data <ACT>',
      description: 'What is done when it is: warn, by default, or block',
      choices: ['warn', 'block'],
    },
    {
      flags: '--exempt <ACCOUNT>',
      description: 'Account that gets blocked images as well: user:ann, robot:acme+scanner; may be given several times',
      repeat: true,
    },
  ],
  examples: [
    {
      command: "bale registry policy gate 'prod/**' --severity high --only-fixable --grace 7d",
      explains: 'What is high or critical has a week to be mended; prints the ID of the policy',
    },
    {
      command: "bale registry policy gate 'prod/**' --severity none --signer release.pem",
      explains: 'Only what was signed is pulled; pushing is not judged',
    },
  ],
  async run({ args, options, engine, io }) {
    const { severity, onlyFixable, grace, unknown, notCovered, exploited, stale, staleData, exempt } = options
    const rule: GateRule = {
      ...{ severity, onlyFixable, unknown, notCovered, exploited, exempt, staleAct: staleData },
      grace: grace === undefined ? undefined : parsePeriod('--grace', grace),
      stale: stale === undefined ? undefined : parsePeriod('--stale', stale),
      unscanned: options.unscanned === undefined ? undefined : unscannedOf(options.unscanned),
      signers: options.signer?.map(keyIn),
    }
    await using admin = await openAdmin(options, engine, io)
    await io.print(String(await admin.policies.gate(args[0]!, rule)))
    return 0
  },
})

function unscannedOf(text: string): GateRule['unscanned'] {
  if (text === 'allow' || text === 'block') return text
  const [, period] = /^wait=(.+)$/.exec(text) ?? []
  if (period !== undefined) return { wait: parsePeriod('--unscanned', period) }
  throw new BaleError('INVALID_ARGUMENT', `--unscanned takes allow, block or wait=PERIOD, not ${printable(text, 80)}`, {
    hint: 'for example wait=30s',
  })
}

const LONGEST_KEY = 8192

function keyIn(file: string): string {
  try {
    return readTextSync(file, { limit: LONGEST_KEY })
  } catch (error) {
    throw new BaleError('PATH_NOT_FOUND', `the key cannot be read from ${printable(file)}`, { cause: error })
  }
}
