/**
 * registry/hooks: who is told of what changes in a registry. Promises: what happened is delivered at least once, also after a
 * crash, under one ID and signed; nobody's URL reaches a private network that the operator did not open. Does not: note what happens
 * (meta does, with the change), keep the order.
 */
export { createDispatcher } from './dispatcher.ts'
export { createHookSender, type HookSender, type HookSettings } from './hook-sender.ts'
export { createHooks, type DeliveryPage, type Hooks, type NewHook, type Tried } from './hooks.ts'
