/** registry/addresses: where the registry may connect to by itself. Promises: private networks are closed unless opened. */
export { createAddressGuard } from './address-guard.ts'
