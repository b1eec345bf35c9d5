import type { OptionsOf, VerbOption } from './verb-option.ts'

const REFUSED_CACHE = 'the cache is in the store; importing and exporting it is not supported yet'
const REFUSED_LIMITS = 'limits for build steps are not supported yet'

/** What `build` takes. */
export const BUILD_FLAGS = [
  {
    flags: '-t, --tag <NAME>',
    description: 'Name of the image, with an optional tag; may be given several times',
    repeat: true,
  },
  { flags: '-f, --file <FILE>', description: 'The Dockerfile (PATH/Dockerfile by default); - reads it from stdin' },
  { flags: '--target <STAGE>', description: 'Stage to build' },
  {
    flags: '--build-arg <NAME=VALUE>',
    description: 'Set an ARG; NAME alone takes the value from the environment',
    repeat: true,
  },
  { flags: '--no-cache', description: 'Do not use the cache' },
  { flags: '--no-cache-filter <STAGE>', description: 'Do not use the cache for these stages', repeat: true },
  { flags: '-q, --quiet', description: 'Print only the image ID' },
  { flags: '--iidfile <FILE>', description: 'Write the image ID to a file' },
  { flags: '--metadata-file <FILE>', description: 'Write the result of the build to a file, as JSON' },
  { flags: '--label <KEY=VALUE>', description: 'Add a label to the image', repeat: true },
  { flags: '--pull', description: 'Always ask the registry for newer base images' },
  { flags: '--platform <OS/ARCH>', description: 'Platform to build for' },
  { flags: '--network <MODE>', description: 'Network of RUN instructions: default, none or host' },
  { flags: '--add-host <NAME:ADDRESS>', description: 'Add a line to /etc/hosts in RUN instructions', repeat: true },
  {
    flags: '--progress <FORM>',
    description: 'How to show progress',
    choices: ['auto', 'plain', 'quiet'],
  },
  {
    flags: '--secret <ID>',
    description: 'Secret for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE',
    repeat: true,
  },
  {
    flags: '--build-context <NAME=PATH>',
    description: 'Additional build context: NAME=DIRECTORY, =docker-image://IMAGE, =oci-layout://DIRECTORY:TAG, =URL',
    repeat: true,
  },
  {
    flags: '-o, --output <TARGET>',
    description:
      'Where to write the result: type=image|local|tar|oci|docker,dest=PATH; with tar=false, oci and docker write an OCI layout',
    repeat: true,
  },
  {
    flags: '--sbom <MODE>',
    description: 'Attach a bill of materials (SPDX) to the image: true or false',
  },
  {
    flags: '--provenance <MODE>',
    description: 'Attach how the image was built (SLSA): true, false, or mode=min|max,version=v0.2|v1',
  },
  {
    flags: '--attest <KIND>',
    description: 'The same: type=sbom or type=provenance, with settings',
    repeat: true,
  },
  {
    flags: '--allow <RIGHT>',
    description: 'Grant RUN an entitlement: network.host or security.insecure',
    repeat: true,
  },
  { flags: '--shm-size <BYTES>', description: 'Size of /dev/shm in RUN instructions' },
  { flags: '--check', description: 'Check the Dockerfile without building; the same as --call=check' },
  {
    flags: '--call <METHOD>',
    description: 'Method to run: build, check or lint; check,format=json prints JSON',
  },
  { flags: '--load', description: 'Accepted for compatibility; the image always goes to the store', hidden: true },
  { flags: '--rm', description: 'Accepted for compatibility; intermediate containers are never kept', hidden: true },
  {
    flags: '--force-rm',
    description: 'Accepted for compatibility; intermediate containers are never kept',
    hidden: true,
  },
  {
    flags: '--disable-content-trust',
    description: 'Accepted for compatibility; there is no content trust',
    hidden: true,
  },
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
    refused: 'the context is read in place; there is nothing to compress',
  },
  {
    flags: '--isolation <MODE>',
    description: 'Isolation',
    hidden: true,
    refused: 'isolation modes exist on Windows only',
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
    refused: 'annotations are not supported yet; use --label',
  },
] as const satisfies readonly VerbOption[]

export type BuildFlags = OptionsOf<typeof BUILD_FLAGS>
