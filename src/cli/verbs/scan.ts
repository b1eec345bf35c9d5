import { BaleError } from '#base'
import type { ScannedImage } from '#engine'
import { parseWholeNumber } from '../flags/flag-values.ts'
import { createProgressView } from '../render/progress.ts'
import { scanText } from '../render/scan-text.ts'
import { openTextOutput } from '../terminal/text-output.ts'
import { defineVerb } from '../verb/verb.ts'

const SEVERITIES = ['unknown', 'negligible', 'low', 'medium', 'high', 'critical'] as const

export const verb = defineVerb({
  name: 'scan',
  summary: 'List the packages of an image that have known vulnerabilities',
  usage: 'IMAGE|docker://NAME|FILE.tar',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '--platform <OS/ARCH>', description: "Platform of the image, instead of this machine's" },
    { flags: '--severity <SEVERITY>', description: 'Only findings at least so bad', choices: SEVERITIES },
    { flags: '--ignore-unfixed', description: 'Only findings that an update ends' },
    { flags: '--ignore-file <FILE>', description: 'YAML file with findings that do not count, each with its reason' },
    { flags: '--vex <FILE>', description: 'VEX document: OpenVEX, CycloneDX or CSAF', repeat: true },
    { flags: '--exit-code <CODE>', description: 'Exit code when a finding that counts is shown; 0 by default' },
    {
      flags: '--format <FORMAT>',
      description: 'table, json, sarif, cyclonedx or html',
      default: 'table',
      choices: ['table', 'json', 'sarif', 'cyclonedx', 'html'],
    },
    { flags: '-o, --output <FILE>', description: 'Write to a file' },
    { flags: '--offline', description: 'Fetch no advisories: use what is on this machine' },
    { flags: '-q, --quiet', description: 'Do not show progress' },
  ],
  examples: [
    { command: 'bale scan debian:12', explains: 'An image of the store' },
    {
      command: 'bale scan docker://localhost:5000/team/webserver',
      explains: 'An image in its registry, which stays there',
    },
    {
      command: 'bale scan --severity high --ignore-unfixed --exit-code 1 webserver',
      explains: 'For CI: fails when an update would mend something bad',
    },
    {
      command: 'bale scan --format html -o report.html webserver.tar',
      explains: 'A page, of what docker, podman or bale saved',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const { platform, quiet, severity, ignoreFile, vex, offline, format, output } = options
    const exitCode = exitCodeOf(options.exitCode)
    await using to = await openTextOutput(io, output)
    let scanned: ScannedImage
    {
      using view = createProgressView(io, { quiet, to: 'stderr' })
      const asked = { platform, ignoreFile, vex, offline, signal, progress: view.report }
      scanned = await engine.trust.scan(args[0]!, { ...asked, show: { severity, fixable: options.ignoreUnfixed } })
    }
    const text = format === 'table' ? `${scanText(scanned)}\n` : await engine.trust.report(scanned, format)
    await to.write(text)
    if (scanned.result.status === 'failed') return FAILED
    return scanned.result.findings.some(({ suppressed }) => !suppressed) ? exitCode : 0
  },
})

/** Nothing of the image could be looked at: that is no success, whatever was asked for. */
const FAILED = 1

function exitCodeOf(text: string | undefined): number {
  if (text === undefined) return 0
  const code = parseWholeNumber('exit-code', text)
  if (code >= 0 && code <= 255) return code
  throw new BaleError('INVALID_ARGUMENT', `an exit code is a number from 0 to 255, not ${code}`)
}
