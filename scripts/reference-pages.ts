import { ERROR_CODES } from '#base'
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
