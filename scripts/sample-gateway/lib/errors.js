// The two kinds of failure that people meet: the gateway does not start, or a tool call fails.

/** The same start would fail in the same way again. Supervisors are told not to restart on this status (EX_CONFIG). */
export const CONFIGURATION = 78;

/** The host did not give what the gateway needs now; another attempt may succeed. */
export const UNAVAILABLE = 1;

/** A start that is refused, with the exit status it ends in. */
export class Refusal extends Error {
  constructor(message, status = CONFIGURATION) {
    super(message);
    this.status = status;
  }
}

/** A tool call that cannot be done. `code` is for programs, `message` for people. */
export class ToolError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** What a caller is sent for any failure. System errors keep their own code: EROFS and EACCES are what a jail's tests look for. */
export function failure(error) {
  return { ok: false, error: { code: String(error?.code ?? 'INTERNAL'), message: String(error?.message ?? error) } };
}
