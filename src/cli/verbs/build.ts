import { BaleError, isBaleError } from '#base'
import { type CheckReport, startResultFile } from '#engine'
import { BUILD_FLAGS } from '../flags/build-flags.ts'
import { type BuildCall, readBuildCall, readBuildRequest } from '../flags/build-request.ts'
import { createBuildProgress } from '../render/build-progress.ts'
import { checkErrorText, checkReportJson, checkReportText } from '../render/check-report.ts'
import { outputTarget } from '../terminal/output-target.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'build',
  summary: 'Build an image from a Dockerfile',
  usage: 'PATH|URL|-',
  arguments: { min: 1, max: 1 },
  options: BUILD_FLAGS,
  examples: [
    { command: 'bale build -t webserver .', explains: 'The Dockerfile and the files of this directory' },
    {
      command: 'bale build -t app --target runtime --build-arg VERSION=1.2 -f deploy/Dockerfile .',
      explains: 'One stage, with an argument',
    },
    {
      command: 'bale build -t app - < Dockerfile',
      explains: 'A Dockerfile alone, or a tar with all files, from stdin',
    },
    {
      command: 'bale build --check .',
      explains: 'Only check the Dockerfile against the rules',
    },
    {
      command: 'bale build --secret id=npm,src=$HOME/.npmrc -o type=local,dest=out .',
      explains: 'Files instead of an image',
    },
    {
      command: 'bale build -t web:1 --sbom=true --provenance=mode=min .',
      explains: 'What is in the image and how it was built go with it to registries',
    },
    {
      command: 'bale build -t web:1 -o type=oci,tar=false,dest=web .',
      explains: 'An OCI image layout in a directory: skopeo inspect oci:web:1',
    },
  ],
  writesData: true,
  /** docker's: that of the RUN that failed, if it could be started. */
  failureCodeOf(error) {
    if (!isBaleError(error, 'BUILD_FAILED')) return undefined
    const { exitCode, started } = error.details
    return typeof exitCode === 'number' && exitCode > 0 && started ? exitCode : undefined
  },
  async run({ args, options, engine, io, signal }) {
    const call = readBuildCall(options)
    const request = await readBuildRequest(args[0]!, options, io)
    if (call.method === 'check') {
      const { tags: _, outputs: __, secrets: ___, attestations: ____, ...wanted } = request
      return printReport(await engine.builds.check({ ...wanted, signal }), call, io)
    }
    for (const output of request.outputs ?? []) if ('to' in output && 'stream' in output.to) outputTarget(undefined, io)
    // The file of an earlier run must not be taken for this one's, should it fail.
    await using idFile = options.iidfile === undefined ? undefined : await startResultFile(options.iidfile)
    await using metadataFile =
      options.metadataFile === undefined ? undefined : await startResultFile(options.metadataFile)
    const isQuiet = options.quiet || options.progress === 'quiet'
    const progress = createBuildProgress(io, { quiet: isQuiet })
    const { id, manifest, names } = await engine.builds
      .build({ ...request, signal, progress: progress.report })
      .finally(progress.finish)
    await idFile?.write(id)
    if (metadataFile) {
      const facts = {
        'containerimage.config.digest': id,
        'containerimage.descriptor': manifest,
        'containerimage.digest': manifest.digest,
        ...(names.length > 0 && { 'image.name': names.join(',') }),
      }
      await metadataFile.write(`${JSON.stringify(facts, undefined, 2)}\n`)
    }
    if (options.quiet) await io.print(id)
    else if (!isQuiet) io.warn(`image ${id}${names.map((name) => `\nnamed ${name}`).join('')}`)
    return 0
  },
})

/** The report goes to stdout; findings, and a Dockerfile that cannot be built, give 1. */
async function printReport(report: CheckReport, { format, ignoreStatus }: BuildCall, io: Terminal): Promise<number> {
  const { findings, error } = report
  if (format === 'json') await io.print(checkReportJson(report))
  else if (findings.length > 0) await io.print(checkReportText(report).trimEnd())
  else if (!error) await io.print('Check complete, no warnings found.')
  if (error) throw new BaleError('DOCKERFILE_INVALID', checkErrorText(report, error))
  return findings.length > 0 && !ignoreStatus ? 1 : 0
}
