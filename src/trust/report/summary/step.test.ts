import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stepOf } from './step.ts'

const CASES: [createdBy: string | undefined, step: string | undefined][] = [
  ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
  ['/bin/sh -c apt-get update', 'RUN apt-get update'],
  ['RUN /bin/sh -c npm ci # buildkit', 'RUN npm ci'],
  ['COPY . /app # buildkit', 'COPY . /app'],
  ['RUN |1 A=b /bin/sh -c make # buildkit', 'RUN |1 A=b /bin/sh -c make'],
  ['bazel build', 'bazel build'],
  ['  ', undefined],
  [undefined, undefined],
]

for (const [createdBy, step] of CASES) {
  test(`the step of ${JSON.stringify(createdBy)} is ${step}`, () => assert.equal(stepOf(createdBy), step))
}
