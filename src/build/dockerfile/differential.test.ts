/** The own parser against dockerfile-ast, an editor's parser by other people: boundaries, keywords, flags, heredocs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DockerfileParser } from 'dockerfile-ast'
import fc from 'fast-check'
import { parseDockerfile } from './parse-dockerfile.ts'

const ours = (text: string) =>
  parseDockerfile(text).instructions.map(({ keyword, range, flags, heredocs }) => ({
    keyword,
    line: range.start.line,
    flags: flags.map(({ name, value }) => `${name}=${value ?? ''}`),
    heredocs: heredocs.map((heredoc) => heredoc.name),
  }))

interface Theirs {
  getFlags?(): { getName(): string; getValue(): string | null }[]
  getHeredocs?(): { getName(): string }[]
}

const theirs = (text: string) =>
  DockerfileParser.parse(text)
    .getInstructions()
    .map((instruction) => {
      const { getFlags, getHeredocs } = instruction as unknown as Theirs
      return {
        keyword: instruction.getKeyword(),
        line: instruction.getRange().start.line + 1,
        flags: getFlags?.call(instruction).map((flag) => `${flag.getName()}=${flag.getValue() ?? ''}`) ?? [],
        heredocs: getHeredocs?.call(instruction).map((heredoc) => heredoc.getName()) ?? [],
      }
    })

const blank = fc.constantFrom(' ', '  ', '\t', ' \\\n  ', ' \\\n# comment\n  ')
const joined = (parts: fc.Arbitrary<string>[]) =>
  fc
    .tuple(fc.tuple(...parts), fc.array(blank, { minLength: parts.length, maxLength: parts.length }))
    .map(([words, blanks]) => words.map((word, index) => (index ? blanks[index] : '') + word).join(''))
const word = fc.constantFrom('a', '/b', 'c.d', '"e f"', '$g', '&&', '#h')
const instruction = fc.oneof(
  joined([fc.constantFrom('RUN', 'run', 'Run'), word, word]),
  joined([
    fc.constant('RUN'),
    fc.constantFrom('--mount=type=cache,target=/x', '--network=none'),
    fc.constant('--mount=type=tmpfs,target=/y'),
    word,
  ]),
  joined([
    fc.constantFrom('COPY', 'ADD'),
    fc.constantFrom('--chown=1:2', '--link', '--chmod=755'),
    fc.constant('--exclude=x'),
    word,
    fc.constant('/z'),
  ]),
  joined([fc.constantFrom('ENV', 'LABEL'), fc.constantFrom('a=b', 'a="b c"')]),
  fc.constantFrom('CMD ["a", "b"]', 'WORKDIR /a', 'USER b', 'EXPOSE 80', 'VOLUME /v', 'STOPSIGNAL TERM'),
  fc.constantFrom(
    'RUN <<EOF\nx\nFROM y\nEOF',
    'RUN cat <<-A <<"B"\n\t1\n\tA\n2\nB',
    'COPY <<EOF /x\n# body\n\nEOF',
    'RUN echo "<<EOF"',
  ),
  fc.constantFrom('# comment', '', '  # indented'),
)
const dockerfile = fc
  .tuple(
    fc.constantFrom('', '# syntax=docker/dockerfile:1\n', '\n# hello\n'),
    fc.array(instruction, { maxLength: 8 }),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([head, body, end]) => `${head}FROM base AS x\n${body.join('\n')}\n`.replaceAll('\n', end))

test('both parsers see the same instructions, flags and heredocs', () => {
  fc.assert(
    fc.property(dockerfile, (text) => assert.deepEqual(ours(text), theirs(text))),
    { numRuns: 300 },
  )
})
