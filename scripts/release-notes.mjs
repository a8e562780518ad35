// Prints what CHANGELOG.md says of the version in package.json; fails where it says nothing.
import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * The section of a version, without its heading.
 * @param {string} changelog
 * @param {string} version
 * @returns {string | undefined} undefined where there is none or it is empty
 */
export function releaseNotes(changelog, version) {
  const [, ...sections] = changelog.split(/^## /m)
  const section = sections.find((text) => /^\[?([^\s\]]+)/.exec(text)?.[1] === version)
  return section?.slice(section.indexOf('\n')).trim() || undefined
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const read = (name) => readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8')
  const { version } = JSON.parse(read('package.json'))
  const notes = releaseNotes(read('CHANGELOG.md'), version)
  if (notes === undefined) {
    console.error(`release-notes: CHANGELOG.md has no section '## ${version}' with something in it`)
    process.exitCode = 1
  } else {
    console.log(notes)
  }
}
