/** The address in BIGQUERY_EMULATOR_HOST with its scheme, which the client and the Dataform CLI do not add. */
export function emulatorAddress(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const host = environment.BIGQUERY_EMULATOR_HOST?.trim();
  if (host === undefined || host === "") return undefined;
  return (/^https?:\/\//.test(host) ? host : `http://${host}`).replace(/\/+$/, "");
}
