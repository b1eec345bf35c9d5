import * as v from 'valibot'
import { accountActor } from '../auth/index.ts'
import { type Caller, operation } from './operation.ts'
import { checkOwnGates } from './own-gates.ts'
import { oneImage, reason, storedDigest } from './values.ts'
import { ownersBelow } from './who.ts'

const judged = { parameters: { name: oneImage }, result: v.object({ digest: storedDigest }) }

/** Decisions about single images that override gates. */
export const imageOperations = {
  'images.quarantine': operation('images.quarantine', {
    method: 'PUT',
    path: '/images/{name}/quarantine',
    summary: 'Stops an image, or all images of an index, from being pulled, even where there is no gate',
    who: ownersBelow('name'),
    ...judged,
    body: { reason },
    run: async (admin, { name, reason }, { caller }) => ({
      digest: await admin.images.quarantine(name, reason, decidedBy(caller)),
    }),
    input: (name, reason) => ({ name, reason }),
    output: ({ digest }) => digest,
  }),
  'images.release': operation('images.release', {
    method: 'PUT',
    path: '/images/{name}/release',
    summary:
      'Lets an image, or all images of an index, be pulled although gates block it. Owners may do so only where every gate is their own',
    who: ownersBelow('name'),
    ...judged,
    body: { reason },
    async run(admin, { name, reason }, { caller }) {
      await checkOwnGates(admin, caller, name.split(/[@:]/, 1)[0]!)
      return { digest: await admin.images.release(name, reason, decidedBy(caller)) }
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
    body: {
      reason,
      kind: v.optional(
        v.pipe(
          v.picklist(['quarantined', 'released'], 'expects quarantined or released'),
          v.description('Ends only this; either by default'),
        ),
      ),
    },
    run: async (admin, { name, reason, kind }, { caller }) => ({
      digest: await admin.images.clear(name, reason, { kind, ...decidedBy(caller) }),
    }),
    input: (name, reason, options) => ({ name, reason, kind: options?.kind }),
    output: ({ digest }) => digest,
  }),
}

/** Owners cannot end what others decided; administrators can. */
const decidedBy = ({ names, name }: Caller) => (names === undefined ? {} : { own: accountActor(name) })
