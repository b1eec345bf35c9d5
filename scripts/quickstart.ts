/**
 * The story of an image, played for real: a Debian base is imported, a web server is built on it, run, committed, moved
 * as tar files, pushed to a registry with a login, pulled back and run again. It works in a directory of its own with a
 * store, run directory and ports of its own, and removes all of it at the end, also after a failure or Ctrl-C.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTextSync } from '#host/file'

interface Step {
  title: string
  /** Shell command lines, shown and run one by one. */
  commands: string[]
  /** The last command must fail: the step shows a refusal. */
  refused?: boolean
}

const directory = mkdtempSync('/var/tmp/bale-quickstart-')
const [registryPort, webPort] = [await freePort(), await freePort()]
const registry = `localhost:${registryPort}`
const environment = {
  ...process.env,
  BALE_ROOT: `${directory}/store`,
  BALE_RUN: `${directory}/run`,
  DOCKER_CONFIG: `${directory}/config`,
  REGISTRY_AUTH_FILE: `${directory}/auth.json`,
  PATH: `${resolve(import.meta.dirname, '../bin')}:/usr/sbin:/usr/bin:/sbin:/bin:${process.env['PATH'] ?? ''}`,
}

const dockerfile = `FROM debian:12
RUN apt-get update -q && apt-get install -yq --no-install-recommends lighttpd && rm -rf /var/lib/apt/lists/*
WORKDIR /var/www/html
COPY index.html .
EXPOSE 80
CMD ["lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"]
`

/** A vulnerability that nobody has, in the form of OSV. */
const ADVISORY = JSON.stringify({
  schema_version: '1.7.0',
  id: 'EXAMPLE-2026-1',
  modified: '2026-01-01T00:00:00Z',
  summary: 'An example of a vulnerability, of a web server that is older than its version 99',
  affected: [
    {
      package: { ecosystem: 'Debian:12', name: 'lighttpd' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '99' }] }],
      database_specific: { severity: 'critical' },
    },
  ],
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
})

