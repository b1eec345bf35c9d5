import { isBaleError } from '#base'
import { startResultFile } from '#engine'
import { type BuildFlags, readBuildRequest } from '../build-request.ts'
import { outputTarget } from '../output-target.ts'
import { createBuildProgress } from '../render/build-progress.ts'
import { defineVerb } from '../verb.ts'

const REFUSED_CACHE = 'the cache is in the store; it is neither imported nor exported yet'
const REFUSED_LIMITS = 'limits for build steps are not there yet'
const OFF = /^(false|0|f|)$|(^|,)disabled=(true|1)(,|$)/i

export const verb = defineVerb<BuildFlags>({
  name: 'build',
  summary: 'Build an image from a Dockerfile',
  usage: 'PATH|URL|-',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-t, --tag <NAME>', description: 'Name the image; may be given several times', repeat: true },
    { flags: '-f, --file <FILE>', description: 'Name of the Dockerfile, PATH/Dockerfile by default; - is stdin' },
    { flags: '--target <STAGE>', description: 'Build up to this stage' },
    {
      flags: '--build-arg <NAME=VALUE>',
      description: 'Give an ARG a value; NAME alone takes it from the environment',
      repeat: true,
    },
    { flags: '--no-cache', description: 'Take no step from the cache' },
    { flags: '--no-cache-filter <STAGE>', description: 'Take no step of these stages from the cache', repeat: true },
    { flags: '-q, --quiet', description: 'Print only the image ID' },
    { flags: '--iidfile <FILE>', description: 'Write the image ID to a file' },
    { flags: '--metadata-file <FILE>', description: 'Write what was built as JSON to a file' },
    { flags: '--label <KEY=VALUE>', description: 'Add a label to the image', repeat: true },
    { flags: '--pull', description: 'Ask the registry for newer base images' },
    { flags: '--platform <OS/ARCH>', description: 'Build for another platform' },
    { flags: '--network <MODE>', description: 'Network of RUN: default, none or host' },
    { flags: '--add-host <NAME:ADDRESS>', description: 'Add a line to /etc/hosts of RUN', repeat: true },
    {
      flags: '--progress <FORM>',
      description: 'How progress is shown: auto or plain',
      choices: ['auto', 'plain', 'quiet'],
    },
    {
      flags: '--secret <ID>',
      description: 'Give RUN --mount=type=secret a value: id=NAME,src=FILE or id=NAME,env=VARIABLE',
      repeat: true,
    },
    {
      flags: '--build-context <NAME=PATH>',
      description: 'A further context: NAME=DIRECTORY, =docker-image://IMAGE, =oci-layout://DIRECTORY:TAG, =URL',
      repeat: true,
    },
    {
      flags: '-o, --output <TARGET>',
      description: 'Where the result goes: type=image|local|tar|oci|docker,dest=PATH',
      repeat: true,
    },
    { flags: '--allow <RIGHT>', description: 'Allow RUN network.host or security.insecure', repeat: true },
    { flags: '--shm-size <BYTES>', description: 'Size of /dev/shm in RUN' },
    { flags: '--load', description: 'Accepted for docker; the image always goes to the store', hidden: true },
    { flags: '--rm', description: 'Accepted for docker; nothing is left behind', hidden: true },
    { flags: '--force-rm', description: 'Accepted for docker; nothing is left behind', hidden: true },
    { flags: '--disable-content-trust', description: 'Accepted for docker; there is no content trust', hidden: true },
    {
      flags: '--builder <NAME>',
      description: 'Other builders',
      hidden: true,
      refused: 'bale builds by itself',
      harmless: /^(default)?$/,
    },
    { flags: '--push', description: 'Push the result', hidden: true, refused: 'build first, then bale push' },
    {
      flags: '--ssh <AGENT>',
      description: 'SSH agents',
      hidden: true,
      refused: 'SSH agents are not forwarded yet; use --secret',
    },
    {
      flags: '--squash',
      description: 'One layer',
      hidden: true,
      refused: 'layers are not squashed; use several stages and COPY --from',
    },
    {
      flags: '--compress',
      description: 'Compressed context',
      hidden: true,
      refused: 'the context is read where it lies; there is nothing to compress',
    },
    {
      flags: '--isolation <MODE>',
      description: 'Isolation',
      hidden: true,
      refused: 'it is a matter of Windows',
      harmless: /^(default)?$/i,
    },
    {
      flags: '--security-opt <OPTION>',
      description: 'Security options',
      hidden: true,
      refused: 'steps run with the default profile',
    },
    { flags: '--cgroup-parent <PATH>', description: 'Parent control group', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--ulimit <LIMIT>', description: 'Limits', hidden: true, refused: REFUSED_LIMITS },
    { flags: '-m, --memory <BYTES>', description: 'Memory limit', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--memory-swap <BYTES>', description: 'Swap limit', hidden: true, refused: REFUSED_LIMITS },
    { flags: '-c, --cpu-shares <SHARES>', description: 'CPU shares', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cpu-period <TIME>', description: 'CPU period', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cpu-quota <TIME>', description: 'CPU quota', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cpuset-cpus <CPUS>', description: 'CPUs', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cpuset-mems <NODES>', description: 'Memory nodes', hidden: true, refused: REFUSED_LIMITS },
    { flags: '--cache-from <SOURCE>', description: 'Cache import', hidden: true, repeat: true, refused: REFUSED_CACHE },
    { flags: '--cache-to <TARGET>', description: 'Cache export', hidden: true, repeat: true, refused: REFUSED_CACHE },
    {
      flags: '--annotation <KEY=VALUE>',
      description: 'Annotations',
      hidden: true,
      repeat: true,
      refused: 'use --label; annotations are not there yet',
    },
    {
      flags: '--attest <KIND>',
      description: 'Attestations',
      hidden: true,
      repeat: true,
      refused: 'attestations are not there yet',
      harmless: /(^|,)disabled=(true|1)(,|$)/i,
    },
    {
      flags: '--provenance <MODE>',
      description: 'Provenance',
      hidden: true,
      refused: 'attestations are not there yet',
      harmless: OFF,
    },
    {
      flags: '--sbom <MODE>',
      description: 'SBOM',
      hidden: true,
      refused: 'attestations are not there yet',
      harmless: OFF,
    },
    { flags: '--check', description: 'Lint', hidden: true, refused: 'Dockerfiles are not linted yet' },
    { flags: '--call <METHOD>', description: 'Subrequests', hidden: true, refused: 'Dockerfiles are not linted yet' },
  ],
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
      command: 'bale build --secret id=npm,src=$HOME/.npmrc -o type=local,dest=out .',
      explains: 'Files instead of an image',
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
    const request = await readBuildRequest(args[0]!, options, io)
    for (const output of request.outputs ?? []) if ('to' in output && 'stream' in output.to) outputTarget(undefined, io)
    // A file of an earlier run must not tell of this one, should it fail.
    await using idFile = options.iidfile === undefined ? undefined : await startResultFile(options.iidfile)
    await using metadataFile =
      options.metadataFile === undefined ? undefined : await startResultFile(options.metadataFile)
    const isQuiet = options.quiet || options.progress === 'quiet'
    const progress = createBuildProgress(io, { quiet: isQuiet })
    const { id, manifest, names } = await engine.builds.build({ ...request, signal, progress: progress.report })
    progress.finish()
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
