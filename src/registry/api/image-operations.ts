import * as v from 'valibot'
import { operation } from './operation.ts'
import { checkOwnGates, checkOwnQuarantine } from './own-gates.ts'
import { oneImage, reason, storedDigest } from './values.ts'
import { ownersBelow } from './who.ts'

const judged = { parameters: { name: oneImage }, body: { reason }, result: v.object({ digest: storedDigest }) }

/** What people say of single images, whatever gates say. */
export const imageOperations = {
  'images.quarantine': operation('images.quarantine', {
    method: 'PUT',
    path: '/images/{name}/quarantine',
    summary: 'Gives an image, or those of an index, out no more, also where no gate is',
    who: ownersBelow('name'),
    ...judged,
    run: async (admin, { name, reason }) => ({ digest: await admin.images.quarantine(name, reason) }),
    input: (name, reason) => ({ name, reason }),
    output: ({ digest }) => digest,
  }),
  'images.release': operation('images.release', {
    method: 'PUT',
    path: '/images/{name}/release',
    summary: 'Gives an image, or those of an index, out although gates block it. Owners do where all gates are theirs',
    who: ownersBelow('name'),
    ...judged,
    async run(admin, { name, reason }, { caller }) {
      await checkOwnQuarantine(admin, caller, name)
      await checkOwnGates(admin, caller, name.split(/[@:]/, 1)[0]!)
      return { digest: await admin.images.release(name, reason) }
    },
    input: (name, reason) => ({ name, reason }),
    output: ({ digest }) => digest,
  }),
  'images.clear': operation('images.clear', {
    method: 'POST',
    path: '/images/{name}/clearances',
    summary: 'Ends a quarantine or a release: gates alone judge the image again',
    who: ownersBelow('name'),
    ...judged,
    async run(admin, { name, reason }, { caller }) {
      await checkOwnQuarantine(admin, caller, name)
      return { digest: await admin.images.clear(name, reason) }
    },
    input: (name, reason) => ({ name, reason }),
    output: ({ digest }) => digest,
  }),
}
