/** COPY, ADD and WORKDIR over real layers and mounts. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createSocket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readTextSync } from '#host/file'
import { type BuildKit, buildKit, cannotRunContainers, failure } from '../../test/kit/build-kit.ts'

const skip = cannotRunContainers()

describe('COPY and ADD', { skip }, () => {
  let kit: BuildKit
  before(async () => {
    kit = await buildKit()
  })
  after(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  /** What `find` shows below a directory: type, mode, owner, path, link target. */
  const tree = async (image: Parameters<BuildKit['inspect']>[0], directory: string) =>
    (await kit.inspect(image, `cd ${directory} && find . | sort | while read f; do stat -c '%A %u:%g %N' "$f"; done`))
      .trim()
      .split('\n')
      .map((line) => line.replaceAll("'", ''))

  test('a directory brings its content, not itself; files belong to root whoever owns them', async () => {
    const context = await kit.context({ 'd/a': '1', 'd/s/b': '2' })
    execFileSync('chown', ['-R', '1234:1234', context])
    chmodSync(join(context, 'd'), 0o700)
    chmodSync(join(context, 'd/s'), 0o750)
    chmodSync(join(context, 'd/a'), 0o604)
    const { image } = await kit.build('FROM base\nCOPY d /new', { context })
    assert.deepEqual(await tree(image, '/new'), [
      'drwxr-xr-x 0:0 .',
      '-rw----r-- 0:0 ./a',
      'drwxr-x--- 0:0 ./s',
      '-rw-r--r-- 0:0 ./s/b',
    ])
  })

  test("an existing directory keeps its own mode and owner, a nested one takes the source's", async () => {
    const context = await kit.context({ 'd/sub/x': '' })
    chmodSync(join(context, 'd/sub'), 0o711)
    const { image } = await kit.build('FROM base\nWORKDIR /tmp/sub\nCOPY d /tmp', { context })
    assert.equal(await kit.inspect(image, 'stat -c %a /tmp /tmp/sub'), '1777\n711\n')
  })

  test('a file goes to a name, into an existing directory, or into one that is made', async () => {
    const context = await kit.context({ f: 'F', g: 'G' })
    const { image } = await kit.build(
      'FROM base\nCOPY f /n/x\nCOPY f /home\nCOPY f g /new/\nWORKDIR /w\nCOPY f .\nCOPY g h',
      { context },
    )
    assert.equal(await kit.inspect(image, 'cat /n/x /home/f /new/f /new/g /w/f /w/h'), 'FFFGFG')
  })

  test('several files need a directory; what is missing is named with its line', async () => {
    const context = await kit.context({ a: '', b: '', '.dockerignore': 'hidden', hidden: '' })
    assert.match(
      (await failure(kit.build('FROM base\nCOPY a b /nodirectory', { context }))).message,
      /Dockerfile:2:1: when using COPY with more than one source/,
    )
    const missing = await failure(kit.build('FROM base\n\nCOPY nope /x', { context }))
    assert.equal(missing.code, 'PATH_NOT_FOUND')
    assert.match(missing.message, /^Dockerfile:3:1: \/nope not found in the build context\n {2}3 \| COPY nope/)
    assert.equal(
      (await failure(kit.build('FROM base\nCOPY hidden /x', { context }))).hint,
      'it is excluded by .dockerignore',
    )
  })

  test('wildcards match within a directory; one that matches nothing is no error', async () => {
    const context = await kit.context({
      'a1.txt': '1',
      'a2.txt': '2',
      'b.md': '',
      'sub/a3.txt': '3',
      'sub/x/deep.txt': '',
    })
    const { image } = await kit.build('FROM base\nCOPY a*.txt b? /w/\nCOPY */*.txt /v/\nCOPY none* /n/', { context })
    assert.equal(
      await kit.inspect(image, 'ls /w /v; ls -d /n 2>/dev/null || true'),
      '/v:\na3.txt\n\n/w:\na1.txt\na2.txt\n',
    )
  })

  test('.dockerignore, exceptions below ignored directories, and --exclude decide what is there (B08)', async () => {
    const context = await kit.context({
      '.dockerignore': '# c\n*.log\nnode_modules\n!node_modules/keep/x.js\n**/.env\n',
      'a.js': '',
      'b.log': '',
      'node_modules/y.js': '',
      'node_modules/keep/x.js': '',
      'node_modules/keep/z.js': '',
      's/.env': 'SECRET',
      's/c.md': '',
      's/d.txt': '',
    })
    const { image } = await kit.build('FROM base\nCOPY --exclude=*.md --exclude=.dockerignore . /c/', { context })
    assert.equal(
      await kit.inspect(image, 'cd /c && find . -type f -o -type d | sort | tr "\\n" " "'),
      '. ./a.js ./node_modules ./node_modules/keep ./node_modules/keep/x.js ./s ./s/c.md ./s/d.txt ',
    )
  })

  test('links named by COPY are followed inside the context, nested ones are kept, none leads out (B07)', async () => {
    writeFileSync(join(kit.directory, 'outside'), 'host secret')
    const context = await kit.context({
      real: 'R',
      to: { link: 'real' },
      abs: { link: '/real' },
      'd/nested': { link: '../real' },
      'd/out': { link: join(kit.directory, 'outside') },
      out: { link: '../outside' },
      away: { link: '/etc/passwd' },
      '.dockerignore': 'shy',
      shy: 'x',
      toshy: { link: 'shy' },
    })
    const { image } = await kit.build('FROM base\nCOPY to abs /l/\nCOPY d /d', { context })
    assert.equal(
      await kit.inspect(image, 'cat /l/to /l/abs; readlink /d/nested; test -L /d/out && test ! -e /d/out && echo kept'),
      `RR../real\nkept\n`,
    )
    for (const name of ['out', 'away', 'toshy'])
      assert.equal((await failure(kit.build(`FROM base\nCOPY ${name} /x`, { context }))).code, 'PATH_NOT_FOUND', name)
  })

  test('a link in the image is written through, except with --link; a link in a directory of the image is followed', async () => {
    const context = await kit.context({ f: 'new' })
    const base =
      'FROM base\nRUN mkdir /real && echo -n old > /real/file && ln -s /real/file /link && ln -s real /directory\n'
    const { image } = await kit.build(`${base}COPY f /link\nCOPY f /directory/g`, { context })
    assert.equal(await kit.inspect(image, 'cat /real/file /real/g; readlink /link'), 'newnew/real/file\n')
    const linked = await kit.build(`${base}COPY --link f /link`, { context })
    assert.equal(await kit.inspect(linked.image, 'cat /real/file /link; test -L /link || echo file'), 'oldnewfile\n')
  })

  test('--chown takes names of the image and numbers, --chmod octal and symbolic modes', async () => {
    const context = await kit.context({ f: '', 'd/g': '' })
    const { image } = await kit.build(
      'FROM base\nCOPY --chown=ann f /1\nCOPY --chown=ann:staff f /2\nCOPY --chown=7 f /3\nCOPY --chown=7:8 --chmod=2751 d /made/d\nCOPY --chmod=u=rwX,go-r d /sym',
      { context },
    )
    assert.equal(
      await kit.inspect(image, 'stat -c "%u:%g %a" /1 /2 /3 /made /made/d /made/d/g /sym/g'),
      '1000:1001 644\n1000:50 644\n7:7 644\n7:8 2751\n7:8 2751\n7:8 2751\n0:0 600\n',
    )
    assert.match(
      (await failure(kit.build('FROM base\nCOPY --chown=nobody f /x', { context }))).message,
      /Dockerfile:2:1: unable to find user nobody/,
    )
    assert.match(
      (await failure(kit.build('FROM base\nCOPY --chmod=999 f /x', { context }))).message,
      /Dockerfile:2:14: invalid chmod parameter: '999'/,
    )
  })

  test('a layer repeats the directories it goes into with their own attributes', async () => {
    const context = await kit.context({ f: '' })
    const { image } = await kit.build('FROM base\nCOPY f /tmp/f', { context })
    assert.deepEqual(
      (await kit.lastLayer(image)).map((line) => line.replace(/\s+\d+ [\d-]+ [\d:]+ /, ' ')),
      ['drwxrwxrwt 0/0 tmp/', '-rw-r--r-- 0/0 tmp/f'],
    )
  })

  test('--link leaves the directories on the way as they are, and does not look at anything else below', async () => {
    const context = await kit.context({ f: 'new', 'd/x': '' })
    const base = 'FROM base\nRUN mkdir -m 700 /own && chown 5:6 /own && ln -s own /way\n'
    const text = `${base}COPY --link f /tmp/f\nCOPY --link d /own/\nCOPY --link f /way/g`
    const { image } = await kit.build(text, { context })
    assert.equal(
      await kit.inspect(image, "stat -c '%a %u:%g %F' /tmp /own /way; ls /own /way"),
      '1777 0:0 directory\n700 5:6 directory\n755 0:0 directory\n/own:\nx\n\n/way:\ng\n',
    )
    // Another base with directories of the same kind takes the same layers.
    const again = await kit.build(text.replace('ln -s own /way', 'touch /more'), { context })
    const steps = Object.entries(again.steps).filter(([name]) => name.includes('COPY --link f /tmp/f'))
    assert.deepEqual(
      steps.map(([, state]) => state),
      ['cached'],
    )
  })

  test('a pattern that fits nothing makes no directory', async () => {
    const context = await kit.context({ f: '' })
    const { image } = await kit.build('FROM base\nCOPY nothing* /made/\nADD *.tgz /made/too/', { context })
    assert.equal(await kit.inspect(image, 'ls -d /made 2>/dev/null || echo none'), 'none\n')
    assert.deepEqual(await kit.lastLayer(image), [])
  })

  test('an archive replaces a directory by the link or file that it has in its place', async () => {
    const context = await kit.context({})
    const tree = join(context, 'tree')
    mkdirSync(join(tree, 'usr/lib64'), { recursive: true })
    writeFileSync(join(tree, 'usr/lib64/x'), 'new')
    symlinkSync('usr/lib64', join(tree, 'lib64'))
    writeFileSync(join(tree, 'plain'), 'file')
    execFileSync('tar', ['-C', tree, '-cf', join(context, 't.tar'), 'usr', 'lib64', 'plain'])
    const base = 'FROM base\nRUN mkdir -p /lib64/deep /plain/deep && echo old > /lib64/old\n'
    const { image } = await kit.build(`${base}ADD t.tar /`, { context })
    assert.equal(
      await kit.inspect(image, 'readlink /lib64; cat /lib64/x /plain; ls /usr/lib64'),
      'usr/lib64\nnewfilex\n',
    )
  })

  test('hard links stay hard links, sockets are left out', async () => {
    const context = await kit.context({ 'd/a': 'x' })
    linkSync(join(context, 'd/a'), join(context, 'd/b'))
    const socket = createSocket().listen(join(context, 'd/socket'))
    await new Promise((resolve) => socket.once('listening', resolve))
    try {
      const { image } = await kit.build('FROM base\nCOPY d /d', { context })
      assert.equal(await kit.inspect(image, 'ls /d; stat -c %h /d/a'), 'a\nb\n2\n')
    } finally {
      socket.close()
    }
  })

  test('setuid bits and capabilities survive COPY --from, also with --chown', async () => {
    const context = await kit.context({ f: 'x' })
    // cap_net_bind_service+ep, revision 2.
    writeFileSync(join(context, 'caps'), 'x')
    execFileSync('python3', [
      '-c',
      'import os,sys; os.setxattr(sys.argv[1], "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))',
      join(context, 'caps'),
    ])
    const { image } = await kit.build(
      'FROM base AS b\nCOPY --chmod=4755 f /suid\nCOPY caps /caps\nFROM base\nCOPY --from=b --chown=ann /suid /caps /o/',
      { context },
    )
    assert.equal(await kit.inspect(image, 'stat -c "%u %a" /o/suid'), '1000 4755\n')
    const layer = Buffer.concat(await Array.fromAsync(kit.store.layers.openTar(image.config.rootfs.diff_ids.at(-1)!)))
    assert.match(layer.toString('latin1'), /SCHILY\.xattr\.security\.capability=\x01\0\0\x02\0\x04/)
  })

  test('--parents keeps the directories of the source, from the pivot on', async () => {
    const context = await kit.context({ 'a/b/c.txt': '1', 'a/b/d.md': '', 'a/e/c.txt': '2', 'x/y/z': '3' })
    const { image } = await kit.build(
      'FROM base\nCOPY --parents a/*/c.txt /p/\nCOPY --parents ./x/./y/z /q/\nCOPY --parents **/*.md /r/',
      { context },
    )
    assert.equal(
      await kit.inspect(image, 'cd / && find p q r -type f | sort | tr "\\n" " "'),
      'p/a/b/c.txt p/a/e/c.txt q/y/z r/a/b/d.md ',
    )
  })

  test('heredocs are files, expanded unless quoted', async () => {
    const { image } = await kit.build(
      'FROM base\nARG V=1\nCOPY <<one.txt <<-"two" /h/\nv=$V \\$V "q"\none.txt\n\t$V\n\ttwo\nCOPY --chmod=755 <<EOF /h/script\n#!/bin/sh\nEOF',
    )
    assert.equal(
      await kit.inspect(image, 'cat /h/one.txt /h/two; stat -c %a /h/one.txt /h/script'),
      'v=1 $V "q"\n$V\n644\n755\n',
    )
  })

  test('a file of an image or a stage, by name or number', async () => {
    const { image } = await kit.build(
      'FROM base AS First\nRUN echo one > /f\nFROM first AS second\nFROM base\nCOPY --from=0 /f /0\nCOPY --from=FIRST /f /1\nCOPY --from=base /etc/group /g\nCOPY --from=second /f /2',
    )
    assert.equal(await kit.inspect(image, 'cat /0 /1 /2; head -1 /g'), 'one\none\none\nroot:x:0:\n')
    assert.match(
      (await failure(kit.build('FROM base\nCOPY --from=0 /a /b'))).message,
      /there is no stage 0 above this one/,
    )
    assert.match(
      (await failure(kit.build('FROM base AS x\nCOPY --from=later /a /b\nFROM base AS later\nFROM x'))).message,
      /Dockerfile:2:1: the stage later is this one or comes after it/,
    )
  })

  test('files over directories and directories over files are refused, and nothing is left', async () => {
    const context = await kit.context({ 'd/home/x': '', 'e/etc/passwd/x': '', 'w/.wh.x': '' })
    writeFileSync(join(context, 'd/bin'), '')
    assert.match(
      (await failure(kit.build('FROM base\nCOPY d /', { context }))).message,
      /cannot replace to directory \/bin with file/,
    )
    assert.match(
      (await failure(kit.build('FROM base\nCOPY e /', { context }))).message,
      /cannot copy to non-directory: \/etc\/passwd/,
    )
    assert.match((await failure(kit.build('FROM base\nCOPY w /w', { context }))).message, /name begins with \.wh\./)
    assert.deepEqual(
      readTextSync('/proc/self/mountinfo')
        .split('\n')
        .filter((line) => line.includes(`${kit.directory}/run/rootfs/`)),
      [],
    )
  })

  describe('ADD', () => {
    const tarOf = (directory: string, ...flags: string[]) =>
      execFileSync('tar', [...flags, '--owner=5', '--group=6', '-C', directory, '-c', '.'])

    test('unpacks local archives by content, whatever their name; other files are copied', async () => {
      const source = await kit.context({ 'x/y': 'in tar' })
      const context = await kit.context({ text: 'no archive' })
      writeFileSync(join(context, 'plain'), tarOf(source))
      writeFileSync(join(context, 'packed.bin'), gzipSync(tarOf(source)))
      writeFileSync(join(context, 'xz'), tarOf(source, '-J'))
      writeFileSync(join(context, 'damaged.tar.gz'), gzipSync(tarOf(source)).fill(7, 20, 60))
      const { image } = await kit.build(
        'FROM base\nADD plain /1/\nADD packed.bin /2\nADD xz /3/\nADD text damaged.tar.gz /c/\nADD --unpack=false plain /raw\nADD --chown=9 plain /4/',
        { context },
      )
      assert.equal(
        await kit.inspect(
          image,
          'cat /1/x/y /2/x/y /3/x/y; ls /c; stat -c %u:%g /1/x/y /4/x/y; test -f /raw && echo raw',
        ),
        'in tarin tarin tardamaged.tar.gz\ntext\n5:6\n9:9\nraw\n',
      )
    })

    test('hostile archives are refused or stay inside (T01, T03, T06, T11, B10)', async () => {
      const { packTar } = await import('#format/tar')
      const archive = async (...entries: Parameters<typeof packTar>[0] extends infer _ ? object[] : never) => {
        const context = await kit.context({})
        writeFileSync(join(context, 'a.tar'), Buffer.concat(await Array.fromAsync(packTar(entries as never))))
        return context
      }
      const file = (name: string) => ({ entry: { name, type: 'file', size: 1 }, data: Buffer.from('x') })
      const refused = async (context: string) =>
        (await failure(kit.build('FROM base\nADD a.tar /t/', { context }))).message
      assert.match(
        await refused(await archive(file('ok'), file('../../etc/evil'))),
        /Dockerfile:2:1: tar entry "\.\.\/\.\.\/etc\/evil".*outside/s,
      )
      assert.match(
        await refused(
          await archive(file('a'), { entry: { name: 'h', type: 'hardlink', linkName: '../../etc/passwd' } }),
        ),
        /hard link to outside/,
      )
      assert.match(
        await refused(await archive({ entry: { name: 'h', type: 'hardlink', linkName: 'etc/passwd' } })),
        /which the archive does not have/,
      )
      assert.match(
        await refused(await archive({ entry: { name: 'dev', type: 'character', deviceMajor: 0, deviceMinor: 0 } })),
        /is the device 0:0/,
      )
      const links = await archive(
        { entry: { name: 'l', type: 'symlink', linkName: '/etc' } },
        file('l/evil'),
        { entry: { name: 'up', type: 'symlink', linkName: '../..' } },
        file('up/evil2'),
      )
      const { image } = await kit.build('FROM base\nADD a.tar /t/', { context: links })
      assert.equal(
        await kit.inspect(image, 'ls /etc/evil /evil2 2>/dev/null; ls /t/etc /t/evil2'),
        '/t/evil2\n\n/t/etc:\nevil\n',
      )
    })

    test('a login in a URL is used, and is in neither history nor progress nor errors', async () => {
      const logins: (string | undefined)[] = []
      const server = createServer((request, response) => {
        logins.push(request.headers.authorization)
        return request.url === '/gone' ? response.writeHead(404).end() : response.end('x')
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
        const text = `FROM base\nARG P=pass\nADD http://ann:p@ss@${host}/a HTTP://ann:$P@${host}/b?signature=pass /\nADD ["http://pass@${host}/c", "/c"]`
        const { image, steps } = await kit.build(text)
        const said = JSON.stringify([image.config.history!.slice(2), Object.keys(steps)])
        assert.doesNotMatch(said, /p@ss|ann:|pass@|=pass/)
        assert.match(said, /127.0.0.1:\d+\/a/)
        const basic = (word: string) => `Basic ${Buffer.from(word).toString('base64')}`
        assert.deepEqual(logins, [basic('ann:p@ss'), basic('ann:pass'), basic('pass:')])
        const { message, cause } = await failure(kit.build(`FROM base\nADD http://ann:pass@${host}/gone /x`))
        assert.match(message, /404/)
        assert.doesNotMatch(message + String(cause), /pass/)
      } finally {
        server.close()
      }
    })

    test('the name of a fetched file has its escapes undone; one that escapes nothing is told with its line', async () => {
      const server = createServer((_request, response) => response.end('cert'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const { image } = await kit.build(`FROM base\nADD ${url}/My%20Root%C3%BC.crt?x=1&y=/z /d/`)
        assert.equal(await kit.inspect(image, 'cat "/d/My Rootü.crt"'), 'cert')
        assert.match(
          (await failure(kit.build(`FROM base\nADD ${url}/a%zz.txt /d/`))).message,
          /Dockerfile:2:1: .*invalid URL escape "%zz"/,
        )
      } finally {
        server.close()
      }
    })

    test('fetches URLs: mode 0600, Last-Modified, name from the path, checksum, redirects (B10)', async () => {
      const asked: string[] = []
      const server = createServer((request, response) => {
        asked.push(request.url!)
        if (request.url === '/go') return response.writeHead(302, { location: '/dir/file.txt?x=1' }).end()
        if (request.url === '/local') return response.writeHead(302, { location: 'file:///etc/passwd' }).end()
        if (request.url === '/gone') return response.writeHead(404).end()
        response
          .writeHead(200, { 'last-modified': 'Tue, 02 Jan 2024 03:04:05 GMT', 'content-type': 'text/plain' })
          .end('fetched')
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const sum = 'sha256:8ed48c05e1bd14cfcb5ffd54ba0b7ef1d4f0bc10a41d76d0b6cbf69e6a0d9e3b'
        const real = `sha256:${(await import('node:crypto')).createHash('sha256').update('fetched').digest('hex')}`
        const text = `FROM base\nADD ${url}/dir/file.txt /u/\nADD --checksum=${real} ${url}/go /r`
        const { image } = await kit.build(text)
        assert.equal(
          await kit.inspect(image, 'cat /u/file.txt /r; stat -c "%a %Y" /u/file.txt'),
          'fetchedfetched600 1704164645\n',
        )
        const again = await kit.build(text)
        assert.deepEqual(Object.values(again.steps), ['cached', 'cached', 'cached'])
        assert.equal(asked.filter((one) => one === '/go').length, 1, 'with a checksum nothing is fetched again')
        assert.match(
          (await failure(kit.build(`FROM base\nADD --checksum=${sum} ${url}/x /x`))).message,
          /Dockerfile:2:1: digest mismatch/,
        )
        assert.match((await failure(kit.build(`FROM base\nADD ${url}/local /x`))).message, /not a web address/)
        assert.match((await failure(kit.build(`FROM base\nADD ${url}/gone /x`))).message, /status 404/)
        assert.match(
          (await failure(kit.build(`FROM base\nADD ${url}/r.git /x`))).message,
          /git repository is not supported/,
        )
      } finally {
        server.close()
      }
    })
  })

  test('WORKDIR makes its directories as the USER, in a layer only when one was missing', async () => {
    const { image } = await kit.build('FROM base\nUSER ann\nWORKDIR /w/x\nWORKDIR /w\nUSER nobody-knows\nWORKDIR /q')
    assert.equal(await kit.inspect(image, 'stat -c %u:%g /w /w/x /q'), '1000:1001\n1000:1001\n0:0\n')
    assert.deepEqual(
      image.config.history!.slice(1).map(({ created_by, empty_layer }) => [created_by, empty_layer ?? false]),
      [
        ['USER ann', true],
        ['WORKDIR /w/x', false],
        ['WORKDIR /w', true],
        ['USER nobody-knows', true],
        ['WORKDIR /q', false],
      ],
    )
  })

  describe('what the cache of COPY knows', () => {
    test('not times, owners or ignored files; but modes, links, data, --chown', async () => {
      const context = await kit.context({
        f: 'x',
        l: { link: 'f' },
        '.dockerignore': 'skip*\n.dockerignore',
        skipped: '1',
      })
      const text = 'FROM base\nCOPY . /c/'
      const step = '[2/2] COPY . /c/'
      const state = async (dockerfile = text) => (await kit.build(dockerfile, { context })).steps[step]
      assert.equal(await state(), 'done')
      utimesSync(join(context, 'f'), 1, 1)
      execFileSync('chown', ['99', join(context, 'f')])
      writeFileSync(join(context, 'skipped'), '2')
      assert.equal(await state(), 'cached')
      assert.equal(await state('# comment\nFROM base\nLABEL a=b\nEXPOSE 80\nCMD x\nCOPY . /c/'), 'cached')
      chmodSync(join(context, 'f'), 0o600)
      assert.equal(await state(), 'done')
      writeFileSync(join(context, 'f'), 'y')
      assert.equal(await state(), 'done')
      execFileSync('rm', [join(context, 'l')])
      symlinkSync('other', join(context, 'l'))
      assert.equal(await state(), 'done')
      mkdirSync(join(context, 'new'))
      assert.equal(await state(), 'done')
      assert.equal(await state(), 'cached')
    })

    test('a COPY --from whose source has the same content keeps later steps although its stage ran again', async () => {
      const text = (word: string) =>
        `FROM base AS b\nRUN echo ${word}; echo same > /f; chmod 600 /f\nFROM base\nCOPY --from=b /f /f\nRUN echo later`
      await kit.build(text('one'))
      const { steps } = await kit.build(text('two'))
      assert.deepEqual(
        Object.entries(steps)
          .filter(([name]) => !name.includes('] FROM'))
          .map(([, state]) => state),
        ['done', 'cached', 'cached'],
      )
    })

    test('--link makes the same layer on any base, and is found on any base', async () => {
      const context = await kit.context({ f: 'x' })
      const one = await kit.build('FROM base\nCOPY --link f /deep/f', { context })
      const two = await kit.build('FROM base\nRUN touch /other\nCOPY --link f /deep/f', { context })
      assert.equal(two.steps['[3/3] COPY --link f /deep/f'], 'cached')
      assert.equal(one.image.config.rootfs.diff_ids.at(-1), two.image.config.rootfs.diff_ids.at(-1))
    })
  })
})
