import { expect } from '@hapi/code';

import { expectSound } from './billing.ts';
import { waitUntil } from './redis-node.ts';
import { well, type Guest } from './scene.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { FailoverLoad, RunningStream, Sent } from './failover-load.ts';
import type { Outage } from './failover.ts';
import type { House } from './house.ts';

/** How long a request may wait for a Redis that does not answer; the test may wait for a processor, too. */
const ANSWER_WITHIN_MS = 8_000;
/** From when a replica takes writes until everybody writes to it. */
const HEALED_WITHIN_MS = 5_000;

/** Says that only requests of an outage were refused, each soon and with the right code, and that there were some. */
export function expectRefusalsWithin(load: FailoverLoad, outages: Outage[]): void {
    const refused = load.sent.filter(({ status }) => status >= 300);
    const brief = ({ kind, api, repeats, sentAt, answeredAt, status, code }: Sent) =>
        `${kind} at ${api}, ${sentAt - (outages[0]?.from ?? 0)} ms after the kill, for ${answeredAt - sentAt} ms, ` +
        `${repeats} repeats: ${status} ${code}`;
    // Of a request that was answered 503 while its key could not be given back: its repeats wait for that.
    const isRepeatInTime = ({ code, repeats }: Sent) => code === 'IDEMPOTENCY_IN_PROGRESS' && repeats > 0;
    const others = refused.filter((one) => !isRepeatInTime(one));
    const isOutside = ({ sentAt, answeredAt }: Sent) =>
        !outages.some(({ from, to }) => answeredAt >= from && sentAt <= to + HEALED_WITHIN_MS);
    expect(others.filter(({ status, code }) => `${status} ${code}` !== '503 STORE_UNAVAILABLE').map(brief)).to.equal(
        [],
    );
    expect(others.filter(isOutside).map(brief)).to.equal([]);
    expect(refused.filter((one) => one.answeredAt - one.sentAt > ANSWER_WITHIN_MS).map(brief)).to.equal([]);
    expect(others.length, 'the outage was felt').to.be.above(0);
    for (const api of [0, 1]) {
        const last = Math.max(...outages.map(({ to }) => to));
        expect(load.sent.some((one) => one.api === api && one.status < 300 && one.sentAt > last)).to.be.true();
    }
}

/** Says that everything that was answered well is there once, and that the money adds up. */
export async function expectNothingLost(house: House, load: FailoverLoad, guest: Guest): Promise<void> {
    const { tenantId } = guest;
    const redis = await house.redisOf(tenantKey(tenantId, 'info'));
    const made = await redis.zrange(tenantKey(tenantId, 'user', guest.userId, 'keys'), 0, '-1');
    for (const { id, key } of load.done('keys', tenantId)) {
        const name = await redis.hget(tenantKey(tenantId, 'key', id), 'name');
        expect([name, made.filter((one) => one === id).length], `${key} ${id}`).to.equal([nameIn(key), 1]);
    }
    const ledger = await ledgerOf(house, guest);
    for (const { id, key } of load.done('grants', tenantId)) {
        expect(ledger.filter((entry) => entry.id === id).length, key).to.equal(1);
        expect(ledger.filter(({ reason }) => reason === nameIn(key)).length, key).to.equal(1);
    }
    for (const { id, key } of load.done('messages', tenantId)) {
        expect(ledger.filter(({ messageId }) => messageId === id).length, key).to.equal(1);
    }
    const asked = ledger.filter(({ type, messageId }) => type === 'model_usage' && messageId === undefined);
    expect(asked.length).to.be.at.least(load.done('calls', tenantId).length);
    // What a process holds for a call that came to nothing is given back by itself.
    const held = tenantKey(tenantId, 'credits');
    await waitUntil('nothing is held', async () => Number(await redis.zcard(`${held}:holds`)) === 0, 90_000);
    await expectSound(redis, tenantId);
}

const nameIn = (key: string): string => key.replace(/-of-.*/, '');

async function ledgerOf({ redisOf }: House, { tenantId }: Guest): Promise<Record<string, string>[]> {
    const key = `${tenantKey(tenantId, 'credits')}:ledger`;
    const entries = await (await redisOf(key)).xrange(key, '-', '+');
    return entries.map(([, flat]) =>
        Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : []))),
    );
}

/** Says that a stream has ended as one should, and that its message is what was sent out. */
export async function expectWellEnded({ guest, stream, path, to }: RunningStream): Promise<void> {
    const events = await stream.rest();
    const [last, close] = events.slice(-2);
    expect(close?.event, path).to.equal('close');
    const text = events.map(({ data }) => data.token ?? '').join('');
    const { message } = well(await guest.call('GET', path));
    expect(message.content).to.equal(text);
    if (last?.event === 'message_complete') {
        expect(text.split(' ')).to.have.length(to);
        expect(message.status).to.equal('complete');
    } else {
        expect([last?.event, last?.data.error?.code]).to.equal(['error', 'STORE_UNAVAILABLE']);
    }
}