const steps: Step[] = [
  {
    title: 'A Debian 12 root filesystem, made by mmdebstrap',
    commands: ['mmdebstrap --quiet --variant=minbase bookworm debian.tar', 'ls -lh debian.tar'],
  },
  {
    title: 'The tar file becomes a base image',
    commands: [
      `bale import --change 'CMD ["bash"]' --message 'Debian 12, minimal' debian.tar debian:12`,
      'bale images',
    ],
  },
  {
    title: 'An image is built on it, with network access',
    commands: [
      'mkdir site',
      `cat > site/Dockerfile <<'EOF'\n${dockerfile}EOF`,
      `echo '<h1>served by bale</h1>' > site/index.html`,
      'bale build -t webserver site',
    ],
  },
  { title: 'Built again: nothing changed, so nothing is executed', commands: ['bale build -t webserver site'] },
  {
    title: 'What the image is',
    commands: [
      `bale image inspect webserver --format '{{.Id}} {{json .Config.Cmd}} {{len .RootFS.Layers}} layers'`,
      'bale history webserver',
      'bale system df -v',
    ],
  },
  {
    title: 'The image runs; its layers are mounted read-only, writes go to the container',
    commands: [
      'bale run --rm webserver cat /etc/debian_version',
      `bale run -d --name web -p 127.0.0.1:${webPort}:80 webserver`,
      `curl -sS --retry 30 --retry-connrefused --retry-delay 1 http://127.0.0.1:${webPort}/`,
      `bale exec web sh -c 'echo "<h1>changed while it ran</h1>" > index.html'`,
      'bale ps',
      'bale diff web',
    ],
  },
  {
    title: 'The running container becomes an image',
    commands: [
      `bale commit -m 'a new front page' web ${registry}/team/webserver:latest`,
      `bale run --rm ${registry}/team/webserver:latest cat index.html`,
    ],
  },
  {
    title: 'Tar files: export and import a file system, save and load an image',
    commands: [
      'bale export web > web.tar',
      'bale import web.tar flat:1',
      'bale save webserver > webserver.tar',
      'bale --root other load < webserver.tar',
      `bale --root other image inspect webserver --format '{{.Id}}'`,
    ],
  },
  {
    title: 'A registry with users',
    commands: [
      'echo correct-horse-battery | bale registry user add --root registry --password-stdin ann',
      `bale registry grant --root registry ann 'team/*' write`,
      `(bale registry serve --root registry --advisories advisories.sqlite --listen 127.0.0.1:${registryPort} > registry.log 2>&1 & echo $! > registry.pid)`,
      `curl -sS -o /dev/null --retry 30 --retry-connrefused --retry-delay 1 http://127.0.0.1:${registryPort}/v2/`,
    ],
  },
  {
    title: 'A push without a login is refused',
    commands: [`bale push ${registry}/team/webserver:latest`],
    refused: true,
  },
  {
    title: 'Login and push; the second push has nothing to send',
    commands: [
      `echo correct-horse-battery | bale login -u ann --password-stdin ${registry}`,
      `bale push ${registry}/team/webserver:latest`,
      `bale push ${registry}/team/webserver:latest`,
    ],
  },
  {
    title: 'Into an empty store: pull, run',
    commands: [
      `bale --root fresh pull ${registry}/team/webserver:latest`,
      `bale --root fresh run --rm ${registry}/team/webserver:latest cat index.html`,
    ],
  },
  {
    title: 'An organisation, and a robot that pushes for it',
    commands: [
      'bale registry org add --root registry --owner ann acme',
      `bale registry robot add --root registry --grant 'acme/**=write' acme+ci > robot.secret`,
      `bale login -u acme+ci --password-stdin ${registry} < robot.secret`,
      `bale tag ${registry}/team/webserver:latest ${registry}/acme/webserver:v1`,
      `bale push -q ${registry}/acme/webserver:v1`,
      'bale registry org ls --root registry',
    ],
  },
  {
    title: 'A released tag stays what it is',
    commands: [
      `bale registry policy immutable --root registry 'acme/**' 'v*'`,
      `bale tag debian:12 ${registry}/acme/webserver:v1`,
      `bale push -q ${registry}/acme/webserver:v1`,
    ],
    refused: true,
  },
  {
    title: 'Who did what in the registry',
    commands: [
      `bale registry audit --root registry --lines 8`,
      `echo correct-horse-battery | bale login -u ann --password-stdin ${registry}`,
    ],
  },
  {
    title: 'One name for several platforms',
    commands: [
      `bale import --platform linux/arm64 debian.tar ${registry}/team/base:arm64`,
      `bale tag debian:12 ${registry}/team/base:amd64`,
      `bale push -q ${registry}/team/base:arm64`,
      `bale push -q ${registry}/team/base:amd64`,
      `bale manifest create ${registry}/team/base:latest ${registry}/team/base:arm64 ${registry}/team/base:amd64`,
      `bale manifest push ${registry}/team/base:latest`,
      `bale manifest inspect ${registry}/team/base:latest`,
      `bale --root fresh pull -q ${registry}/team/base:latest`,
    ],
  },
  {
    title: 'What is inside the image, and what is known of it',
    commands: [
      'bale scan -q webserver',
      'bale sbom -q -o sbom.cdx.json webserver',
      'bale why -q webserver /usr/sbin/lighttpd',
    ],
  },
  {
    title: 'Signed, and verified',
    commands: [
      'bale key generate --no-password release',
      `bale sign --key release.key ${registry}/team/webserver:latest`,
      `bale verify --key release.pub ${registry}/team/webserver:latest`,
      `bale tree ${registry}/team/webserver:latest`,
    ],
  },
  {
    title: 'A policy refuses what is not signed',
    commands: [
      `printf 'version: 1\\ndefault: allow\\nrules:\\n  - images: ["${registry}/**"]\\n    require: [{ key: release.pub }]\\n' > policy.yaml`,
      `BALE_SIGNATURE_POLICY=policy.yaml bale --root fresh pull -q ${registry}/team/webserver:latest`,
      `BALE_SIGNATURE_POLICY=policy.yaml bale --root fresh pull ${registry}/acme/webserver:v1`,
    ],
    refused: true,
  },
  {
    title: 'The registry knows what is inside as well: a gate refuses',
    commands: [
      // In earnest: bale advisories build, which asks the public databases.
      'mkdir osv',
      `printf '${ADVISORY}' > osv/EXAMPLE-2026-1.json`,
      'bale advisories build -q --from osv=osv -o advisories.sqlite',
      `bale registry policy gate --root registry 'team/**' --severity high`,
      `bale --root other pull -q ${registry}/team/webserver:latest`,
    ],
    refused: true,
  },
  {
    title: 'A report says why; an exception lets it through for a time',
    commands: [
      'bale registry report --root registry team/webserver:latest',
      `bale registry exception add --root registry EXAMPLE-2026-1 --repositories 'team/*' --expires 30d --reason 'an example'`,
      `bale --root other pull -q ${registry}/team/webserver:latest`,
    ],
  },
  {
    title: 'Everything is removed; the store is empty',
    commands: [
      'bale rm -f web',
      'bale image prune -af > /dev/null',
      'bale builder prune -af > /dev/null',
      'bale image prune -af > /dev/null',
      'bale system df',
    ],
  },
]

