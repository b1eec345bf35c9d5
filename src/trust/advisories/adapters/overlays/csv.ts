import { BaleError } from '#base'
import { malformed } from '../values.ts'

const LINE_LIMIT = 64 * 1024

/**
 * Rows of a table as text, quoted fields undone (also those with line ends). Lines that begin with `#` before the first row are
 * left out. Throws INVALID_ARCHIVE for a quote that does not end, LIMIT_EXCEEDED for a row of more than 64 KiB.
 * Source: RFC 4180.
 */
export async function* csvRows(document: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  let row = ''
  let isOpen = false
  let isFirst = true
  for await (const line of lines(document)) {
    if (isFirst && line.startsWith('#')) continue
    isFirst = false
    row += isOpen ? `\n${line}` : line
    if (row.length > LINE_LIMIT) throw new BaleError('LIMIT_EXCEEDED', `a row has more than ${LINE_LIMIT} characters`)
    // An odd number of quotes: the field goes on in the next line.
    if (line.split('"').length % 2 === 0) isOpen = !isOpen
    if (isOpen) continue
    if (row !== '') yield fieldsOf(row)
    row = ''
  }
  if (isOpen) throw malformed('the table', 'ends within quotes')
}

async function* lines(document: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of document) {
    const all = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = all.pop()!
    if (rest.length > LINE_LIMIT) throw new BaleError('LIMIT_EXCEEDED', `a line has more than ${LINE_LIMIT} characters`)
    for (const line of all) yield line.replace(/\r$/, '')
  }
  if (rest !== '') yield rest.replace(/\r$/, '')
}

function fieldsOf(row: string): string[] {
  const fields: string[] = []
  for (let at = 0; at <= row.length; ) {
    let field = ''
    if (row[at] === '"') {
      for (at++; at < row.length; at++) {
        if (row[at] !== '"') field += row[at]
        else if (row[at + 1] === '"') field += row[at++]
        else break
      }
      at++
    }
    const end = row.indexOf(',', at)
    const stop = end < 0 ? row.length : end
    fields.push(field + row.slice(at, stop))
    at = stop + 1
  }
  return fields
}
