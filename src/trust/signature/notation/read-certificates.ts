import { X509Certificate } from 'node:crypto'
import { BaleError } from '#base'
import { pemBlocks } from '../key/index.ts'

const MOST = 100

/** Certificates of authorities from PEM, at least one. `what` names them in messages. INVALID_ARGUMENT. */
export function readCertificates(pem: string, what = 'the certificates'): X509Certificate[] {
  const blocks = pemBlocks(pem, what)
  if (blocks.length === 0) throw new BaleError('INVALID_ARGUMENT', `${what} is not a PEM file`)
  if (blocks.length > MOST) throw new BaleError('INVALID_ARGUMENT', `${what} holds more than ${MOST} certificates`)
  const other = blocks.find(({ label }) => label !== 'CERTIFICATE')
  if (other) throw new BaleError('INVALID_ARGUMENT', `${what} holds something other than certificates: ${other.label}`)
  return blocks.map(({ text }) => {
    try {
      return new X509Certificate(text)
    } catch (error) {
      throw new BaleError('INVALID_ARGUMENT', `${what} is damaged: a certificate cannot be read`, { cause: error })
    }
  })
}