let current: ChildProcess | undefined
let stopped = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopped = true
    current?.kill(signal)
  })
}

const times: { title: string; seconds: number }[] = []
let failure: string | undefined
try {
  for (const [index, step] of steps.entries()) {
    const begin = performance.now()
    console.log(`\n\x1b[1m${index + 1}. ${step.title}\x1b[0m`)
    failure = await play(step)
    times.push({ title: step.title, seconds: (performance.now() - begin) / 1000 })
    if (failure !== undefined || stopped) break
  }
} finally {
  await cleanUp()
}
console.log('\nHow long each step took')
for (const [index, { title, seconds }] of times.entries()) {
  console.log(`${String(index + 1).padStart(3)}. ${title.padEnd(72)} ${seconds.toFixed(1).padStart(6)} s`)
}
if (stopped) {
  console.error('\nstopped; everything was removed')
  process.exitCode = 130
} else if (failure !== undefined) {
  console.error(`\nquickstart: this command failed: ${failure}`)
  process.exitCode = 1
} else console.log('\nEverything worked. Next: README.md')

/** The command line that did not do what it should, or undefined. */
async function play(step: Step): Promise<string | undefined> {
  for (const [index, command] of step.commands.entries()) {
    console.log(`\x1b[2m$\x1b[0m ${command}`)
    const code = await shell(command)
    const mustFail = step.refused === true && index === step.commands.length - 1
    if ((code === 0) === mustFail) return command
    if (stopped) return undefined
  }
  return undefined
}

function shell(command: string): Promise<number> {
  return new Promise((done, fail) => {
    current = spawn('/bin/sh', ['-c', command], {
      cwd: directory,
      env: environment,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    current.on('error', fail)
    current.on('close', (code) => done(code ?? 143))
  })
}

async function cleanUp(): Promise<void> {
  for (const root of ['store', 'other', 'fresh']) {
    const bale = (args: string[]) =>
      spawnSync(
        'bale',
        ['--root', join(directory, root), ...(root === 'store' ? ['--run', join(directory, 'run')] : []), ...args],
        {
          env: root === 'store' ? environment : { ...environment, BALE_RUN: undefined },
          encoding: 'utf8',
        },
      )
    const ids = bale(['ps', '-aq']).stdout?.split('\n').filter(Boolean) ?? []
    if (ids.length > 0) bale(['rm', '-f', '-v', ...ids])
  }
  await endRegistry()
  const targets = readTextSync('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${directory}/`))
  for (const target of targets.reverse()) spawnSync('umount', ['-l', target])
  rmSync(directory, { recursive: true, force: true })
}

async function endRegistry(): Promise<void> {
  const found = spawnSync('cat', [join(directory, 'registry.pid')], { encoding: 'utf8' })
  if (found.status !== 0) return
  const pid = Number(found.stdout)
  const alive = () => spawnSync('kill', ['-0', String(pid)]).status === 0
  if (!alive()) return
  process.kill(pid, 'SIGTERM')
  for (let tries = 0; tries < 50 && alive(); tries++) await sleep(100)
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? done(address.port) : fail(new Error('no port'))))
    })
  })
}
