import { entry, type CatalogueEntry } from './entry.ts';

/** What cannot be paid. */
export const paymentErrors = {
    INSUFFICIENT_CREDITS: entry(
        402,
        'payment',
        'There is not enough credit.',
        'Ask for credit to be added; with Retry-After it is held by calls that are on their way, and some comes free.',
    ),
    SPEND_LIMIT_REACHED: entry(
        402,
        'payment',
        'The limit of what may be spent in this month is reached.',
        'Wait until details.resetsAt, or ask an admin to raise the limit named in details.limit.',
    ),
    BALANCE_LIMIT: entry(
        422,
        'validation',
        'The balance would be more than a tenant may have.',
        'Add less; see details.balanceMicros.',
    ),
    PRICE_UNKNOWN: entry(
        402,
        'payment',
        'Nobody has told what this model costs, so that it cannot be paid from credits.',
        'Take another model, or bring an API key of your own for it.',
    ),
} satisfies Record<string, CatalogueEntry>;
