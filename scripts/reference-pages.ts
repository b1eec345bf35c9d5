import { ERROR_CODES } from '#base'
import { verbHelp } from '../src/cli/render-help.ts'
import { VERBS } from '../src/cli/verb-table.ts'

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
