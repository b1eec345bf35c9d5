/**
 * process: what a root file system must have before a process starts in it, and build steps: one program to its end.
 */

export { createStepRunner, type StepRunner, sweepSteps } from './create-step-runner.ts'
export {
  assertDeclaredOffKernel,
  assertKernelDirectories,
  assertMountsOffKernel,
  type CheckedMount,
} from './kernel-directories.ts'
export { makeMountPoints } from './mount-points.ts'
