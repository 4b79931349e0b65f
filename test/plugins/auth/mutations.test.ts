import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { seeded } from '../../helpers/seeded.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { ServerInjectOptions } from '@hapi/hapi';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const MUTATIONS = 10_000;
const SEED = 20_261_121;

/** Whole numbers from 0 to `below`, the same in every run. */
function numbersOf(seed: number): (below: number) => number {
    const random = seeded(seed);
    return (below) => Math.floor(random() * below);
}

/** The text with one to three bytes changed, put in, taken out, doubled or swapped; never the same. */
function mutate(text: string, random: (below: number) => number): string {
    let bytes = [...Buffer.from(text)];
    for (let changes = 1 + random(3); changes > 0; changes--) {
        const at = random(bytes.length);
        const byte = bytes[at] ?? 0;
        const change = random(6);
        if (change === 0) bytes[at] = byte ^ (1 << random(8));
        else if (change === 1) bytes[at] = random(256);
        else if (change === 2) bytes.splice(at, 0, random(256));
        else if (change === 3) bytes.splice(at, 1);
        else if (change === 4) bytes = [...bytes.slice(0, at), ...bytes.slice(random(bytes.length))];
        else bytes = bytes.with(at, bytes[random(bytes.length)] ?? 0);
        if (bytes.length === 0) bytes = [0];
    }
    const mutated = Buffer.from(bytes).toString('latin1');
    return mutated === text ? mutate(text, random) : mutated;
}

describe('10,000 altered credentials and cursors', { timeout: 120_000 }, () => {
    let app: TestApp;
    let tenant: TestTenant;
    let cursor: string;

    before(async () => {
        app = await startApp({ config: { LOG_LEVEL: 'error' } });
        tenant = await newTenant(app);
        for (let n = 0; n < 2; n++) await tenant.call('POST', '/api/threads', { payload: {} });
        const { body } = await tenant.call('GET', '/api/threads?limit=1');
        cursor = body.pagination.cursor;
    });

    after(() => app.stop());

    const forgetRates = async () => {
        const keys = await app.redis.keys(tenantKey(tenant.tenantId, 'rate', '*'));
        if (keys.length > 0) await app.redis.del(keys);
    };

    /** How a text is sent where each belongs. */
    const kinds: Record<string, { text: () => string; send: (text: string) => ServerInjectOptions }> = {
        'an access token': {
            text: () => tenant.accessToken,
            send: (text) => ({ url: '/api/auth/me', headers: { authorization: `Bearer ${text}` } }),
        },
        'an access cookie': {
            text: () => tenant.accessToken,
            send: (text) => ({ url: '/api/auth/me', headers: { cookie: `access=${text}` } }),
        },
        'a refresh token': {
            text: () => tenant.refreshToken,
            send: (text) => ({ method: 'POST', url: '/api/auth/refresh', payload: { refreshToken: text } }),
        },
        'a refresh cookie': {
            text: () => tenant.refreshToken,
            send: (text) => ({
                method: 'POST',
                url: '/api/auth/refresh',
                headers: { cookie: `refresh=${text}`, 'sec-fetch-site': 'same-origin' },
            }),
        },
        'a cursor': {
            text: () => cursor,
            send: (text) => ({
                url: `/api/threads?limit=1&cursor=${encodeURIComponent(text)}`,
                headers: { authorization: `Bearer ${tenant.accessToken}` },
            }),
        },
    };

    for (const [n, [name, { text, send }]] of Object.entries(kinds).entries()) {
        it(`as ${name} neither work nor break anything`, async () => {
            const random = numbersOf(SEED + n);
            const wrong: string[] = [];
            for (let done = 0; done < MUTATIONS / Object.keys(kinds).length; done++) {
                const mutated = mutate(text(), random);
                // The limits would hide what becomes of a request.
                const address = `10.${random(256)}.${random(256)}.${random(256)}`;
                if (done % 50 === 0) await forgetRates();
                const { statusCode } = await app.server.inject({ ...send(mutated), remoteAddress: address });
                if (statusCode < 400 || statusCode >= 500 || statusCode === 429) {
                    wrong.push(`${statusCode} ${JSON.stringify(mutated)}`);
                }
            }
            expect(wrong.slice(0, 5)).to.equal([]);
        });
    }

    it('leave the credentials as good as they were', async () => {
        await forgetRates();
        expect((await tenant.call('GET', '/api/auth/me')).status).to.equal(200);
        expect((await tenant.call('GET', `/api/threads?limit=1&cursor=${cursor}`)).status).to.equal(200);
        const payload = { refreshToken: tenant.refreshToken };
        expect((await app.call('POST', '/api/auth/refresh', { payload })).status).to.equal(200);
    });
});
