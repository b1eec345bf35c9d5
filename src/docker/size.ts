const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const LARGEST = 2 ** 63

/** Bytes of `64m`, `1.5g`, `100k`, `64MiB`, `4096`, in units of 1024; go-units' RAMInBytes. Throws an Error with its message. */
export function parseSize(text: string): number {
  const [, number = '', space = '', suffix = ''] = /^(.*[\d.])?( ?)([^\d. ]*)$/s.exec(text) ?? []
  if (number === '') throw new Error(`invalid size: '${text}'`)
  if (!NUMBER.test(number)) throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`)
  const value = Number(number)
  if (value < 0) throw new Error(`invalid size: '${text}'`)
  const unit = suffix.toLowerCase()
  if (space !== '' && unit === '') return checked(value, text)
  const [, letter = ''] = /^(b|(?:([kmgtp])(?:i?b)?)?)$/.exec(unit) ? [unit, unit[0]] : [undefined, undefined]
  if (unit !== '' && letter === '') throw new Error(`invalid suffix: '${unit}'`)
  return checked(value * 1024 ** 'bkmgtp'.indexOf(letter || 'b'), text)
}

/** docker would go on with a number that has turned negative. */
function checked(bytes: number, text: string): number {
  if (bytes >= LARGEST) throw new Error(`invalid size: '${text}'`)
  return Math.trunc(bytes)
}
