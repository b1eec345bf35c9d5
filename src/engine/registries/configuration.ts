import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '#base'
import type { EngineConfig, RegistryFiles } from '../context/config.ts'
import type { EngineContext } from '../context/context.ts'
import { readDaemonJson } from './daemon-json.ts'
import { type ForeignFile, openForeignFile } from './foreign-file.ts'
import { readRegistriesConf } from './registries-conf.ts'
import { type FileRules, noRules, type RegistryRule } from './rules.ts'

/** The registry configuration: bale's own, and that of other programs on this machine. */
interface RegistryConfiguration {
  /** The files that were found, as they were read. */
  files: readonly string[]
  own: FileRules
  others: readonly FileRules[]
}

const known = new WeakMap<EngineConfig, Promise<RegistryConfiguration>>()

/** Read once per engine. A malformed file of another program is reported once, and otherwise ignored. */
export function registryConfiguration({ config, log }: Pick<EngineContext, 'config' | 'log'>) {
  const reading = known.get(config) ?? readConfiguration(config, (text) => log.warn?.(text))
  known.set(config, reading)
  return reading
}

/** The distribution's file: names as podman understands them. Names without a registry are Docker Hub's here. */
const SHIPPED = /shortnames\.conf$/

async function readConfiguration(config: EngineConfig, warn: (text: string) => void): Promise<RegistryConfiguration> {
  const { configFile, daemonFiles, registriesConf, registriesConfDirectories } = config.registryFiles
  const files = configFile === undefined ? [] : [configFile]
  const read = async (path: string, parse: (file: ForeignFile) => FileRules | Promise<FileRules>) => {
    const file = await openForeignFile(path, warn)
    if (!file) return undefined
    files.push(path)
    return parse(file)
  }
  const daemon: FileRules[] = []
  for (const path of daemonFiles) daemon.push((await read(path, readDaemonJson)) ?? noRules)
  const containers: FileRules[] = []
  for (const path of registriesConf) {
    const rules = await read(path, readRegistriesConf)
    if (!rules) continue
    containers.push(rules)
    // A user's file replaces the machine's.
    break
  }
  for (const path of await dropIns(registriesConfDirectories)) {
    if (!SHIPPED.test(path)) containers.push((await read(path, readRegistriesConf)) ?? noRules)
  }
  return { files, own: ownRules(config), others: [merged(containers), merged(daemon)] }
}

async function dropIns(directories: RegistryFiles['registriesConfDirectories']): Promise<string[]> {
  const paths: string[] = []
  for (const directory of directories) {
    try {
      const names = (await readdir(directory)).filter((name) => name.endsWith('.conf')).sort()
      paths.push(...names.map((name) => join(directory, name)))
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) throw error
    }
  }
  return paths
}

/** Later files win. */
function merged(all: readonly FileRules[]): FileRules {
  return {
    rules: all.flatMap(({ rules }) => rules),
    insecure: all.flatMap(({ insecure }) => insecure),
    aliases: new Map(all.flatMap(({ aliases }) => [...aliases])),
  }
}

function ownRules({ registries, insecureRegistries, registryFiles }: EngineConfig): FileRules {
  const rules = Object.entries(registries).map(
    ([prefix, { mirrors, ...rest }]): RegistryRule => ({
      prefix,
      ...rest,
      ...(mirrors ? { mirrors: mirrors.map((place) => ({ place })) } : {}),
      file: registryFiles.configFile ?? 'config.json',
    }),
  )
  return { ...noRules, rules, insecure: insecureRegistries }
}
