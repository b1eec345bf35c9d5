/** registry/seal: secrets that are kept with the metadata. Promises: who reads the database alone cannot read them. */
export { createSeal, isSealed, type Seal, type Sealed, sealedAgain } from './seal.ts'
