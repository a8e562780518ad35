import type { ChalkInstance } from 'chalk'
import { Lexer, type Token, type Tokens } from 'marked'
import { symbols } from './symbols.js'

/** The marks within a line of Markdown as colours: strong, emphasis, code, links. A link shows where it leads. */
export function inlineMarkdown(line: string, chalk: ChalkInstance): string {
  // Nearly all lines of most answers.
  if (!/[\\`*_~[\]!<>:@./]/.test(line)) {
    return line
  }
  return Lexer.lexInline(line, { gfm: true })
    .map((token) => styled(token, chalk))
    .join('')
}

function styled(token: Token, chalk: ChalkInstance): string {
  const inner = () => (token as { tokens?: Token[] }).tokens?.map((it) => styled(it, chalk)).join('')
  switch (token.type) {
    case 'strong':
      return chalk.bold(inner() ?? '')
    case 'em':
      return chalk.italic(inner() ?? '')
    case 'del':
      return chalk.strikethrough(inner() ?? '')
    case 'codespan':
      return chalk.cyan((token as Tokens.Codespan).text)
    case 'link':
      return link(token as Tokens.Link, inner() ?? '', chalk)
    case 'image':
      return link(token as Tokens.Link, `${symbols().image}${(token as Tokens.Image).text}`, chalk)
    case 'escape':
      return (token as Tokens.Escape).text
    case 'br':
      return ' '
    default:
      return inner() ?? token.raw
  }
}

function link({ href, raw, text }: Tokens.Link, label: string, chalk: ChalkInstance): string {
  const shown = chalk.underline(label)
  // The address of a bare link is its text.
  return raw === text || href === text || href === `mailto:${text}`
    ? shown
    : `${shown} ${chalk.dim(`(${href})`)}`
}
