const ACL_NAMES = new Set(['system.posix_acl_access', 'system.posix_acl_default'])
const ACL_HEADER = 4
const ACL_ENTRY = 8
/** Entries for a named user or group; the ID of all others means nothing. */
const NAMED = new Set([2, 8])

const CAPABILITY_V2 = 0x02000000
const CAPABILITY_V3 = 0x03000000
const CAPABILITY_EFFECTIVE = 1
const CAPABILITY_V2_SIZE = 20
const CAPABILITY_V3_SIZE = 24

/**
 * What getxattr(2) answers for a value that an image stores. The kernel decodes ACLs and capabilities and encodes them
 * again: IDs that mean nothing become -1, capabilities of the user namespace that root's user is in lose its number.
 */
export function xattrAsShown(name: string, stored: Uint8Array): Uint8Array {
  if (ACL_NAMES.has(name)) return aclAsShown(stored)
  return name === 'security.capability' ? capabilityAsShown(stored) : stored
}

function aclAsShown(stored: Uint8Array): Uint8Array {
  const shown = Buffer.from(stored)
  for (let at = ACL_HEADER; at + ACL_ENTRY <= shown.length; at += ACL_ENTRY)
    if (!NAMED.has(shown.readUInt16LE(at))) shown.writeUInt32LE(0xffffffff, at + 4)
  return shown
}

function capabilityAsShown(stored: Uint8Array): Uint8Array {
  const value = Buffer.from(stored)
  if (value.length !== CAPABILITY_V3_SIZE) return stored
  const magic = value.readUInt32LE(0)
  if ((magic & 0xff000000) >>> 0 !== CAPABILITY_V3 || value.readUInt32LE(CAPABILITY_V2_SIZE) !== 0) return stored
  const shown = value.subarray(0, CAPABILITY_V2_SIZE)
  shown.writeUInt32LE(CAPABILITY_V2 | (magic & CAPABILITY_EFFECTIVE), 0)
  return shown
}
