/**
 * registry/gate: whether an image is given out: what a scan found, what policies say of it, exceptions, quarantine, and who
 * asks. Promises: one judgement for manifests, blobs, mounts, replication and promotion; what any replica changes holds at once
 * for all of them; pushes are never kept out. Does not: scan, or answer requests.
 */
export { createGate, type Gate, type Wanting } from './gate.ts'
export { signedBy } from './signed-by.ts'
export { createTelling } from './tell-releases.ts'
