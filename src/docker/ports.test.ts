import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExposedPorts, parsePublishedPorts } from './ports.ts'

const tcp = { protocol: 'tcp' as const }

test('published ports: with and without address, host port, range and protocol', () => {
  const cases: [string, object[]][] = [
    ['80', [{ ...tcp, containerPort: 80 }]],
    ['0:80', [{ ...tcp, containerPort: 80 }]],
    [':80', [{ ...tcp, containerPort: 80 }]],
    ['8080:80/udp', [{ protocol: 'udp', containerPort: 80, hostPort: 8080 }]],
    ['8080:80/TCP', [{ ...tcp, containerPort: 80, hostPort: 8080 }]],
    ['8080:80/sctp', [{ protocol: 'sctp', containerPort: 80, hostPort: 8080 }]],
    ['127.0.0.1::80', [{ ...tcp, hostAddress: '127.0.0.1', containerPort: 80 }]],
    ['127.0.0.1:8080:80', [{ ...tcp, hostAddress: '127.0.0.1', containerPort: 80, hostPort: 8080 }]],
    ['[::1]:8080:80', [{ ...tcp, hostAddress: '::1', containerPort: 80, hostPort: 8080 }]],
    ['::1:8080:80', [{ ...tcp, hostAddress: '::1', containerPort: 80, hostPort: 8080 }]],
    ['[::]::80', [{ ...tcp, hostAddress: '::', containerPort: 80 }]],
    ['8000-8009:80', [{ ...tcp, containerPort: 80, hostPort: 8000, hostPortEnd: 8009 }]],
    [
      '8000-8001:80-81',
      [
        { ...tcp, containerPort: 80, hostPort: 8000 },
        { ...tcp, containerPort: 81, hostPort: 8001 },
      ],
    ],
  ]
  for (const [text, ports] of cases) assert.deepEqual(parsePublishedPorts(text), ports, text)
})

test('published ports: the long form', () => {
  const port = { ...tcp, containerPort: 80, hostPort: 8080 }
  assert.deepEqual(parsePublishedPorts('published=8080,target=80,protocol=tcp'), [port])
  assert.deepEqual(parsePublishedPorts('target=80,published=8080,protocol=UDP,mode=host'), [
    { ...port, protocol: 'udp' },
  ])
  assert.deepEqual(parsePublishedPorts('target=80'), [{ ...tcp, containerPort: 80 }])
  assert.deepEqual(parsePublishedPorts('target=80,published=8080,host_ip=127.0.0.1'), [
    { ...port, hostAddress: '127.0.0.1' },
  ])
  assert.throws(() => parsePublishedPorts('a=b,c'), /should be name=value but got 'c'/)
  assert.throws(() => parsePublishedPorts('target=80,what=1'), /invalid field key: what/)
  assert.throws(() => parsePublishedPorts('published=80'), /No port specified/)
})

test("published ports that are wrong are refused in docker's words", () => {
  const cases: [string, RegExp][] = [
    ['', /No port specified/],
    ['80:', /No port specified/],
    ['0', /Invalid containerPort: 0/],
    ['65536', /Invalid containerPort: 65536/],
    ['70000:80', /Invalid hostPort: 70000/],
    ['80/http', /Invalid proto: http/],
    ['80/tcp/udp', /Invalid containerPort/],
    ['8000-8002:80-81', /Invalid ranges specified for container and host Ports: 80-81 and 8000-8002/],
    ['0-5:80', /Invalid hostPort: 0-5/],
    ['90-80', /Invalid containerPort: 90-80/],
    ['a:80', /Invalid hostPort: a/],
    ['1.2.3:80:80', /Invalid ip address: 1\.2\.3/],
    ['1.2.3.4.5:80:80', /Invalid ip address/],
    ['1:2:3:4', /Invalid ip address: 1:2/],
    ['[::1:80:80', /Invalid ip address/],
    ['8001L80', /Invalid containerPort/],
  ]
  for (const [text, words] of cases) assert.throws(() => parsePublishedPorts(text), words, text)
})

test('exposed ports', () => {
  assert.deepEqual(parseExposedPorts('8000-8001/UDP'), ['8000/udp', '8001/udp'])
  assert.deepEqual(parseExposedPorts('80'), ['80/tcp'])
  for (const bad of ['x', '80-70', '0', '80/what', '80/tcp/x', ''])
    assert.throws(() => parseExposedPorts(bad), /^BaleError: invalid exposed port: /, bad)
})
