/**
 * Lines as they are usually cut in Node: what came is put behind what was left, all of it is split, and the last piece is
 * left. A long line is looked at again with each piece that comes.
 */
export async function* splitLines(stream) {
  let rest = ''
  for await (const text of stream.setEncoding('utf8')) {
    rest += text
    const lines = rest.split('\n')
    rest = lines.pop()
    yield* lines
  }
}
