import { startGateways, type Gateway } from './gateway-contestants.ts';
import { measurePaced } from './gateway-paced.ts';
import { measureRates } from './gateway-rates.ts';
import { BillingStore } from '../../../plugins/billing/store.ts';
import { USAGE } from '../prompts.ts';
import { PAID_MICROS_PER_MILLION, type Part, type Scene } from '../scene.ts';

/**
 * What an answer of a model costs, and how steadily it is heard, through the API, beside a bare relay and beside
 * Portkey's gateway, which users could take instead.
 */
export const measureGateway: Part = async (scene) => {
    // Of a process that has done much else, the memory that streams take is not seen.
    const own = { ...scene, ...(await scene.startAnother('gateway', {})) };
    const gateways = await startGateways(own);
    try {
        const paced = await measurePaced(gateways);
        const rates = await billed(own, gateways.paid, (paid) => measureRates({ ...gateways, paid }));
        return { ...rates, ...paced };
    } finally {
        own.ground.close();
        for (const { process } of [gateways.v1, gateways.relay, gateways.portkey]) await process.stop();
    }
};

/** Does work with a gateway that is paid, and throws unless each call was billed with what it cost. */
async function billed<T>({ ground, users }: Scene, gateway: Gateway, work: (paid: Gateway) => Promise<T>): Promise<T> {
    const billing = new BillingStore(ground.store, Date.now);
    const [, claims = ''] = users[0]?.token.split('.') ?? [];
    const { tid } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { tid: string };
    let calls = 0;
    const before = await billing.read(tid);
    const result = await work({
        ...gateway,
        requestOf: (prompt) => {
            calls++;
            return gateway.requestOf(prompt);
        },
    });
    const { spent, held } = await billing.read(tid);
    const expected = (calls * USAGE.total_tokens * PAID_MICROS_PER_MILLION) / 1_000_000;
    if (Number(spent - before.spent) !== expected || held !== 0n)
        throw new Error(`${calls} calls were billed ${spent - before.spent} µ$ instead of ${expected}; held: ${held}`);
    return result;
}
