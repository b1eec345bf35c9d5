import { ERROR_CODES } from '#base'
import { type ConfigurationSchema, configurationSchema } from '#registry'
import { verbHelp } from '../src/cli/render-help.ts'
import { VERBS } from '../src/cli/verb-table.ts'
import type { PublicDoor, PublicExport } from './public-api.ts'

/** docs/errors.md: every error code, what it means, and what other interfaces answer for it. */
export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, entry]) => {
    const registry = 'registry' in entry ? `\`${entry.registry}\`` : ''
    return `| \`${code}\` | ${entry.meaning} | ${entry.http} | ${registry} |`
  })
  return `# Error codes

Every failure of bale is a \`BaleError\` with one of these codes, a message that names the thing, and mostly a next step as a fact (\`src/base/next-step.ts\`), which each door phrases, or a hint. The command line prints them all, with \`--debug\` also code, details and causes; it exits with 1, or 125, 126 and 127 where docker does. Written by \`npm run docs\` from \`src/base/error-codes.ts\`.

| code | meaning | Engine API status | registry code |
|---|---|---|---|
${rows.join('\n')}
`
}

/** docs/cli.md: the help of every verb. */
export async function verbsPage(): Promise<string> {
  const parts: string[] = []
  for (const entry of VERBS) {
    const { verb } = await entry.load()
    parts.push(`## bale ${verb.name}\n\n\`\`\`\n${verbHelp(verb)}\n\`\`\`\n`)
  }
  return `# The command line\n\nThe same texts as \`bale VERB --help\`. Written by \`npm run docs\`.\n\n${parts.join('\n')}`
}

/** docs/registry-configuration.md and the JSON Schema beside it: the keys of a registry's configuration file. */
export async function configurationPages(example: (name: string) => string): Promise<Record<string, string>> {
  const schema = await configurationSchema()
  const yaml = (name: string) => `\`\`\`yaml\n${example(name)}\`\`\``
  const page = `# The registry's configuration file

Describes a registry: embedded in a directory, or scaled out on PostgreSQL and a store for the bytes that any number of replicas share. The file is YAML 1.2, of which JSON is a part. \`bale registry config check FILE\` says what the registry would be, or all that is wrong with the file and with the files that it names, each with line and column. \`bale registry config schema\` prints the JSON Schema ([registry-configuration.schema.json](registry-configuration.schema.json)) for editors. Written by \`npm run docs\` from \`src/registry/configuration/schema.ts\`.

## Embedded

${yaml('registry.yaml')}

## Scaled out

${yaml('registry-scaled-out.yaml')}

## How values are written

- Paths that are not absolute begin at the directory of the file.
- Sizes have units of 1024 (\`16MiB\` and \`16m\` are the same), durations are written like \`90s\`, \`1h30m\`, \`720h\`.
- Secrets are never in the file: a key that ends in \`-file\` names a file with the secret, one that ends in \`-env\` an environment variable. Such a file must not be open to everybody (\`chmod o= FILE\`); a group may read it, as the services of a container or of systemd need it.
- A key that is not known, or given twice, is refused. YAML's anchors and aliases may be used.

## Keys

| key | value | default | meaning |
|---|---|---|---|
${keyRows(schema, '').join('\n')}
`
  return {
    'registry-configuration.md': page,
    'registry-configuration.schema.json': `${JSON.stringify(schema, undefined, 2)}\n`,
  }
}

function keyRows({ properties = {}, required = [] }: ConfigurationSchema, at: string): string[] {
  return Object.entries(properties).flatMap(([name, below]) => {
    const key = at === '' ? name : `${at}.${name}`
    const usual = required.includes(name) ? 'required' : below.properties ? '' : defaultWords(below.default)
    const row = `| \`${key}\` | ${valueWords(below)} | ${usual} | ${below.description} |`
    const items = below.items ? keyRows(below.items, `${key}[]`) : []
    return [row, ...items, ...[below, ...(below.anyOf ?? [])].flatMap((one) => keyRows(one, key))]
  })
}

function valueWords({
  properties,
  title,
  examples = [],
  anyOf,
  enum: words,
  const: word,
}: ConfigurationSchema): string {
  if (properties) return 'keys'
  if (word !== undefined) return `\`${word}\``
  if (words) return words.map((one) => `\`${one}\``).join(', ')
  if (title === undefined) return (anyOf ?? []).map(valueWords).join(' or ')
  return examples.length > 0 ? `${title}: ${examples.map((one) => `\`${one}\``).join(', ')}` : title
}

function defaultWords(value: unknown): string {
  if (value === undefined || value === '') return ''
  return Array.isArray(value) ? 'none' : `\`${value}\``
}

/** docs/api: a page for each public door, and one that names them all. */
export function apiPages(doors: readonly PublicDoor[]): Record<string, string> {
  const rows = doors.map(({ name, room, header }) => `| [\`${name}\`](${room}.md) | ${firstSentence(header)} |`)
  const index = `# The library\n\nWhat each public door of the package exports. Written by \`npm run docs\` from the sources.\n\n| import | what it is |\n|---|---|\n${rows.join('\n')}\n`
  return {
    'api/README.md': index,
    ...Object.fromEntries(doors.map((door) => [`api/${door.room}.md`, apiPage(door)])),
  }
}

const GROUPS = [
  ['Functions', ['function']],
  ['Classes', ['class']],
  ['Types', ['interface', 'type']],
  ['Constants', ['constant']],
] as const

function apiPage({ name, header, exports }: PublicDoor): string {
  // Operations are called by their noun: `engine.images.pull`.
  const engine = exports.find((one) => one.name === 'Engine')?.declaration ?? ''
  const nouns = new Map(
    [...engine.matchAll(/readonly (\w+): (\w+)/g)].map(([, noun, type]) => [type, `engine.${noun}`]),
  )
  const groups = GROUPS.map(([title, kinds]) => ({
    title,
    members: exports.filter(({ kind }) => (kinds as readonly string[]).includes(kind)),
  }))
  const parts = groups
    .filter(({ members }) => members.length > 0)
    .map(
      ({ title, members }) => `## ${title}\n\n${members.map((one) => exportPart(one, nouns.get(one.name))).join('\n')}`,
    )
  return `# ${name}\n\n${header[0]?.toUpperCase()}${header.slice(1)}\n\n${parts.join('\n')}`
}

function exportPart({ name, doc, declaration, members }: PublicExport, called = name): string {
  const parts = members.map((one) => `#### ${called}.${one.name}\n\n${code(one.declaration)}\n${one.doc}\n`)
  return [`### ${name}\n\n${code(declaration)}\n${doc}\n`, ...parts].join('\n')
}

const code = (text: string) => `\`\`\`ts\n${text}\n\`\`\`\n`

function firstSentence(text: string): string {
  return text.split(/(?<=\.)\s/)[0] ?? ''
}
