import { BaleError, printable } from '#base'

/** An http or https URL; INVALID_ARGUMENT for anything else, also for a path with a `%` that escapes nothing. */
export function parseWebAddress(text: string): URL {
  const refuse = (reason: string) => new BaleError('INVALID_ARGUMENT', `${printable(text)}: ${reason}`)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw refuse('only http and https are fetched')
  const broken = /%(?![0-9a-f]{2}).{0,2}/i.exec(`${url.username}:${url.password}${url.pathname}`)
  if (broken) throw refuse(`invalid URL escape "${printable(broken[0])}"; a percent sign is written %25`)
  return url
}

/** The name of a file made from a URL: the last part of its path, with escapes undone; undefined when that is no name. */
export function fileNameOf(url: URL): string | undefined {
  const name = decoded(url.pathname.split('/').at(-1) ?? '')
  return name === '' || name === '.' || name === '..' || /[/\0]/.test(name) ? undefined : name
}

/** Bytes that are not UTF-8 become the replacement character: a name is text here. */
function decoded(part: string): string {
  const bytes = part.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
