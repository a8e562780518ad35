/** What JSON leaves as it is and a terminal, should the text come to one, would obey. */
const OBEYED = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** JSON that means the same and in which nothing is left that a terminal would obey. */
export function forTerminal(json: string): string {
  return json.replace(OBEYED, escapeUnit)
}

/** A value as JSON in which nothing is left that a terminal would obey. */
export function terminalJson(value: unknown, indent?: number): string {
  return forTerminal(JSON.stringify(value, undefined, indent))
}
