import { binarySize } from '#docker'
import type { Engine } from '#engine'
import { compileTemplate, goJson } from '../render/go-template/index.ts'
import { wallLines } from '../render/walls.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'info',
  summary: 'Show information about this machine and its store',
  arguments: { max: 0 },
  options: [{ flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template" }],
  examples: [
    { command: 'bale info', explains: 'Counts, layer format, kernel, directories' },
    { command: `bale info --format '{{.Driver}}'`, explains: 'How layers are stored: erofs or extract' },
  ],
  async run({ options, engine, io }) {
    const facts = await engine.system.info()
    if (options.format) {
      await io.print(options.format === 'json' ? goJson(facts) : compileTemplate(options.format)(facts))
      return 0
    }
    const lines = [
      `Containers: ${facts.Containers}`,
      ` Running: ${facts.ContainersRunning}`,
      ` Paused: ${facts.ContainersPaused}`,
      ` Stopped: ${facts.ContainersStopped}`,
      `Images: ${facts.Images}`,
      `Version: ${facts.ServerVersion}`,
      `Layer Format: ${facts.Driver}`,
      ...mountLines(facts),
      `Gzip: ${gzipText(facts.Gzip)}`,
      `Cgroup Version: ${facts.CgroupVersion}`,
      `Kernel Version: ${facts.KernelVersion}`,
      `Operating System: ${facts.OperatingSystem}`,
      `OSType: ${facts.OSType}`,
      `Architecture: ${facts.Architecture}`,
      `CPUs: ${facts.NCPU}`,
      `Total Memory: ${binarySize(facts.MemTotal)}`,
      `Name: ${facts.Name}`,
      `Store Root: ${facts.DockerRootDir}`,
      `Run Directory: ${facts.RunDir}`,
      ...wallLines(facts),
      ...registryLines(facts),
    ]
    await io.print(lines.join('\n'))
    return 0
  },
})

type Facts = Awaited<ReturnType<Engine['system']['info']>>

/** Extracted layers are mounted by nothing but the overlay. */
function mountLines({ Driver, LayerMounts, LayerMountsReason }: Facts): string[] {
  if (Driver !== 'erofs') return []
  return [`Layer Mounts: ${LayerMounts === 'loop' ? 'loop device' : 'file'} (${LayerMountsReason})`]
}

/** The library is optional, and people can only miss what they have heard of. */
function gzipText(encoder: string): string {
  return encoder.startsWith('zlib') ? `${encoder} (several times faster with Debian's libisal2)` : encoder
}

/** docker's lines, then the files that they come from. */
function registryLines({
  HttpProxy,
  HttpsProxy,
  NoProxy,
  RegistryConfig,
  RegistryFiles,
  RegistryRules,
}: Facts): string[] {
  const { IndexConfigs, InsecureRegistryCIDRs, Mirrors } = RegistryConfig
  const named = Object.values(IndexConfigs).flatMap(({ Name, Secure }) => (Secure ? [] : [Name]))
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => ` ${line}`)]
  const rules = RegistryRules.map(({ Prefix, Location, Mirrors: mirrors, Insecure, Blocked, File }) => {
    const says = [
      ...(Blocked ? ['blocked'] : []),
      ...(Location === Prefix ? [] : [`at ${Location}`]),
      ...mirrors.map((mirror) => `mirror ${mirror}`),
      ...(Insecure ? ['insecure'] : []),
    ]
    return `${Prefix}: ${[...says, `(${File})`].join(' ')}`
  })
  return [
    ...(HttpProxy ? [`HTTP Proxy: ${HttpProxy}`] : []),
    ...(HttpsProxy ? [`HTTPS Proxy: ${HttpsProxy}`] : []),
    ...(NoProxy ? [`No Proxy: ${NoProxy}`] : []),
    ...section('Insecure Registries', [...named, ...InsecureRegistryCIDRs]),
    ...section('Registry Mirrors', Mirrors),
    ...section('Registry Rules', rules),
    ...section('Registry Configuration', RegistryFiles),
  ]
}
