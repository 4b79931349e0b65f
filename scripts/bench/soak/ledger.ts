import type { House, Place } from './place.ts';

interface Credits {
    balanceMicros: number;
    heldMicros: number;
    spentMicros: number;
}

interface HistoryPage {
    data: { records: { amountMicros: number }[] };
    pagination: { cursor: string | null };
}

/** Whether a tenant's money adds up: the ledger is the balance, and nothing is held. @throws {Error} When it does not */
export async function checkLedger({ client }: Place, { tenantId, admin: token }: House): Promise<number> {
    const { credits } = await client.call<{ credits: Credits }>('GET', '/api/billing/credits', { token });
    let sum = 0;
    let spent = 0;
    let records = 0;
    let cursor: string | null = '';
    do {
        const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page = JSON.parse(
            await client.text('GET', `/api/billing/history?limit=100${after}`, { token }),
        ) as HistoryPage;
        for (const { amountMicros } of page.data.records) {
            sum += amountMicros;
            spent -= Math.min(0, amountMicros);
            records++;
        }
        ({ cursor } = page.pagination);
    } while (cursor !== null);
    const { balanceMicros, heldMicros, spentMicros } = credits;
    if (sum !== balanceMicros || spent !== spentMicros || heldMicros !== 0) {
        throw new Error(
            `The money of ${tenantId} is ${JSON.stringify(credits)}, its ledger ${sum} with ${spent} spent`,
        );
    }
    return records;
}
