import { BaleError, printable } from '#base'
import type { Engine } from '#engine'
import { matchPlatform, type Platform, parsePlatform } from '#spec'
import { reportText } from '../render/report-text.ts'
import { openTextOutput } from '../terminal/text-output.ts'
import { defineVerb } from '../verb/verb.ts'
import { type ImageReport, openAdmin, PLACE_OPTIONS } from './registry.ts'

const SEVERITIES = ['unknown', 'negligible', 'low', 'medium', 'high', 'critical'] as const

export const verb = defineVerb({
  name: 'registry report',
  summary: 'Show what a registry found in an image: known vulnerabilities of its packages',
  usage: 'REPOSITORY:TAG|REPOSITORY@DIGEST',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--platform <OS/ARCH>', description: 'One image of an index; all by default' },
    { flags: '--severity <SEVERITY>', description: 'Only findings at least so bad', choices: SEVERITIES },
    {
      flags: '--format <FORMAT>',
      description: 'table, json, sarif, cyclonedx or html',
      default: 'table',
      choices: ['table', 'json', 'sarif', 'cyclonedx', 'html'],
    },
    { flags: '-o, --output <FILE>', description: 'Write to a file' },
  ],
  examples: [
    {
      command: 'bale registry report team/web:1.2',
      explains: 'Whether it has been scanned, and what was found; exceptions are shown as such',
    },
    {
      command: 'bale registry report --server registry.example --format html -o report.html team/web:1.2',
      explains: 'For whoever may pull the image',
    },
  ],
  async run({ args, options, engine, io }) {
    const [name, { platform, severity, format, output }] = [args[0]!, options]
    await using to = await openTextOutput(io, output)
    await using admin = await openAdmin(options, engine, io)
    const images = ofPlatform(name, await Array.fromAsync(admin.scans.report(name)), platform)
    if (format === 'table') {
      const texts: string[] = []
      for (const image of images) {
        const shown = image.platform === undefined ? name : `${name} (${image.platform})`
        texts.push(
          reportText(shown, image, image.result && (await engine.trust.scanned(shown, image.result, { severity }))),
        )
      }
      await to.write(`${texts.join('\n\n')}\n`)
    } else await to.write(await documentOf(engine, { name, images }, { severity, format }))
    return 0
  },
})

function ofPlatform(name: string, images: ImageReport[], platform: string | undefined): ImageReport[] {
  const asked = platform === undefined ? undefined : parsePlatform(platform)
  const wanted = asked ? images.filter((one) => one.platform === undefined || isOf(asked, one.platform)) : images
  if (wanted.length > 0) return wanted
  const offered = images.flatMap((one) => one.platform ?? [])
  if (platform === undefined) throw new BaleError('MANIFEST_NOT_FOUND', `the registry has no image of ${name}`)
  throw new BaleError(
    'NO_MATCHING_PLATFORM',
    `${name} has no image for ${printable(platform, 80)}; available: ${printable(offered.join(', '), 1000) || 'nothing'}`,
  )
}

/** As an index writes it, which may be a platform that nobody knows. */
function isOf(asked: Platform, written: string): boolean {
  const [os = '', architecture = '', variant] = written.split('/')
  return matchPlatform(asked, { os, architecture, variant })
}

interface Wanted {
  severity: (typeof SEVERITIES)[number] | undefined
  format: Exclude<Parameters<Engine['trust']['report']>[1], undefined>
}

/** A document is about one image. */
async function documentOf(
  engine: Engine,
  { name, images }: { name: string; images: readonly ImageReport[] },
  { severity, format }: Wanted,
): Promise<string> {
  const [image, ...others] = images
  if (others.length > 0) {
    const offered = printable(images.map(({ platform = 'unknown' }) => platform).join(', '), 1000)
    throw new BaleError(
      'INVALID_ARGUMENT',
      `${name} has ${images.length} images (${offered}), and a document is of one`,
      {
        next: { act: 'choose-platform', offered: image!.platform },
      },
    )
  }
  if (image?.result)
    return await engine.trust.report(await engine.trust.scanned(name, image.result, { severity }), format)
  throw new BaleError('NOT_FOUND', reportText(name, image!, undefined).replaceAll('\n', '; '))
}
