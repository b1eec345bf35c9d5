import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvFields } from './csv.ts'
import { formatDuration, parseDuration, readDuration } from './duration.ts'
import { matchGlob } from './glob.ts'
import { environmentEntry, keyValueText, parseEnvironmentFile, parseLabelFile } from './key-value-file.ts'
import { readBoolean, readCpus, readInteger } from './number.ts'
import { parseSize } from './size.ts'
import { millisecondsOf, parseTimestamp } from './timestamp.ts'

test("sizes are go-units': units of 1024, fractions, with and without a blank", () => {
  const sizes: [string, number][] = [
    ['64m', 2 ** 26],
    ['1.5g', 1.5 * 2 ** 30],
    ['1t', 2 ** 40],
    ['1P', 2 ** 50],
    ['64MiB', 2 ** 26],
    ['10 kB', 10240],
    ['.5k', 512],
    ['5.', 5],
    ['1e3', 1000],
    ['1024', 1024],
    ['7b', 7],
    ['7 ', 7],
    ['0', 0],
  ]
  for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text)
  const wrong = [
    '',
    'm',
    '-1',
    '-1m',
    '1x',
    '1kk',
    '1bb',
    '1ki',
    '1 2',
    '1..2',
    'NaN',
    'Infinity',
    '9e99',
    '1  k',
    '0x10k',
  ]
  for (const text of wrong) assert.throws(() => parseSize(text), /invalid (size|suffix|syntax)/, text)
})

test("durations are Go's", () => {
  const durations: [string, number][] = [
    ['0', 0],
    ['-0', 0],
    ['.5s', 5e8],
    ['1.s', 1e9],
    ['1h30m', 5400e9],
    ['1m30.5s', 90.5e9],
    ['500us', 5e5],
    ['1µs', 1e3],
    ['-2m', -120e9],
    ['+1ns', 1],
  ]
  for (const [text, value] of durations) assert.equal(parseDuration(text), value, text)
  for (const text of ['', '5', '1d', '1s2', 's', '1 s', '1h-30m', 'NaN', '9999999999h'])
    assert.equal(parseDuration(text), undefined, text)
  assert.throws(() => readDuration('5'), /^Error: time: missing unit in duration "5"$/)
  assert.throws(() => readDuration('5d'), /^Error: time: unknown unit "d" in duration "5d"$/)
  assert.throws(() => readDuration('x'), /^Error: time: invalid duration "x"$/)
  assert.equal(formatDuration(5400e9), '1h30m0s')
})

test('times: a duration back from now, a date or time of the zone here or its own, seconds since 1970', () => {
  const now = Date.parse('2024-03-01T12:00:00Z')
  const of = (text: string) => millisecondsOf(parseTimestamp(text, now))
  assert.equal(of('1h30m'), now - 5_400_000)
  assert.equal(of('2024-01-31'), new Date(2024, 0, 31).getTime())
  assert.equal(of('2024-01-31T10:00'), new Date(2024, 0, 31, 10).getTime())
  assert.equal(of('2024-01-31T10:00:05Z'), Date.UTC(2024, 0, 31, 10, 0, 5))
  assert.equal(of('2024-01-31T10:00:05+02:00'), Date.UTC(2024, 0, 31, 8, 0, 5))
  assert.equal(of('0'), 0)
  assert.equal(of('1700000000'), 1_700_000_000_000)
  assert.equal(parseTimestamp('1700000000.000000001', now), 1_700_000_000_000_000_001n)
  assert.equal(parseTimestamp('2024-01-31T10:00:05.123456789Z', now) % 1_000_000_000n, 123_456_789n)
  for (const text of ['', ' ', 'yesterday', '2024-13-01', '2024-02-30', '2024-01-31T25:00', '5d', 'NaN', '1.2.3'])
    assert.throws(() => parseTimestamp(text, now), /parsing time|failed to parse/, text)
})

