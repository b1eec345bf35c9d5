import type { ImageSbom } from '#engine'
import { createProgressView } from '../render/progress.ts'
import { openTextOutput } from '../terminal/text-output.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'sbom',
  summary: 'Write the bill of materials of an image: the packages in it',
  usage: 'IMAGE|docker://NAME|FILE.tar',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '--platform <OS/ARCH>', description: "Platform of the image, instead of this machine's" },
    {
      flags: '--format <FORMAT>',
      description: 'cyclonedx (1.6) or spdx (2.3), both in JSON',
      default: 'cyclonedx',
      choices: ['cyclonedx', 'spdx'],
    },
    { flags: '-o, --output <FILE>', description: 'Write to a file' },
    { flags: '--attach', description: 'Put it beside the image in its registry (docker://NAME), and print its digest' },
    { flags: '-q, --quiet', description: 'Do not show progress' },
  ],
  examples: [
    { command: 'bale sbom -o sbom.cdx.json webserver', explains: 'CycloneDX, of an image of the store' },
    {
      command: 'bale sbom --format spdx docker://localhost:5000/team/webserver',
      explains: 'SPDX, of an image in its registry',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const { platform, format, output, attach, quiet } = options
    await using to = await openTextOutput(io, output)
    let sbom: ImageSbom
    {
      using view = createProgressView(io, { quiet, to: 'stderr' })
      sbom = await engine.trust.sbom(args[0]!, { platform, format, attach, signal, progress: view.report })
      for (const { where, reason } of sbom.gaps)
        view.report({ kind: 'warning', text: `not in the bill of materials: ${where}: ${reason}` })
    }
    if (sbom.attached === undefined || output !== undefined) await to.write(sbom.text)
    if (sbom.attached !== undefined) await io.print(sbom.attached)
    return 0
  },
})
