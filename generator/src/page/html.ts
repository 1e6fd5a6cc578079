/** Markup that is safe to place in a page: text in it has been escaped. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What a template takes: text is escaped, markup placed as it is, a list placed one after the other, the rest left out. */
export type Content = Html | string | number | false | undefined | null | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Markup from a template; what is placed into it is text unless it is markup itself. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(
    parts.reduce((markup, part, index) => `${markup}${markupOf(values[index - 1])}${part}`, ""),
  );
}

/** Text with the names that stand between backticks set as code, as the review's Markdown has them. */
export function prose(text: string): Html {
  const pieces = text.split("`");
  // A lone backtick at the end opens nothing.
  const isOdd = pieces.length % 2 === 0;
  return html`${pieces.map((piece, index) => {
    if (index % 2 === 0) return piece;
    return isOdd && index === pieces.length - 1 ? `\`${piece}` : html`<code>${piece}</code>`;
  })}`;
}

function markupOf(value: Content): string {
  if (value instanceof Html) return value.markup;
  if (Array.isArray(value)) return value.map(markupOf).join("");
  if (typeof value === "string" || typeof value === "number")
    return String(value).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
  return "";
}
