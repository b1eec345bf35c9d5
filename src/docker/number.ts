const syntax = (name: string, text: string) =>
  new Error(`strconv.${name}: parsing ${JSON.stringify(text)}: invalid syntax`)
const range = (name: string, text: string) =>
  new Error(`strconv.${name}: parsing ${JSON.stringify(text)}: value out of range`)

/** Go's strconv.ParseBool. */
export function readBoolean(text: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false
  throw syntax('ParseBool', text)
}

/** A whole number; what JavaScript cannot count exactly is out of range. Throws an Error with Go's message. */
export function readInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw syntax('ParseInt', text)
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw range('ParseInt', text)
  return value
}

/** Nanoseconds of CPU per second: `1.5`, `.5`, `1/2`. Throws an Error with docker's message. */
export function readCpus(text: string): number {
  const [, above = '', below = '1'] = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?)(?:\/(\d+))?$/i.exec(text) ?? []
  const nano = (Number(above) * 1e9) / Number(below)
  if (above === '' || Number(below) === 0) throw new Error(`failed to parse ${text} as a rational number`)
  const rounded = Math.round(nano)
  if (Math.abs(nano - rounded) > 1e-6 * Math.max(1, Math.abs(nano) * 1e-6)) throw new Error('value is too precise')
  if (!Number.isSafeInteger(rounded)) throw new Error(`failed to parse ${text} as a rational number`)
  return rounded
}
