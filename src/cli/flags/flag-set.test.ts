import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VERBS } from '../verb-table.ts'
import { type Flag, FlagError, flagNames, optionName, readFlags } from './flag-set.ts'

const FLAGS: readonly Flag[] = [
  { flags: '-i, --interactive' },
  { flags: '-t, --tty' },
  { flags: '--rm' },
  { flags: '-v, --volume <SOURCE:TARGET[:ro]>' },
  { flags: '-e, --env <KEY=VALUE>' },
  { flags: '-u, --user <USER[:GROUP]>' },
  { flags: '-p, --publish <PORTS>' },
  { flags: '--network <NETWORK>', aliases: ['net'] },
  {
    flags: '-n, --last <COUNT>',
    check(value) {
      if (!/^-?\d+$/.test(value)) throw new Error('not a number')
    },
  },
]

const read = (words: readonly string[], stopAtArgument = false) => {
  const { given, args } = readFlags(FLAGS, words, { stopAtArgument })
  return [...given.map(({ flag, value }) => `${flagNames(flag).long}=${value}`), '|', ...args].join(' ')
}

test('every spelling of a flag means what it means to docker', () => {
  const cases: [string, string][] = [
    ['-v A:B --rm=true -it=false img', 'volume=A:B rm=true interactive=true tty=false | img'],
    ['-itv A:B img', 'interactive=true tty=true volume=A:B | img'],
    ['-itvA:B', 'interactive=true tty=true volume=A:B |'],
    ['-v=A:B -p=8080:80 -u=1000 -e=A=b', 'volume=A:B publish=8080:80 user=1000 env=A=b |'],
    ['-vA:B -u1000', 'volume=A:B user=1000 |'],
    ['-e -x=1 --env --rm -n -5', 'env=-x=1 env=--rm last=-5 |'],
    ['--env=--rm --env= --user=', 'env=--rm env= user= |'],
    ['-v= -u x', 'volume== user=x |'],
    ['--rm=0 --rm=T --rm', 'rm=false rm=true rm=true |'],
    ['--net host --net=none', 'network=host network=none |'],
    ['a --rm b -- --rm -x', 'rm=true | a b --rm -x'],
    ['- --rm', 'rm=true | -'],
    ['--user a --user b', 'user=a user=b |'],
  ]
  for (const [words, want] of cases) assert.equal(read(words.split(' ')).trim(), want, words)
  assert.equal(read(['', '--rm']), 'rm=true | ')
  assert.equal(read(['-v', '']), 'volume= |')
})

test('behind the first argument of run all words are its own', () => {
  assert.equal(read(['-it', 'img', 'ls', '-l', '--rm'], true), 'interactive=true tty=true | img ls -l --rm')
  assert.equal(read(['--', 'img', '--rm'], true), '| img --rm')
  assert.equal(read(['img', '--', '--rm'], true), '| img -- --rm')
})

test("mistakes are told in docker's words", () => {
  const cases: [string[], string][] = [
    [['--nosuch'], 'unknown flag: --nosuch'],
    [['--nosuch=1'], 'unknown flag: --nosuch'],
    [['-itx'], "unknown shorthand flag: 'x' in -x"],
    [['-xit'], "unknown shorthand flag: 'x' in -xit"],
    [['--volume'], 'flag needs an argument: --volume'],
    [['--net'], 'flag needs an argument: --net'],
    [['-itv'], "flag needs an argument: 'v' in -v"],
    [['--=x'], 'bad flag syntax: --=x'],
    [['---x'], 'bad flag syntax: ---x'],
    [['--rm=maybe'], 'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
    [['-it=7'], 'invalid argument "7" for "-t, --tty" flag: strconv.ParseBool: parsing "7": invalid syntax'],
    [['--last=many'], 'invalid argument "many" for "-n, --last" flag: not a number'],
  ]
  for (const [words, message] of cases) {
    assert.throws(
      () => read(words),
      (error) => error instanceof FlagError && error.message === message,
      words.join(' '),
    )
  }
})

test('property: what is written in any of the spellings is read back as it was meant', () => {
  const word = fc.string({ unit: fc.constantFrom(...'ab-=:, "\\é') })
  const valued = fc.record({
    flag: fc.constantFrom(...FLAGS.filter((flag) => flagNames(flag).takesValue && !flag.check)),
    value: word,
    form: fc.nat(3),
  })
  const switched = fc.record({
    flag: fc.constantFrom(...FLAGS.filter((flag) => !flagNames(flag).takesValue)),
    value: fc.boolean(),
    form: fc.nat(3),
  })
  const argument = word.filter((text) => !text.startsWith('-') || text === '-')
  const item = fc.oneof(valued, switched, argument)
  const spell = ({ flag, value, form }: { flag: Flag; value: string | boolean; form: number }): string[] => {
    const { short, long } = flagNames(flag)
    if (typeof value === 'boolean') return value && form > 1 ? [`--${long}`] : [`--${long}=${value}`]
    if (short === undefined || form === 0) return [`--${long}=${value}`]
    if (form === 1) return [`--${long}`, value]
    // Stuck to its letter a value must not be empty, nor begin with what would be taken away.
    return form === 2 && value !== '' ? [`-${short}=${value}`] : [`-${short}`, value]
  }
  fc.assert(
    fc.property(fc.array(item), fc.array(word), (items, tail) => {
      const words = items.flatMap((one) => (typeof one === 'string' ? [one] : spell(one)))
      const { given, args } = readFlags(FLAGS, [...words, '--', ...tail])
      const meant = items.filter((one) => typeof one !== 'string').map(({ flag, value }) => ({ flag, value }))
      assert.deepEqual(given, meant)
      assert.deepEqual(args, [...items.filter((one) => typeof one === 'string'), ...tail])
    }),
    { numRuns: 1000 },
  )
})

test('property: no words end in anything but flags, arguments and a FlagError', () => {
  const words = fc.array(fc.string({ unit: fc.constantFrom(...'-=itvnrm\u{1f600} \0') }))
  fc.assert(
    fc.property(words, fc.boolean(), (argv, stopAtArgument) => {
      try {
        const { given, args } = readFlags(FLAGS, argv, { stopAtArgument })
        assert.ok(given.length + args.length <= argv.join(' ').length + argv.length)
      } catch (error) {
        assert.ok(error instanceof FlagError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('the table of every verb is in the notation, and no name means two flags', async () => {
  for (const { names, load } of VERBS) {
    const { verb } = await load()
    const seen = new Set<string>()
    for (const flag of verb.options) {
      const { short, long } = flagNames(flag)
      for (const name of [long, ...(flag.aliases ?? []), ...(short === undefined ? [] : [short])]) {
        assert.ok(!seen.has(name), `${names[0]}: ${name}`)
        seen.add(name)
      }
      assert.match(optionName(flag), /^[a-z][A-Za-z0-9]*$/)
    }
  }
})
