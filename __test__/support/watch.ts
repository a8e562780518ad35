import { readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'

/** Resolves with the content of a file as soon as that is `wanted`. The file's folder must be there. */
export async function fileWith(path: string, wanted: (content: string) => boolean): Promise<string> {
  const watcher = watch(dirname(path))
  try {
    return await new Promise((resolve) => {
      const look = () => {
        const content = contentOf(path)
        if (wanted(content)) {
          resolve(content)
        }
      }
      watcher.on('change', look)
      // It may have been there before anybody watched.
      look()
    })
  } finally {
    watcher.close()
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
