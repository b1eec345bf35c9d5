const MESSAGE = '-----BEGIN PGP SIGNED MESSAGE-----'
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----'
const END = '-----END PGP SIGNATURE-----'

/**
 * The text inside a clear-signed file, not verified. Undefined unless the file is one signed message and nothing
 * else: text around it, or a second message, could be taken for signed. Source: RFC 9580, section 7.
 */
export function signedTextOf(file: string): string | undefined {
  const lines = file.split('\n').map((line) => line.trimEnd())
  while (lines.at(-1) === '') lines.pop()
  const blank = lines.indexOf('')
  const signature = lines.indexOf(SIGNATURE)
  const isWhole = lines[0] === MESSAGE && blank > 0 && signature > blank && lines.at(-1) === END
  if (!isWhole || [MESSAGE, SIGNATURE, END].some((line) => lines.indexOf(line) !== lines.lastIndexOf(line)))
    return undefined
  const text = lines.slice(blank + 1, signature).map((line) => (line.startsWith('- ') ? line.slice(2) : line))
  return `${text.join('\n')}\n`
}
