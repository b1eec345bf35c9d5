import { isPackageUrl, type SpdxDocument, type SpdxPackage } from './spdx.ts'

type Draft = { -readonly [Key in keyof SpdxPackage]: SpdxPackage[Key] }

/** Whether text begins as an SPDX 2 document in `Tag: value` form; comments may come before it. */
export function isSpdxTagValue(text: string): boolean {
  return /^SPDXVersion:[ \t]{0,16}SPDX-2\./m.test(text.slice(0, 64 << 10))
}

/** Source: SPDX 2.3, clause 7. Tags of files and snippets, which follow those of their package, mean nothing here. */
export function spdxOfTagValue(text: string): SpdxDocument {
  const packages: SpdxPackage[] = []
  const described = new Set<string>()
  let current: Draft | undefined
  for (const [tag, value] of tags(text)) {
    if (tag === 'PackageName') {
      current = { id: '', version: '', purpose: '', url: '', concluded: '', declared: '' }
      packages.push(current)
    } else if (tag === 'FileName' || tag === 'SnippetSPDXID') current = undefined
    else if (tag === 'Relationship') {
      const [, kind, other] = value.split(/[ \t]+/, 3)
      if (kind === 'DESCRIBES' && other) described.add(other)
    } else if (current) setTag(current, tag, value)
  }
  return { packages, described }
}

function setTag(current: Draft, tag: string, value: string): void {
  if (tag === 'SPDXID') current.id = value
  else if (tag === 'PackageVersion') current.version = value
  else if (tag === 'PrimaryPackagePurpose') current.purpose = value
  else if (tag === 'PackageLicenseConcluded') current.concluded = value
  else if (tag === 'PackageLicenseDeclared') current.declared = value
  else if (tag === 'ExternalRef' && current.url === '') {
    const [, type = '', locator = ''] = value.split(/[ \t]+/, 3)
    if (isPackageUrl(type)) current.url = locator
  }
}

const OPENING = '<text>'
const CLOSING = '</text>'

/** The tags with their values; values of several lines are passed over. */
function* tags(text: string): Generator<readonly [tag: string, value: string]> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(start, end)
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).trim()
    const closing = value.startsWith(OPENING) ? text.indexOf(CLOSING, start) : start
    start = closing < 0 ? text.length : Math.max(end + 1, closing)
    if (colon > 0 && !value.startsWith(OPENING)) yield [line.slice(0, colon).trim(), value]
  }
}
