/**
 * The bytes that a DSSE signature is over: type and payload, each with its length, so that one cannot pass for the other.
 * Source: DSSE protocol.md, "PAE".
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType)
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload])
}
