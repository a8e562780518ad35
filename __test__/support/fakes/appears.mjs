// @ts-check
import { existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Resolves when there is a file at this path.
 * @param {string} path
 * @returns {Promise<void>}
 */
export function appears(path) {
  return new Promise((resolve) => {
    const watcher = watch(dirname(path), look)
    function look() {
      if (existsSync(path)) {
        watcher.close()
        resolve()
      }
    }
    look()
  })
}
