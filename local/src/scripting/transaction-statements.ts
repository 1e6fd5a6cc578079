import { BigQueryError } from "../errors.ts";
import type { QueryOutcome } from "../jobs/ports.ts";
import type { Session } from "./session.ts";
import { Transaction } from "./transaction.ts";

/** Runs BEGIN, COMMIT or ROLLBACK TRANSACTION. */
export async function runTransactionStatement(session: Session, type: string): Promise<QueryOutcome> {
  const { transaction, parts } = session;
  if (type === "BEGIN_TRANSACTION") {
    if (transaction !== undefined) throw invalid("A transaction is already in progress");
    const context = { catalog: parts.storage.catalog, locks: parts.locks };
    session.transaction = await Transaction.begin(context, session.connection);
  } else {
    const verb = type === "COMMIT_TRANSACTION" ? "commit" : "roll back";
    if (transaction === undefined) throw invalid(`There is no active transaction to ${verb}`);
    session.transaction = undefined;
    if (type === "COMMIT_TRANSACTION") await transaction.commit();
    else await transaction.rollback();
  }
  return { statementType: type, bytesProcessed: 0, bytesBilled: 0 };
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
