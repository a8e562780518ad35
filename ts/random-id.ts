/** A random UUID. `node:crypto`, all of it, is loaded by the first. */
export function randomId(): string {
  return process.getBuiltinModule('node:crypto').randomUUID()
}
