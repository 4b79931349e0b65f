import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PriceService, type PublicPrice } from '../../../plugins/billing/price-service.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { Model, ModelPrice } from '../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/billing/prices';

describe(`GET ${ROUTE}`, () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('tells everybody who may see models what they cost, and by which version', async () => {
        const { tenantId } = await newTenant(app);
        const user = await newUser(app, tenantId, 'user');
        const { status, body } = await user.call('GET', ROUTE);
        expect(status).to.equal(200);
        const { version, models, units } = body.data.prices;
        expect(units).to.include({ item: 'vm.large', unit: 'hour', amountMicros: 200_000, amount: '0.200000' });
        expect(units).to.include({ item: 'vm', unit: 'creation', amountMicros: 50_000, amount: '0.050000' });
        expect(version).to.equal(app.server.plugins.models.version);
        const byId = new Map<string, { isPaid: boolean; prices: PublicPrice[] }>(
            models.map((model: { modelId: string }) => [model.modelId, model]),
        );
        expect(byId.get('sandbox')?.isPaid).to.be.false();
        const paid = [...byId.values()].filter(({ isPaid }) => isPaid);
        expect(paid.length).to.be.above(5);
        // At most one is in force at a time, and none is of the past.
        const today = new Date().toISOString().slice(0, 10);
        for (const { prices } of byId.values()) {
            expect(prices.filter(({ isInForce }) => isInForce).length).to.be.at.most(1);
            for (const { isInForce, validFrom, validUntil } of prices) {
                expect(isInForce || (validFrom !== null && validFrom > today)).to.be.true();
                expect(validUntil === null || validUntil >= today).to.be.true();
            }
        }
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
    });
});

describe('PriceService', () => {
    const price = (validFrom: string | null, validUntil: string | null, input: number): ModelPrice => ({
        validFrom,
        validUntil,
        microsPerMillion: { input, output: 9 },
    });
    const book = (prices: ModelPrice[], at: string) => {
        const model = { id: 'one', prices } as unknown as Model;
        const models = { all: () => [model], version: 'v', keyName: () => 'openai' as const };
        const [found] = new PriceService(models, () => Date.parse(at)).book().models;
        return found?.prices.map(({ isInForce, validFrom, microsPerMillion }) => [
            microsPerMillion.input,
            isInForce,
            validFrom,
        ]);
    };

    const prices = [
        price('2026-12-01', null, 3),
        price(null, '2026-10-31', 1),
        price('2026-11-01', '2026-11-30', 2),
        price('2027-01-01', null, 4),
    ];

    it('leaves out what is over, and tells what is announced in the order of time', () => {
        expect(book(prices, '2026-11-30T23:59:59Z')).to.equal([
            [2, true, '2026-11-01'],
            [3, false, '2026-12-01'],
            [4, false, '2027-01-01'],
        ]);
        expect(book(prices, '2026-12-01T00:00:00Z')).to.equal([
            [3, true, '2026-12-01'],
            [4, false, '2027-01-01'],
        ]);
        expect(book(prices, '2026-10-31T12:00:00Z')?.[0]).to.equal([1, true, null]);
    });

    it('tells the tables of long contexts, and what tokens without a price of their own cost', () => {
        const long = { tokens: 200_000, microsPerMillion: { input: 8, output: 16, cacheRead: 1 } };
        const model = {
            id: 'one',
            prices: [{ ...price(null, null, 4), aboveInputTokens: long }],
        } as unknown as Model;
        const models = { all: () => [model], version: 'v', keyName: () => null };
        expect(new PriceService(models, () => 0).book()).to.equal({
            version: 'v',
            models: [
                {
                    modelId: 'one',
                    isPaid: false,
                    prices: [
                        {
                            isInForce: true,
                            validFrom: null,
                            validUntil: null,
                            microsPerMillion: { input: 4, output: 9, cacheRead: 4, cacheWrite: 4 },
                            aboveInputTokens: {
                                tokens: 200_000,
                                microsPerMillion: { input: 8, output: 16, cacheRead: 1, cacheWrite: 8 },
                            },
                        },
                    ],
                },
            ],
            units: [],
        });
    });
});
