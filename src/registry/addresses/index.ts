/**
 * registry/addresses: addresses and ranges of them, and where the registry may connect to by itself. Promises: private networks are
 * closed unless opened.
 */
export { createAddressGuard } from './address-guard.ts'
export { createAddressList, isLoopback, isProtected, plainAddress } from './address-list.ts'
