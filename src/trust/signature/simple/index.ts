/**
 * trust/signature/simple: cosign's form of signatures before version 3, by tag. Promises: written so that cosign and others
 * find and accept it; read more strictly than cosign does, since the payload's repository counts here. Does not: read the
 * certificates of that form (keyless), which the bundles of cosign 3 replace.
 */
export { attachSimpleSignature } from './attach-simple-signature.ts'
export { type SimpleSignature, signSimple } from './sign-simple.ts'
export { verifySimple } from './verify-simple.ts'
