import { apiError } from '../http/errors.ts';

import type { Vault } from '../security/vault.ts';

/** The last record of a page: its score in the order, and its id among records of one score. */
export interface Position {
    score: string;
    id: string;
}

/** Seals a position for the one list it belongs to: the client can neither read nor alter nor move it. */
export const sealCursor = (vault: Vault, list: string, { score, id }: Position): string =>
    vault.seal(`${score} ${id}`, `cursor ${list}`);

/** @throws INVALID_CURSOR */
export function openCursor(vault: Vault, list: string, cursor: string): Position {
    const [score, id] = vault.open(cursor, `cursor ${list}`)?.split(' ') ?? [];
    if (score === undefined || id === undefined) throw apiError('INVALID_CURSOR');
    return { score, id };
}
