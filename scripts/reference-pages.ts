import { ERROR_CODES } from '#base'
import { apiDocument, type ConfigurationSchema, configurationSchema, type OpenApi } from '#registry'
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
    const groups = [below, ...(below.anyOf ?? [])]
    return [
      row,
      ...groups.flatMap((one) => keyRows(one, key)),
      ...(below.items ? keyRows(below.items, `${key}[]`) : []),
    ]
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
  return Array.isArray(value) ? value.map((one) => `\`${one}\``).join(', ') || 'none' : `\`${value}\``
}

/** docs/registry/api.md and the OpenAPI document beside it: the administration of a registry by HTTP. */
export async function registryApiPages(): Promise<Record<string, string>> {
  const document = await apiDocument()
  const page = `# The API of a registry

A registry that is served can be administered over HTTP, below \`/api/v1\`. The command line does the same by \`--server\`, and so can programs: [openapi.json](openapi.json) describes all of it (OpenAPI 3.1), as the registry itself does at \`/api/v1/openapi.json\`, without a login. Written by \`npm run docs\` from \`src/registry/api\`.

\`\`\`
bale login registry.example
bale registry user ls --server registry.example
curl -u root https://registry.example/api/v1/users
curl -u root -X PUT --json '{"role":"write"}' https://registry.example/api/v1/accounts/ann/grants/team%2F**
\`\`\`

\`--server\` takes \`HOST\`, \`HOST:PORT\` or a URL. The login is the one of \`bale login\`; certificates, proxies and what is insecure are configured as for pulls ([registries](../registries.md)). Plain HTTP is used for this machine and for registries that are configured as insecure. \`registry serve\`, \`check\`, \`backup\`, \`move\` and \`import-from\` need the data itself. Users change their own password with \`registry user passwd\`, which asks for the old one first (with \`--password-stdin\`: on a line before the new one).

## Logins

Basic, with a password or an access token as password, or Bearer, with a token that \`/token\` issued for the scope \`registry:api:*\` (the 401 says so). Wrong passwords are limited as everywhere. There are no cookies, so no other site can act for somebody.

## Who may do what

- Administrators may do everything.
- Owners of an organisation administer what is below its name: its members, teams and robots, their tokens, rights in its repositories, public patterns, rules about tags, histories. So do users below their own name. Quotas of what is theirs they see, with what is used; only administrators set them.
- Hooks are for administrators alone, also those of one organisation: a hook reaches the addresses that the operator opens for hooks, and shows how they answer.
- Nobody else administers anything. The role \`admin\` in a grant is about images: it gives no administration, however wide its pattern.
- Access tokens administer only when they give everything that their account may: the role \`admin\` and the pattern \`**\`. With any other, \`/me\`, \`/repositories\` and promotions are all that is answered. One with an end gives no secret that lasts longer than itself.
- Robots see themselves and repositories, and administer nothing.
- Images are promoted by whoever may pull the source and push to the target, robots and limited tokens included: each image is judged as its push would be. Of many sources, those that the caller may not pull are not there.
- A repository is renamed by whoever administers both names; by administrators alone when owners would get around a rule that is not theirs (an immutable tag, a type, a base, a quota of that repository).

Who may not do something gets the same 403 whether the thing is there or not. What is changed is in the audit log with its caller, refusals too.

## Requests and answers

Bodies are JSON with \`Content-Type: application/json\`, of at most 256 KiB. Keys and parameters that are not known are refused by name. Each part of a path is percent-encoded: the team \`acme/web\` is \`acme%2Fweb\`. Times are milliseconds since 1970, periods milliseconds.

A list is \`{"items": […]}\`. One that comes in pages has \`next\` when there is more; the parameter that takes it is in the table.

A refusal is \`application/problem+json\` (RFC 9457): \`status\`, \`title\`, \`detail\`, \`instance\` (ID of the request, as in the log), \`code\` ([error codes](../errors.md)), perhaps \`hint\`, \`next\` (a step as a fact), and \`errors\` with all that is wrong in the request, each with a JSON Pointer into the body or the name of a parameter.

| status | code |
|---|---|
| 400 | \`INVALID_ARGUMENT\`, \`INVALID_REFERENCE\`, \`INVALID_DIGEST\`: the request is wrong |
| 401 | \`UNAUTHORIZED\` |
| 403 | \`DENIED\`; \`QUOTA_EXCEEDED\`, \`REPOSITORY_MOVED\` |
| 404 | \`NOT_FOUND\`, \`MANIFEST_NOT_FOUND\`; \`UNSUPPORTED\` for an address where nothing is |
| 405, 415 | \`UNSUPPORTED\` |
| 409 | \`CONFLICT\`; \`LOCKED\` when somebody else is at the same |
| 412 | \`TAG_IMMUTABLE\`, \`POLICY_VIOLATED\` |
| 413 | \`LIMIT_EXCEEDED\` |
| 429 | \`RATE_LIMITED\`, with Retry-After |
| 500, 503, 507 | \`INTERNAL\`, \`UNAVAILABLE\`, \`NO_SPACE\`: the operator is told more |

## Operations

${operationTables(document)}
## Programs

\`openRemoteAdmin\` of \`bale/registry\` has the methods of \`RegistryAdmin\`, over a connection of yours or of the engine:
\`\`\`ts
const engine = createEngine()
await using connection = await engine.registries.connect('registry.example')
const admin = await openRemoteAdmin(connection)
await admin.users.grant('ann', 'team/*', 'write')
\`\`\`
`
  return { 'registry/api.md': page, 'registry/openapi.json': `${JSON.stringify(document, undefined, 2)}\n` }
}

function operationTables({ paths }: OpenApi): string {
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { summary, description, parameters, requestBody } = operation
      const asked = parameters.filter((one) => one.in === 'query').map(({ name, required }) => optional(name, required))
      const { properties = {}, required = [] } = requestBody?.content?.['application/json']?.schema ?? {}
      const body = Object.keys(properties).map((name) => optional(name, required.includes(name)))
      const takes = [
        ...(asked.length > 0 ? [`query: ${asked.join(', ')}`] : []),
        ...(body.length > 0 ? [`body: ${body.join(', ')}`] : []),
      ]
      const what = `${summary}. ${description}`
      return { tag: operation.tags[0]!, row: `| \`${method.toUpperCase()} ${path}\` | ${takes.join('; ')} | ${what} |` }
    }),
  )
  const tags = [...new Set(rows.map(({ tag }) => tag))]
  return tags
    .map((tag) => {
      const own = rows.filter((one) => one.tag === tag).map(({ row }) => row)
      return `### ${tag}\n\n| request | takes | does |\n|---|---|---|\n${own.join('\n')}\n`
    })
    .join('\n')
}

const optional = (name: string, required: boolean) => (required ? `\`${name}\`` : `\`${name}\`?`)

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
