// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile words
/** Whole builds: stages, RUN, mounts, cache, failures, over real layers, mounts and runc. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readTextSync } from '#host/file'
import { imageName, parseReference } from '#spec'
import { type BuildKit, buildKit, cannotRunContainers, failure, type KitResult } from '../../test/kit/build-kit.ts'
import { build } from './build.ts'
import { pruneCacheMounts } from './steps/index.ts'

const skip = cannotRunContainers()

describe('build', { skip }, () => {
  let kit: BuildKit
  before(async () => {
    kit = await buildKit()
  })
  after(async () => {
    await kit?.[Symbol.asyncDispose]()
  })
  const states = ({ steps }: KitResult) =>
    Object.entries(steps)
      .filter(([name]) => !name.includes('] FROM'))
      .map(([, state]) => state)
  /** Mounts, scratch directories and memory of builds. */
  const leftovers = () => [
    ...readTextSync('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => /\/run\/(?:rootfs|builds)\//.test(line) && line.includes(kit.directory)),
    ...readdirSync(join(kit.directory, 'store/tmp')),
  ]

  test('a second build with nothing changed executes nothing and is the same image', async () => {
    const context = await kit.context({ f: 'x' })
    const text =
      'FROM base AS b\nRUN echo b > /b\nFROM base\nARG A=1\nWORKDIR /w\nCOPY --from=b /b .\nCOPY f .\nRUN echo $A\nENV x=y\nCMD ["c"]'
    const first = await kit.build(text, { context })
    assert.deepEqual(states(first), ['done', 'done', 'done', 'done', 'done'])
    const second = await kit.build(text, { context })
    assert.deepEqual(states(second), ['cached', 'cached', 'cached', 'cached', 'cached'])
    assert.equal(second.output, '')
    assert.equal(second.image.configDescriptor.digest, first.image.configDescriptor.digest)
    const { steps } = await kit.build(text, { context, noCacheStages: ['B'] })
    assert.deepEqual([steps['[b 2/2] RUN echo b > /b'], steps['[stage-1 4/5] COPY f .']], ['done', 'cached'])
  })

  test('the record of a build has all that the result was made of, behind its inputs, from the cache as well', async () => {
    const context = await kit.context({ f: 'x' })
    const text = `FROM base AS unused
RUN echo unused
FROM base AS tools
RUN echo made \\
    > /made
FROM scratch
COPY --from=tools /made /
COPY f /
`
    const options = {
      context: { kind: 'directory', path: context },
      dockerfile: { kind: 'text', text, name: 'Dockerfile' },
      network: 'none',
    } as const
    await using first = await build(kit.machine, options)
    await using second = await build(kit.machine, { ...options, sourceDateEpoch: 5 })
    await using again = await build(kit.machine, options)
    const { record, image } = first
    assert.deepEqual(record.dockerfile, { name: 'Dockerfile', text })
    assert.deepEqual([record.sourceDateEpoch, second.record.sourceDateEpoch], [undefined, 5])
    assert.deepEqual(again.record, record)
    const ids = record.steps.map(({ node }) => node.id)
    assert.deepEqual(
      ids.toSorted(),
      ['1', '1.2', '2', '2.1', '2.2', 'context', ids.find((id) => id.startsWith('image')), 'scratch'].toSorted(),
    )
    for (const [at, { node }] of record.steps.entries())
      for (const input of node.inputs) assert.ok(ids.indexOf(input) < at, `${input} is before ${node.id}`)
    const step = (id: string) => record.steps.find(({ node }) => node.id === id)
    assert.deepEqual(step('1.2')?.lines, { first: 4, last: 5 })
    assert.equal(step('context')?.layers, undefined)
    assert.deepEqual(step('2')?.layers, image.config.rootfs.diff_ids)
    assert.deepEqual(step('2.1')?.layers, image.config.rootfs.diff_ids.slice(0, 1))
  })

  test('what counts for the cache of RUN, and what does not', async () => {
    const text = (head: string, tail = 'RUN echo x') => `ARG G=1\nFROM base\n${head}\n${tail}`
    const run = async (dockerfile: string, options: Parameters<BuildKit['build']>[1] = {}) =>
      states(await kit.build(dockerfile, options)).at(-1)
    assert.equal(await run(text('')), 'done')
    // Not: labels, ports, commands, comments, undeclared global arguments, undeclared proxies.
    assert.equal(await run(text('LABEL a=b\nEXPOSE 80\nCMD x\n# comment\nVOLUME /v')), 'cached')
    assert.equal(
      await run(text(''), {
        buildArguments: new Map([
          ['G', '2'],
          ['HTTP_PROXY', 'http://p'],
        ]),
      }),
      'cached',
    )
    // Counts: environment and arguments in scope, USER, WORKDIR, SHELL, the text, a heredoc's body.
    for (const head of ['ENV e=1', 'ARG a=1', 'USER 1', 'WORKDIR /tmp', 'SHELL ["/bin/sh", "-ec"]'])
      assert.equal(await run(text(head)), 'done', head)
    assert.equal(await run(text('ARG a=1'), { buildArguments: new Map([['a', '2']]) }), 'done')
    assert.equal(await run(text('', 'RUN <<E\necho 1\nE')), 'done')
    assert.equal(await run(text('', 'RUN <<E\necho 2\nE')), 'done')
    assert.equal(await run(text('', 'RUN <<E\necho 1\nE')), 'cached')
    // The same words over another base, or for another network, are another step (B11).
    assert.equal(await run(text('RUN touch /base-differs')), 'done')
    assert.equal(await run(text('', 'RUN --network=none echo x'), { network: 'none' }), 'cached')
    assert.equal(await run(text(''), { noCache: true }), 'done')
  })

  test('RUN in shell, exec and heredoc form', async () => {
    const { output } = await kit.build(
      'FROM base\nENV n=v\nRUN echo "$n" \\\n  # comment\n  two\nRUN ["echo", "$n"]\nRUN <<EOF\necho script\nn=1; echo $n\nEOF\nRUN <<EOF cat && echo after\nbody $n\nEOF\n' +
        'RUN <<-EOF\n\t#!/bin/busybox sh\n\techo "by $0"\nEOF\nSHELL ["/bin/busybox", "sh", "-c"]\nRUN echo shell',
    )
    assert.equal(output, 'v two\n$n\nscript\n1\nbody v\nafter\nby /dev/pipes/EOF\nshell\n')
  })

  test('the name of a heredoc leads nowhere, whatever it is (B14)', async () => {
    const name = '../../../../../../escaped'
    const text = `FROM base\nRUN <<${name}\n#!/bin/sh\necho by $0\n${name}\nCOPY <<${name} /d/\nin d\n${name}\nRUN ls / /d`
    const { output } = await kit.build(text)
    assert.match(output, /^by \/dev\/pipes\/escaped\n/)
    assert.match(output, /\/d:\nescaped\n$/)
    assert.equal(output.split('escaped').length, 3, 'in /d only')
    const places = execFileSync('find', [kit.directory, '-xdev', '-name', 'escaped'], { encoding: 'utf8' })
    assert.equal(places, '')
  })

  test('history has the words of BuildKit, RUN lists the arguments, a RUN that changes nothing has a layer', async () => {
    const context = await kit.context({ f: '' })
    const { image } = await kit.build(
      'FROM base\nARG A=1\nARG B\nRUN true\nRUN ["true"]\nCOPY --chown=1 --chmod=600 f <<E /d/\nE\nADD f /e',
      { context },
    )
    assert.deepEqual(
      image.config.history!.slice(1).map(({ created_by, empty_layer }) => [created_by, empty_layer === true]),
      [
        ['ARG A=1', true],
        ['ARG B', true],
        ['RUN |2 A=1 B= /bin/sh -c true # buildkit', false],
        ['RUN |2 A=1 B= true # buildkit', false],
        ['COPY --chown=1 --chmod=600 f <<E /d/ # buildkit', false],
        ['ADD f /e # buildkit', false],
      ],
    )
    assert.equal(image.config.rootfs.diff_ids.length, 5)
    assert.equal(image.config.rootfs.diff_ids[1], image.config.rootfs.diff_ids[2])
  })

  test('nothing of the mounts enters the layer; what RUN deletes and makes anew does', async () => {
    const { image } = await kit.build(
      'FROM base\nRUN mkdir -p /d/old && touch /d/old/x /d/gone\nRUN --mount=type=tmpfs,target=/made/for/mount --mount=type=cache,target=/c true',
    )
    assert.deepEqual(await kit.lastLayer(image), [])
    const context = await kit.context({ f: '' })
    const linked = await kit.build(
      'FROM base\nRUN mkdir /real && ln -s real /link && ln -s /no/where /dangling && ln -s /no/file /file\n' +
        'RUN --mount=type=cache,target=/link/c --mount=type=tmpfs,target=/link/t/u --mount=source=f,target=/link/f ' +
        '--mount=type=cache,target=/dangling/c --mount=source=f,target=/file true',
      { context },
    )
    assert.deepEqual(await kit.lastLayer(linked.image), [], 'also through links, and through such that lead to nothing')
    const again = await kit.build(
      'FROM base\nRUN mkdir -p /d/old && touch /d/old/x /d/gone\nRUN rm -r /d && mkdir /d && touch /d/new && cat /etc/hosts > /copy',
    )
    assert.equal(await kit.inspect(again.image, 'ls /d; test -s /copy && ls /etc | grep -c hosts || true'), 'new\n1\n')
    assert.ok((await kit.lastLayer(again.image)).every((line) => !line.includes('etc/')))
  })

  test('writes below a VOLUME are kept', async () => {
    const { image } = await kit.build('FROM base\nVOLUME /v\nRUN mkdir -p /v && echo kept > /v/f')
    assert.equal(await kit.inspect(image, 'cat /v/f'), 'kept\n')
  })

  test('only the stages that the target needs are built; ARG values go on in a stage made FROM it', async () => {
    const result = await kit.build(
      'FROM base AS a\nARG V=inherited\nRUN echo a\nFROM base AS unneeded\nRUN exit 1\nFROM a AS c\nRUN echo "got $V"\nFROM c AS d\nRUN exit 1',
      { target: 'C' },
    )
    assert.equal(result.output, 'a\ngot inherited\n')
    assert.deepEqual(Object.keys(result.steps), [
      '[a 1/2] FROM docker.io/library/base:latest',
      '[a 2/2] RUN echo a',
      '[c 1/1] RUN echo "got inherited"',
    ])
  })

  test('FROM takes arguments, scratch, and names the stage that is missing a base', async () => {
    const { image } = await kit.build(
      'ARG B=base\nARG T\nFROM ${B}${T:-} AS x\nFROM scratch\nCOPY --from=x /etc/group /g',
    )
    assert.deepEqual(await kit.lastLayer(image).then((lines) => lines.length), 1)
    assert.deepEqual(image.config.history!.length, 1)
    assert.match(
      (await failure(kit.build('ARG B\nFROM $B'))).message,
      /Dockerfile:2:1: base name \(\$B\) should not be blank/,
    )
    const missing = await failure(kit.build('FROM no-such-base'))
    assert.equal(missing.code, 'IMAGE_NOT_FOUND')
    assert.match(missing.message, /^Dockerfile:1:1: /)
  })

  test('triggers of a base run once and are gone from the image; a stage inherits those of its stage', async () => {
    const base = await kit.build(
      'FROM base\nONBUILD RUN echo triggered $0 > /t\nONBUILD COPY <<E /h\nfrom trigger\nE\nONBUILD ENV t=1',
    )
    assert.deepEqual(base.image.config.config?.OnBuild?.length, 3)
    const stored = await kit.store.images.get(base.image.configDescriptor.digest)
    await kit.store.images.setName(imageName(parseReference('trigger')), stored!.descriptor)
    const { image, steps } = await kit.build('FROM trigger\nRUN echo "t=$t"')
    assert.equal(await kit.inspect(image, 'cat /t /h'), 'triggered /bin/sh\nfrom trigger\n')
    assert.equal(image.config.config?.OnBuild, undefined)
    assert.equal(Object.keys(steps).length, 4)
  })

  describe('a step that fails', () => {
    test('tells file, line, exit code, command and last lines; nothing stays', async () => {
      const error = await failure(
        kit.build('FROM base\n\nRUN for i in $(seq 30); do echo line $i; done; \\\n  exit 42\n'),
      )
      assert.equal(error.code, 'BUILD_FAILED')
      assert.match(
        error.message,
        /^Dockerfile:3:1: process "\/bin\/sh -c for .* exit 42" did not complete successfully: exit code: 42\n {2}3 \| RUN for/,
      )
      assert.match(error.message, /last lines of its output:\n {2}line 11\n[\s\S]*line 30$/)
      assert.deepEqual([error.details['line'], error.details['exitCode']], [3, 42])
      assert.deepEqual(leftovers(), [])
    })
    test('a command that is not there is exit code 127, an unknown USER fails at RUN', async () => {
      assert.match((await failure(kit.build('FROM base\nRUN ["nope"]'))).message, /exit code: 127/)
      assert.match(
        (await failure(kit.build('FROM base\nUSER nobody-knows\nRUN true'))).message,
        /Dockerfile:3:1: .*nobody-knows/,
      )
    })
    test('the other stages are stopped and undone before the failure is there', async () => {
      const error = await failure(
        kit.build(
          // The stage that fails waits for the other one, which would never end by itself.
          `FROM base AS slow
RUN --mount=type=cache,id=both,target=/c touch /c/runs; sleep 100000
FROM base AS bad
RUN --mount=type=cache,id=both,target=/c until [ -e /c/runs ]; do sleep 0.1; done; exit 5
FROM base
COPY --from=slow / /a
COPY --from=bad / /b`,
        ),
      )
      assert.match(error.message, /^Dockerfile:4:1: .*exit code: 5/)
      assert.deepEqual(leftovers(), [])
      assert.doesNotMatch(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }), /^sleep 100000$/m)
    })
    test('cancelling kills the whole tree and leaves no mounts; more output than 2 MiB is cut (B13)', async () => {
      const control = new AbortController()
      const building = kit.build('FROM base\nRUN sleep 61 & yes', {
        signal: control.signal,
        progress: (event) => event.kind === 'output' && control.abort(new Error('enough')),
      })
      assert.equal((await failure(building)).code, 'ABORTED')
      assert.deepEqual(leftovers(), [])
      assert.doesNotMatch(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }), /^(?:sleep 61|yes)$/m)
      const { output } = await kit.build('FROM base\nRUN yes | head -c 3000000')
      assert.ok(output.length < 2.1e6)
      assert.match(output, /output clipped, log limit 2MiB reached/)
    })
  })

  describe('RUN --mount', () => {
    test('bind: read-only, filtered by .dockerignore, keyed by content; writes to a writable one are thrown away', async () => {
      const context = await kit.context({ 'd/f': 'one', 'd/hidden': '', '.dockerignore': '**/hidden' })
      const text = 'FROM base\nRUN --mount=target=/m,source=d cat /m/f; ls /m; touch /m/x 2>/dev/null || echo ro'
      const first = await kit.build(text, { context })
      assert.equal(first.output, 'onef\nro\n')
      writeFileSync(join(context, 'other'), 'not bound')
      assert.deepEqual(states(await kit.build(text, { context })), ['cached'])
      writeFileSync(join(context, 'd/f'), 'two')
      assert.deepEqual(states(await kit.build(text, { context })), ['done'])
      const written = await kit.build(
        'FROM base\nRUN --mount=target=/m,rw echo x > /m/new && ls /m\nRUN --mount=target=/m,rw ls /m',
        { context },
      )
      assert.equal(written.output, 'd\nnew\nother\nd\nother\n')
      assert.equal(existsSync(join(context, 'new')), false)
    })
    test('the files of a bind mount or of a tar context do not stay in the store, also when the step fails', async () => {
      const context = await kit.context({ big: 'x'.repeat(100_000) })
      const tar = execFileSync('tar', ['-c', '-C', context, 'big'])
      const layers = async () => (await kit.store.layers.list()).map(({ diffId }) => diffId)
      const before = await layers()
      const mounting = 'FROM base\nRUN --mount=target=/m,rw true'
      await kit.build(mounting, { context })
      await failure(kit.build(`${mounting} && exit 3`, { context }))
      const stream = { kind: 'stream' as const, stream: Readable.from([tar]) }
      await using _built = await build(kit.machine, {
        context: stream,
        dockerfile: { kind: 'text', text: 'FROM base\nUSER 1', name: 'Dockerfile' },
        network: 'none',
      })
      await _built[Symbol.asyncDispose]()
      const added = (await layers()).filter((layer) => !before.includes(layer))
      assert.deepEqual(added, [], 'the step itself changed nothing')
    })
    test('bind from a stage or image is resolved inside it, also through links (B06)', async () => {
      const { output } = await kit.build(
        'FROM base AS s\nRUN mkdir /in && echo inside > /in/f && ln -s / /in/root && ln -s /in/f /link\nFROM base\nRUN --mount=from=s,source=/in/root,target=/m cat /m/in/f\nRUN --mount=from=s,source=link,target=/file cat /file\nRUN --mount=from=base,target=/b ls /b/etc',
      )
      assert.equal(output, 'inside\ninside\ngroup\npasswd\n')
    })
    test('cache: kept between builds by id, with mode and owner; locked is one at a time; the id is no path (B01)', async () => {
      const run = (id: string, word: string) =>
        kit.build(
          `FROM base\nRUN --mount=type=cache,id=${id},target=/c,uid=5,mode=0700,sharing=locked stat -c '%u %a' /c; cat /c/f 2>/dev/null; echo ${word} > /c/f`,
        )
      assert.equal((await run('../../evil', 'one')).output, '5 700\n')
      assert.equal((await run('../../evil', 'two')).output, '5 700\none\n')
      assert.equal((await run('other', 'three')).output, '5 700\n')
      assert.ok(
        readdirSync(join(kit.directory, 'store/cache-mounts')).every((name) => /^[0-9a-f]{64}(?:\.use)?$/.test(name)),
      )
      const both = await Promise.all(
        ['a', 'b'].map((word) =>
          kit.build(
            `FROM base\nRUN --mount=type=cache,target=/l,sharing=locked test ! -e /l/held && touch /l/held && sleep 0.3 && rm /l/held && echo ${word}`,
          ),
        ),
      )
      assert.deepEqual(
        both.map(({ output }) => output),
        ['a\n', 'b\n'],
      )
      assert.ok((await pruneCacheMounts(join(kit.directory, 'store'))) > 0)
      assert.deepEqual(readdirSync(join(kit.directory, 'store/cache-mounts')), [])
    })
    test('cache with from= begins with the files of a stage, an image or a context, and goes on from there', async () => {
      const context = await kit.context({ 'd/f': 'mine\n', 'd/g': '' })
      const text = `FROM base AS s
RUN mkdir -p /in/sub && echo one > /in/sub/f && chown 7:8 /in/sub/f && ln -s in /link
FROM base
RUN --mount=type=cache,id=filled,from=s,source=/link/sub,target=/c stat -c '%u %g' /c/f && cat /c/f && echo $RANDOM > /c/f
RUN --mount=type=cache,id=filled,from=s,source=/link/sub,target=/c test "$(cat /c/f)" != one && echo kept
RUN --mount=type=cache,id=filled,target=/c ls /c
RUN --mount=type=cache,id=filled,from=x,source=d,target=/c ls /c`
      const buildContexts = new Map([['x', context]])
      assert.equal((await kit.build(text, { buildContexts })).output, '7 8\none\nkept\nf\ng\n')
      assert.match(
        (await failure(kit.build('FROM base\nRUN --mount=type=cache,from=base,source=/etc/passwd,target=/c true')))
          .message,
        /Dockerfile:2:1: .*is not a directory/,
      )
    })
    test('two stages that take two locked caches in opposite order both end', async () => {
      const stage = (name: string, first: string, second: string) =>
        `FROM base AS ${name}\nRUN --mount=type=cache,id=${first},target=/1,sharing=locked --mount=type=cache,id=${second},target=/2,sharing=locked --mount=type=cache,id=${first},target=/3,sharing=locked echo ${name} > /1/f; cat /3/f; sleep 0.1\n`
      const text = `${stage('x', 'la', 'lb')}${stage('y', 'lb', 'la')}FROM base\nCOPY --from=x /bin/sh /x\nCOPY --from=y /bin/sh /y`
      const both = await Promise.all([kit.build(text, { noCache: true }), kit.build(text, { noCache: true })])
      for (const { output } of both) assert.deepEqual(output.trim().split('\n').sort(), ['x', 'y'])
    })
    test('tmpfs has its size; ssh that is not required is left out, one that is required is refused', async () => {
      assert.match(
        (await kit.build('FROM base\nRUN --mount=type=tmpfs,target=/t,size=1m --mount=type=ssh df -k /t')).output,
        /1024 /,
      )
      assert.match(
        (await failure(kit.build('FROM base\nRUN --mount=type=ssh,required true'))).message,
        /Dockerfile:2:1: .*ssh,required is not supported/,
      )
    })
    test('a secret without target lies below the base name of its id', async () => {
      const secrets = [{ id: 'dir/key', read: async () => Buffer.from('k') }]
      const text = 'FROM base\nRUN --mount=type=secret,id=dir/key cat /run/secrets/key'
      assert.equal((await kit.build(text, { secrets })).output, 'k')
    })
    test('a secret is a file or a variable of its step, and nowhere else (B09)', async () => {
      const canary = `canary-${crypto.randomUUID()}`
      let asked = 0
      const secrets = [{ id: 'k', read: async () => Buffer.from(canary, asked++ < 9 ? 'utf8' : 'latin1') }]
      const text =
        'FROM base\nRUN --mount=type=secret,id=k,mode=0440,uid=3 stat -c "%u %a" /run/secrets/k; wc -c < /run/secrets/k\nRUN --mount=type=secret,id=k,env=TOKEN,target=/x/y test "$TOKEN" = "$(cat /x/y)" && echo same\nRUN ls -d /run /x 2>/dev/null; echo "[$TOKEN]"'
      const { output, image } = await kit.build(text, { secrets })
      assert.equal(output, `3 440\n${canary.length}\nsame\n[]\n`)
      assert.equal(asked, 1, 'read once for all steps: it may be a pipe')
      const found = spawnSync('grep', ['-rlaF', canary, kit.directory], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter(Boolean)
      assert.deepEqual(found, [])
      assert.ok(!JSON.stringify(image.config).includes(canary))
      const changed = [{ id: 'k', read: async () => Buffer.from('other') }]
      assert.deepEqual(states(await kit.build(text, { secrets: changed })), ['cached', 'cached', 'cached'])
      assert.match(
        (await failure(kit.build('FROM base\nRUN --mount=type=secret,id=none,required true'))).message,
        /secret none: not found/,
      )
      assert.equal(
        (await kit.build('FROM base\nRUN --mount=type=secret,id=none ls /run/secrets 2>/dev/null || echo none')).output,
        'none\n',
      )
    })
  })

  test('a frontend named by an argument is refused as well (B04)', async () => {
    const buildArguments = new Map([['BUILDKIT_SYNTAX', 'evil/frontend']])
    assert.equal((await failure(kit.build('FROM base', { buildArguments }))).code, 'UNSUPPORTED')
  })

  test('walls are opened only with a word on the command line (B03)', async () => {
    const insecure = await failure(kit.build('FROM base\nRUN --security=insecure true'))
    assert.match(insecure.message, /Dockerfile:2:1: security\.insecure is not allowed/)
    assert.deepEqual(insecure.next, { act: 'allow', entitlement: 'security.insecure' })
    assert.match(
      (await failure(kit.build('FROM base\nRUN --network=host true'))).message,
      /network\.host is not allowed/,
    )
    const text = 'FROM base\nRUN --security=insecure grep CapEff /proc/self/status\nRUN grep CapEff /proc/self/status'
    const { output } = await kit.build(text, { allow: ['security.insecure'] })
    const [all, few] = output.match(/[0-9a-f]{16}/g)!
    assert.equal(few, '00000000a80425fb')
    assert.notEqual(all, few)
  })

  test('hosts, proxies, shm size and hostname reach RUN', async () => {
    const { output, image } = await kit.build(
      'FROM base\nRUN grep db /etc/hosts; echo $HTTP_PROXY; hostname; df -k /dev/shm | tail -1',
      { hosts: ['db:10.1.2.3'], shmSize: 3 << 20, buildArguments: new Map([['HTTP_PROXY', 'http://proxy']]) },
    )
    assert.match(output, /^10\.1\.2\.3\s+db\nhttp:\/\/proxy\nbuildkitsandbox\n.* 3072 /)
    assert.ok(!JSON.stringify(image.config).includes('proxy'))
  })

  test('SOURCE_DATE_EPOCH makes the same image twice: config, history and file times', async () => {
    const context = await kit.context({ f: 'x' })
    const text = 'FROM base\nRUN mkdir /a && echo x > /a/f\nWORKDIR /w\nCOPY f .\nCOPY <<E /e\nE'
    const options = { context, noCache: true, sourceDateEpoch: 1_700_000_000 }
    const one = await kit.build(text, options)
    const two = await kit.build(text, options)
    assert.equal(one.image.configDescriptor.digest, two.image.configDescriptor.digest)
    assert.equal(one.image.config.created, '2023-11-14T22:13:20.000Z')
    assert.equal(await kit.inspect(one.image, 'stat -c %Y /a/f /w /w/f /e | sort -u'), '1700000000\n')
    const argument = await kit.build(text, { context, buildArguments: new Map([['SOURCE_DATE_EPOCH', '1600000000']]) })
    assert.equal(argument.image.config.created, '2020-09-13T12:26:40.000Z')
    assert.deepEqual(argument.warnings, [])
  })

  test('FROM a directory: its files are the first layer; steps on it are cached by content', async () => {
    const files = await kit.context({ 'etc/f': 'one', '.dockerignore': 'hidden', hidden: '' })
    const text =
      'FROM files AS s\nCOPY --from=files etc/f /copy\nFROM base\nCOPY --from=s / /out/\nRUN find /out -type f | sort'
    const first = await kit.build(text, { buildContexts: new Map([['files', files]]) })
    assert.equal(first.output, '/out/.dockerignore\n/out/copy\n/out/etc/f\n')
    utimesSync(join(files, 'etc/f'), 1, 1)
    const second = await kit.build(text, { buildContexts: new Map([['files', files]]) })
    assert.deepEqual(
      states(second),
      states(second).map(() => 'cached'),
    )
    writeFileSync(join(files, 'etc/f'), 'two')
    const third = await kit.build(text, { buildContexts: new Map([['files', files]]) })
    assert.ok(states(third).includes('done'))
  })

  describe('contexts', () => {
    const stream = (bytes: Uint8Array) =>
      (async function* () {
        yield bytes
      })()
    const steps = (options: Parameters<typeof build>[1]) => build(kit.machine, { network: 'none', ...options })

    test('a tar on stdin keeps its owners; its .dockerignore and Dockerfile count; a Dockerfile may come alone', async () => {
      const directory = await kit.context({
        Dockerfile: 'FROM base\nCOPY . /c',
        f: '',
        skip: '',
        '.dockerignore': 'skip',
        'sub/x.Dockerfile': 'FROM base\nCOPY . /d',
        'sub/x.Dockerfile.dockerignore': 'f',
      })
      const tar = gzipSync(execFileSync('tar', ['--owner=7', '--group=8', '-C', directory, '-c', '.']))
      {
        await using built = await steps({ context: { kind: 'stream', stream: stream(tar) } })
        assert.equal(
          await kit.inspect(built.image, 'cd /c; stat -c "%n %u:%g" f; ls -A'),
          'f 7:8\n.dockerignore\nDockerfile\nf\nsub\n',
        )
      }
      {
        await using built = await steps({
          context: { kind: 'stream', stream: stream(tar) },
          dockerfile: { kind: 'path', path: 'sub/x.Dockerfile' },
        })
        assert.equal(await kit.inspect(built.image, 'ls /d'), 'Dockerfile\nskip\nsub\n')
      }
      await using alone = await steps({
        context: { kind: 'stream', stream: stream(Buffer.from('FROM base\nLABEL a=b')) },
      })
      assert.deepEqual(alone.image.config.config?.Labels, { a: 'b' })
      const error = await failure(
        steps({ context: { kind: 'stream', stream: stream(Buffer.from('FROM base\nCOPY f /')) } }),
      )
      assert.match(error.message, /none: only a Dockerfile was given/)
    })

    test('a Dockerfile or .dockerignore that is a link out of the context is not read (B07)', async () => {
      writeFileSync(join(kit.directory, 'outside.Dockerfile'), 'FROM base')
      const context = await kit.context({ Dockerfile: { link: '../outside.Dockerfile' } })
      assert.match(
        (await failure(steps({ context: { kind: 'directory', path: context } }))).message,
        /no Dockerfile in/,
      )
      await using named = await steps({
        context: { kind: 'directory', path: context },
        dockerfile: { kind: 'path', path: join(kit.directory, 'outside.Dockerfile') },
      })
      assert.equal(named.image.config.rootfs.diff_ids.length, 1)
      assert.match(
        (await failure(steps({ context: { kind: 'directory', path: join(kit.directory, 'nowhere') } }))).message,
        /path ".*nowhere" not found/,
      )
    })

    test('named contexts are directories and images, and win over stages', async () => {
      const extra = await kit.context({ f: 'extra', ignored: '', '.dockerignore': 'ignored' })
      const buildContexts = new Map([
        ['more', extra],
        ['alias', 'docker-image://base'],
      ])
      const { output } = await kit.build(
        'FROM alias AS more\nCOPY --from=more . /m\nRUN --mount=from=more,target=/b ls -A /m /b',
        { buildContexts },
      )
      assert.equal(output, '/b:\n.dockerignore\nf\n\n/m:\n.dockerignore\nf\n')
      assert.match(
        (await failure(kit.build('FROM base', { buildContexts: new Map([['x', 'ssh://y']]) }))).message,
        /ssh is not supported/,
      )
    })
  })

  test('what a killed build left is undone by the next one', async () => {
    const script = `import { buildKit } from ${JSON.stringify(new URL('../../test/kit/build-kit.ts', import.meta.url).href)}
const kit = await buildKit()
console.log(kit.directory)
await kit.build('FROM base\\nRUN --mount=type=secret,id=k echo begun; sleep 62', { secrets: [{ id: 'k', read: async () => Buffer.from('x') }], progress: (event) => event.kind === 'output' && process.kill(process.pid, 'SIGKILL') })`
    const file = join(kit.directory, 'killed.ts')
    writeFileSync(file, script)
    const killed = spawnSync(process.execPath, ['--conditions=source', file], { encoding: 'utf8', cwd: process.cwd() })
    assert.equal(killed.signal, 'SIGKILL', killed.stderr)
    const directory = killed.stdout.trim()
    const mine = () =>
      readTextSync('/proc/self/mountinfo')
        .split('\n')
        .filter((line) => line.includes(directory) && /\/run\/(?:rootfs|builds)\//.test(line))
    try {
      assert.notDeepEqual(mine(), [], 'the kill came too late to leave anything')
      const { openStore } = await import('#store')
      const { chooseLayerFormat, createRootfs } = await import('#rootfs')
      const { openContainers } = await import('#container')
      const root = join(directory, 'store')
      const run = join(directory, 'run')
      await using store = await openStore({ root, run, layerFormats: await chooseLayerFormat(root) })
      const rootfs = createRootfs({ store, run })
      await using runner = openContainers({ store, rootfs, path: '/usr/sbin:/usr/bin' }).steps.runner()
      const machine = { ...kit.machine, store, rootfs, runStep: runner }
      machine.findImage = async (name) => ({ image: (await store.images.find(name)).image, wasLocal: true })
      await using built = await build(machine, {
        network: 'none',
        context: { kind: 'directory', path: await kit.context({}) },
        dockerfile: { kind: 'text', name: 'D', text: 'FROM base\nRUN true' },
      })
      assert.ok(built.image)
      await built[Symbol.asyncDispose]()
      assert.deepEqual(mine(), [])
      assert.doesNotMatch(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }), /^sleep 62$/m)
    } finally {
      for (const line of readTextSync('/proc/self/mountinfo')
        .split('\n')
        .filter((one) => one.includes(directory))
        .reverse())
        execFileSync('umount', ['-l', line.split(' ')[4]!])
      execFileSync('rm', ['-rf', directory])
    }
  })
})
