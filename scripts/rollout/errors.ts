/** It was not begun: what is asked for does not fit what is there. */
export class RefusedError extends Error {}

/** What was looked at is not as it must be. */
export class CheckError extends Error {}

/** Somebody else has changed it meanwhile. */
export class ConflictError extends Error {}

/** It went wrong or was interrupted, and what had been changed was changed back. */
export class RolledBackError extends Error {}

/** It went wrong, and not all of it could be changed back. */
export class StuckError extends Error {}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
