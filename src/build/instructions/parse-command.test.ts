import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDockerfile } from '../dockerfile/index.ts'
import { parseCommand } from './plan-command.ts'

const command = (text: string) => {
  const { instruction: _, ...rest } = parseCommand(parseDockerfile(text).instructions[0]!)
  return rest
}

describe('instructions are understood', () => {
  const table: [string, object][] = [
    [
      'FROM --platform=linux/amd64 a:1 AS Build',
      { kind: 'FROM', image: 'a:1', stageName: 'build', platform: 'linux/amd64' },
    ],
    [
      'ARG a b=1 c="x y"',
      {
        kind: 'ARG',
        arguments: [
          { name: 'a', value: undefined },
          { name: 'b', value: '1' },
          { name: 'c', value: '"x y"' },
        ],
      },
    ],
    [
      'ENV a=b c="d e" f=g\\ h',
      {
        kind: 'ENV',
        pairs: [
          { name: 'a', value: 'b' },
          { name: 'c', value: '"d e"' },
          { name: 'f', value: 'g\\ h' },
        ],
        isLegacy: false,
      },
    ],
    [
      'ENV name rest of  the line',
      { kind: 'ENV', pairs: [{ name: 'name', value: 'rest of  the line' }], isLegacy: true },
    ],
    ['LABEL "a b"=c', { kind: 'LABEL', pairs: [{ name: '"a b"', value: 'c' }], isLegacy: false }],
    ['CMD echo $x', { kind: 'CMD', line: { form: 'shell', text: 'echo $x' } }],
    ['ENTRYPOINT ["a","b"]', { kind: 'ENTRYPOINT', line: { form: 'exec', words: ['a', 'b'] } }],
    ['WORKDIR /a b', { kind: 'WORKDIR', text: '/a b' }],
    ['EXPOSE 80  443/udp', { kind: 'EXPOSE', words: ['443/udp', '80'] }],
    ['VOLUME ["/a b", "/c"]', { kind: 'VOLUME', words: ['/a b', '/c'] }],
    ['VOLUME /a /b', { kind: 'VOLUME', words: ['/a', '/b'] }],
    ['SHELL ["/bin/bash", "-c"]', { kind: 'SHELL', words: ['/bin/bash', '-c'] }],
    ['HEALTHCHECK NONE', { kind: 'HEALTHCHECK', healthcheck: { Test: ['NONE'] } }],
    [
      'HEALTHCHECK --interval=1m30s --timeout=500ms --retries=2 CMD curl  x',
      {
        kind: 'HEALTHCHECK',
        healthcheck: { Test: ['CMD-SHELL', 'curl  x'], Interval: 90e9, Timeout: 5e8, Retries: 2 },
      },
    ],
    ['ONBUILD RUN a b', { kind: 'ONBUILD', trigger: 'RUN a b' }],
  ]
  for (const [text, expected] of table) test(text, () => assert.deepEqual(command(text), expected))

  test('COPY with everything', () => {
    assert.deepEqual(
      command('COPY --from=b --chown=1:2 --chmod=u+x --link --parents --exclude=*.a --exclude=c x y /z/'),
      {
        ...{ kind: 'COPY', sources: ['x', 'y'], files: [], destination: '/z/', from: 'b', chown: '1:2', chmod: 'u+x' },
        ...{ link: true, parents: true, excludes: ['*.a', 'c'], checksum: undefined, unpack: undefined },
      },
    )
  })
})

describe('mistakes are refused at their place', () => {
  const table: [string, RegExp][] = [
    ['FROM', /FROM requires either one or three arguments/],
    ['FROM a b', /FROM requires either one or three arguments/],
    ['FROM a AS 1x', /invalid name for build stage: "1x"/],
    ['RUN', /RUN requires at least one argument/],
    ['RUN --network=evil x', /unsupported network "evil"/],
    ['RUN --security=none x', /unsupported security/],
    ['RUN --device=x y', /:1:5: RUN --device is not supported yet/],
    ['RUN --bogus x', /:1:5: unknown flag --bogus/],
    ['COPY a', /at least two arguments/],
    ['COPY --from=$X a b', /variable expansion is not supported for --from/],
    ['COPY --link=maybe a b', /--link expects true or false/],
    ['COPY --chown a b', /missing a value on flag --chown/],
    ['COPY --from=a --from=b c d', /duplicate flag --from/],
    ['COPY --checksum=x a b', /unknown flag --checksum/],
    ['ADD --from=x a b', /unknown flag --from/],
    ['ADD --keep-git-dir=true a b', /ADD --keep-git-dir is not supported yet/],
    ['ADD --checksum=sha256:x a b', /--checksum requires one http/],
    ['ENV a', /ENV must have two arguments/],
    ['ENV a=b c', /can't find = in "c"/],
    ['ENV =b', /names can not be blank/],
    ['SHELL bash -c', /JSON form/],
    ['WORKDIR', /WORKDIR requires at least one argument/],
    ['WORKDIR --x /a', /unknown flag --x/],
    ['VOLUME [""]', /can not be an empty string/],
    ['HEALTHCHECK', /at least one argument/],
    ['HEALTHCHECK FOO', /unknown type "FOO"/],
    ['HEALTHCHECK CMD', /missing command/],
    ['HEALTHCHECK --interval=soon CMD x', /invalid duration "soon"/],
    ['HEALTHCHECK --interval=1us CMD x', /cannot be less than 1ms/],
    ['HEALTHCHECK --retries=-1 CMD x', /--retries must be 0 or greater/],
    ['HEALTHCHECK NONE x', /takes no arguments/],
    ['ONBUILD ONBUILD RUN x', /chaining ONBUILD/],
    ['ONBUILD FROM x', /not allowed as an ONBUILD trigger/],
    ['ONBUILD COPY x', /at least two arguments/],
  ]
  for (const [text, expected] of table) test(text, () => assert.throws(() => command(text), expected))
})