test("a line of CSV is read as Go's encoding/csv reads it", () => {
  const lines: [string, string[]][] = [
    ['type=bind,source=/a', ['type=bind', 'source=/a']],
    ['type=bind,"source=/a,b"', ['type=bind', 'source=/a,b']],
    ['"a""b",c', ['a"b', 'c']],
    ['a,,b,', ['a', '', 'b', '']],
    ['""', ['']],
    [' a, b', [' a', ' b']],
    ['a\nb,c', ['a']],
    ['"a\nb",c', ['a\nb', 'c']],
  ]
  for (const [text, fields] of lines) assert.deepEqual(csvFields(text), fields, text)
  assert.throws(() => csvFields(''), /EOF/)
  assert.throws(() => csvFields('a,b"c'), /^Error: parse error on line 1, column 4: bare " in non-quoted field$/)
  for (const text of ['"a', '"a"b', '"a" ,b'])
    assert.throws(() => csvFields(text), /extraneous or missing " in quoted-field/, text)
})

test('numbers: whole ones, CPUs, yes and no', () => {
  assert.deepEqual(['5', '-5', '+7'].map(readInteger), [5, -5, 7])
  assert.throws(() => readInteger('5.5'), /^Error: strconv.ParseInt: parsing "5.5": invalid syntax$/)
  assert.throws(() => readInteger('9'.repeat(30)), /value out of range/)
  assert.deepEqual(['.5', '1.5', '2', '1/4', '0.000000001'].map(readCpus), [5e8, 1.5e9, 2e9, 2.5e8, 1])
  assert.throws(() => readCpus('0.0000000001'), /value is too precise/)
  for (const text of ['', 'x', 'NaN', 'Infinity', '1/0', '1e999'])
    assert.throws(() => readCpus(text), /rational number/, text)
  assert.deepEqual(['T', '0', 'False'].map(readBoolean), [true, false, false])
  for (const text of ['', 'yes', 'tRUE']) assert.throws(() => readBoolean(text), /ParseBool/)
})

test('an environment file that is not UTF-8 is refused with its first wrong line, as docker tells it', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1')
  assert.equal(keyValueText(Buffer.from('\uFEFFA=ö\n')), 'A=ö\n')
  assert.equal(keyValueText(bytes('')), '')
  const wrong: [text: string, words: string][] = [
    ['A=\xff\xfe\n', 'invalid utf8 bytes at line 1: [65 61 255 254]'],
    ['A=1\r\nB=\xe4\r\nC=\xe4', 'invalid utf8 bytes at line 2: [66 61 228]'],
    ['A=1\n\n\xc3', 'invalid utf8 bytes at line 3: [195]'],
    ['\xff\xfeA\0=\x001\0\n\0', 'invalid utf8 bytes at line 1: [255 254 65 0 61 0 49 0]'],
  ]
  for (const [text, message] of wrong) assert.throws(() => keyValueText(bytes(text)), { message })
})

test('environment and label files', () => {
  const text = '\uFEFF# comment\r\nA=1\r\n\n  B=with space \nHOST\nMISSING\nC="quoted"\nD=a=b\nE=\n'
  assert.deepEqual(parseEnvironmentFile(text, { HOST: 'mine' }), [
    'A=1',
    'B=with space ',
    'HOST=mine',
    'C="quoted"',
    'D=a=b',
    'E=',
  ])
  assert.deepEqual(parseLabelFile('a=1\nalone\n#x\n'), ['a=1'])
  assert.throws(() => parseEnvironmentFile('bad key=1', {}), /variable 'bad key' contains whitespaces/)
  assert.throws(() => parseEnvironmentFile('=1', {}), /no variable name on line '=1'/)
  assert.deepEqual(
    ['A=1', 'HOST', 'GONE', 'E='].map((word) => environmentEntry(word, { HOST: 'mine' })),
    ['A=1', 'HOST=mine', 'GONE', 'E='],
  )
  for (const word of ['', '=x']) assert.throws(() => environmentEntry(word, {}), /invalid environment variable/)
})

const globs: [pattern: string, text: string, fits: boolean][] = [
  ['*', 'web', true],
  ['*', 'a/b', false],
  ['*/*', 'a/b', true],
  ['w*b:?', 'wooob:1', true],
  ['w*b*c', 'wbxbc', true],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['[\\]]', ']', true],
  ['\\*', '*', true],
  ['\\*', 'x', false],
  ['a.c', 'abc', false],
  ['', '', true],
  [`${'*a'.repeat(40)}b`, 'a'.repeat(5000), false],
]

test('patterns match as Go’s path.Match, also hostile ones in no time', () => {
  for (const [pattern, text, fits] of globs) assert.equal(matchGlob(pattern, text), fits, pattern)
  assert.throws(() => matchGlob('[a', 'a'), { code: 'INVALID_ARGUMENT' })
})
