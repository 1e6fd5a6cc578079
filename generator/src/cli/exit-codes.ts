/** The one table of exit codes: what each number says, to people and to CI. */
export const EXIT = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  badRows: 3,
  threshold: 4,
} as const;

/** A number that a command may end with. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What `--help` says of a code where the command says nothing of its own. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  [EXIT.done]: "done",
  [EXIT.failed]: "failed; stderr says why in one line",
  [EXIT.wrongUsage]: "called wrongly; nothing was done",
  [EXIT.badRows]: "done, with bad or missed rows to look at",
  [EXIT.threshold]: "a threshold that the command was given is passed",
};
