import { CommandError } from "../project/errors.ts";

/**
 * The local endpoint's way in; it is a package of its own, which a project may do without. `asker` is what needs it, in the error of
 * a project that does.
 */
export async function findEndpoint(asker: string): Promise<typeof import("bigquery-local").startServer> {
  try {
    return (await import("bigquery-local")).startServer;
  } catch (error) {
    throw new CommandError(
      `${asker} needs the package bigquery-local: npm install --save-dev bigquery-local`,
      { cause: error },
    );
  }
}
