/** The groups that clients branch on when a code is new to them. */
export type ErrorCategory =
    | 'validation'
    | 'authentication'
    | 'payment'
    | 'authorization'
    | 'not_found'
    | 'conflict'
    | 'rate_limit'
    | 'server'
    | 'service_unavailable';

/** What the API says of one of its errors. */
export interface CatalogueEntry {
    status: number;
    category: ErrorCategory;
    message: string;
    suggestion: string;
}

/** One code of the catalogue. */
export const entry = (
    status: number,
    category: ErrorCategory,
    message: string,
    suggestion: string,
): CatalogueEntry => ({
    status,
    category,
    message,
    suggestion,
});
